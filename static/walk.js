// Keys, auto-play, where one left off, and linked highlights. Everything works without this file; it only saves clicks.
// htmx swaps the step; the guards below keep an older answer, or a way back in the history, from landing on a newer step.
'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const title = () => document.querySelector('#step #title[data-n]');

  // ---- guards around htmx ----
  // Only the last one asked may land: htmx itself would let an answer fetched ahead, or one of the history, come late.
  let latest = null;
  for (const name of ['htmx:before:response', 'htmx:before:swap']) {
    document.addEventListener(name, (event) => {
      const ctx = event.detail.ctx;
      if (ctx && (ctx.request?.signal?.aborted || (latest && ctx !== latest))) event.preventDefault();
    });
  }
  window.navigation?.addEventListener('navigate', (event) => {
    if (event.navigationType === 'traverse' && event.canIntercept && !event.hashChange) event.intercept({ focusReset: 'manual' });
  });
  document.addEventListener('htmx:before:request', (event) => {
    const ctx = event.detail.ctx;
    if (ctx.request.headers['HX-History-Restore-Request']) ctx.swap = 'innerMorph';
    latest = ctx;
  });
  document.addEventListener('htmx:before:history:restore', () => latest?.request?.abort?.());
  document.addEventListener('htmx:after:init', (event) => {
    if (event.target.id === 'next') event.target.dispatchEvent(new Event('soon'));
  });

  // ---- a tool folds up again: on Escape, on a click elsewhere ----
  const fold = (tool, back) => {
    tool.open = false;
    if (back) tool.querySelector('summary').focus();
  };
  document.addEventListener('click', (event) => {
    if (!event.isTrusted) return; // a key or auto-play goes on to the next step
    for (const tool of document.querySelectorAll('.tools details[open]')) if (!tool.contains(event.target)) fold(tool, false);
  });

  // ---- keys: arrows, Home, End; not while one types or chooses ----
  const keys = { ArrowLeft: 'back', ArrowRight: 'next', Home: 'first', End: 'last' };
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      const tool = document.querySelector('.tools details[open]');
      if (tool) fold(tool, document.activeElement === document.body || tool.contains(document.activeElement)); else document.querySelector('a.leave')?.click();
    }
    const id = keys[event.key];
    if (!id || !title() || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest('input:not([type="checkbox"]), select, textarea, .scroll, [contenteditable]')) return;
    event.preventDefault();
    const control = $(id);
    if (control?.hasAttribute('hx-get')) control.click(); // keys go from step to step, never out of the lesson
  });

  // ---- auto-play ----
  let timer = 0;
  const stop = () => { clearInterval(timer); timer = 0; dress(); };
  const go = () => {
    const next = $('next');
    if (!next || next.hasAttribute('aria-disabled')) stop(); else next.click();
  };
  const start = () => { clearInterval(timer); timer = setInterval(go, 1000 * Number($('speed').value)); dress(); };
  const dress = () => {
    const play = $('play');
    if (!play) return;
    play.closest('.autoplay').hidden = false;
    play.textContent = timer ? 'Pause' : 'Play';
    play.setAttribute('aria-pressed', String(Boolean(timer)));
  };
  document.addEventListener('click', (event) => {
    if (event.target.id === 'play') timer ? stop() : start();
    if (event.target.closest('[aria-disabled]')) event.preventDefault();
  });
  document.addEventListener('change', (event) => { if (event.target.id === 'speed' && timer) start(); });
  document.addEventListener('visibilitychange', () => { if (document.hidden && timer) stop(); });

  // ---- the same number lights up wherever it stands ----
  const light = (name) => {
    for (const lit of document.querySelectorAll('.lit')) lit.classList.remove('lit');
    if (name) for (const same of document.querySelectorAll(`[data-q="${CSS.escape(name)}"]`)) same.classList.add('lit');
  };
  // On paper nothing is folded. The style sheet says so too; older browsers do not know how.
  addEventListener('beforeprint', () => { for (const part of document.querySelectorAll(':is(.layer, .more details):not([open])')) { part.open = true; part.dataset.folded = ''; } });
  addEventListener('afterprint', () => { for (const part of document.querySelectorAll('details[data-folded]')) { part.open = false; delete part.dataset.folded; } });
  for (const arrives of ['pointerover', 'focusin']) document.addEventListener(arrives, (event) => light(event.target.closest?.('[data-q]')?.dataset.q));

  // ---- copy: an exported file (data-from is its address, its form has the choices), or what stands in a field (data-of is its id) ----
  for (const button of document.querySelectorAll('button.copy')) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const field = $(button.dataset.of);
    button.addEventListener('click', async () => {
      const said = button.parentElement.querySelector('.copied');
      try {
        const answer = field || await fetch(`${button.dataset.from}?${new URLSearchParams(new FormData(button.form))}`);
        if (!field && !answer.ok) throw new Error(String(answer.status));
        await navigator.clipboard.writeText(field ? field.value : await answer.text());
        said.textContent = 'Copied.';
      } catch {
        field?.select();
        said.textContent = field ? 'Copying did not work here; the text is selected, so press Ctrl+C.' : 'Copying did not work here; the download has the same text.';
      }
    });
  }

  // ---- where one left off, kept in this browser only ----
  const remember = () => {
    const here = title();
    if (!here || here.closest('.framed')) return; // a frame on a course page is not where one works
    try {
      localStorage.setItem(`step:${here.dataset.lesson}`, JSON.stringify({ to: location.pathname + location.search, n: here.dataset.n, of: here.dataset.total }));
    } catch { /* storage may be switched off; then nothing is remembered */ }
  };
  const recall = () => {
    for (const card of document.querySelectorAll('.card[data-lesson]')) {
      try {
        const left = JSON.parse(localStorage.getItem(`step:${card.dataset.lesson}`));
        if (!left || !left.to.startsWith(`/lessons/${card.dataset.lesson}/steps/`)) continue;
        const link = document.createElement('a');
        link.href = left.to;
        link.textContent = `Continue at step ${left.n} of ${left.of}`;
        const line = card.querySelector('.resume');
        line.replaceChildren(link);
        line.hidden = false;
      } catch { /* nothing to recall */ }
    }
  };

  // ---- the outline stands outside the step: move its mark ----
  const mark = () => {
    const n = Number(title()?.dataset.n);
    if (!n) return;
    let current = null;
    for (const link of document.querySelectorAll('#outline a[data-n]')) {
      link.removeAttribute('aria-current');
      if (Number(link.dataset.n) <= n && (!current || Number(link.dataset.n) >= Number(current.dataset.n))) current = link;
    }
    current?.setAttribute('aria-current', 'step');
  };
  // ---- what one has opened below a formula is open at the next step too, even where a step between has no such part ----
  const opened = new Set();
  document.addEventListener('toggle', ({ target }) => {
    if (target.matches?.('.more > details')) opened[target.open ? 'add' : 'delete'](target.id);
  }, true);
  const reopen = () => { for (const id of opened) if ($(id)) $(id).open = true; };

  // ---- on a phone diagram and tables scroll in their boxes: bring what the step makes into the middle ----
  const centre = () => {
    for (const box of document.querySelectorAll('#step :is(figure.network, .tables .scroll)')) {
      const made = box.querySelector('.makes');
      if (!made || box.scrollWidth <= box.clientWidth) continue;
      const here = made.getBoundingClientRect();
      box.scrollLeft += here.left + here.width / 2 - box.getBoundingClientRect().left - box.clientWidth / 2;
    }
  };

  const settle = () => { dress(); mark(); reopen(); centre(); remember(); };
  document.addEventListener('htmx:after:swap', settle);
  document.addEventListener('htmx:after:history:push', remember);
  settle();
  recall();
  addEventListener('pageshow', (event) => { if (event.persisted) recall(); });
})();
