// A training: long runs go on piece by piece, and sliders draw at once. Without this file links and buttons do the same.
'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const PAUSE = 120; // ms without movement before a slider's answer is asked for
  const AGAIN = 3000; // ms before another try where the server is busy

  // Only the last one asked of each kind may land.
  const asked = new Map();
  const fetched = async (kind, address) => {
    asked.get(kind)?.abort();
    const mine = new AbortController();
    asked.set(kind, mine);
    const answer = await fetch(address, { headers: { 'HX-Request': 'true' }, signal: mine.signal });
    const text = await answer.text();
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(text, 'text/html');
  };
  const replaced = (page, id) => {
    const [old, made] = [$(id), page.getElementById(id)];
    if (!old || !made) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : '';
    const open = [...old.querySelectorAll('details[open][id]')].map((part) => part.id);
    old.replaceWith(made);
    for (const part of open) if ($(part)) $(part).open = true;
    if (focused) $(focused)?.focus({ preventScroll: true });
  };
  const say = () => { $('said').textContent = $('run')?.dataset.said ?? ''; };

  // ---- a long run goes on by itself, until it is done or the reader stops it or leaves ----
  const goOn = async () => {
    const link = $('go-on');
    if (!link) return;
    link.hidden = true;
    try {
      replaced(await fetched('run', link.href), 'run');
    } catch (error) {
      if (error.name === 'AbortError') return;
      link.hidden = false;
      if (error.message === '503') setTimeout(goOn, AGAIN);
      return;
    }
    if ($('go-on')) goOn(); else settle();
  };

  // ---- sliders ----
  let timer = 0;
  const soon = (work) => { clearTimeout(timer); timer = setTimeout(work, PAUSE); };
  const slide = $('slide');
  const compare = async () => {
    const form = slide.form;
    const address = `${form.getAttribute('action').split('#')[0]}?${new URLSearchParams([...new FormData(form)])}`;
    try {
      replaced(await fetched('run', address), 'run');
      const { address: shown, rate } = $('run').dataset;
      $('other').value = $('slid').value = rate;
      slide.setAttribute('aria-valuetext', rate);
      history.replaceState(history.state, '', shown);
      if ($('go-on')) goOn(); else settle();
    } catch { /* a later one is on its way, or the button does it */ }
  };
  slide?.addEventListener('input', () => soon(compare));
  const scrub = async (range) => {
    const address = range.dataset.part + (range.dataset.part.includes('?') ? '&' : '?') + `at=${range.value}`;
    try {
      const page = await fetched('moment', address);
      for (const id of ['pictures', 'moment-text', 'moment-links']) replaced(page, id);
      history.replaceState(history.state, '', address.replace('/training/moment', '/training'));
    } catch { /* a later one is on its way */ }
  };
  document.addEventListener('input', ({ target }) => {
    if (target.id !== 'at') return;
    target.setAttribute('aria-valuetext', `after iteration ${target.value}`);
    soon(() => scrub(target));
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('#moment-links a');
    if (!link || event.button || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const range = $('at');
    range.value = new URL(link.href).searchParams.get('at') ?? range.max;
    scrub(range);
  });

  const settle = () => { say(); };
  goOn();
})();
