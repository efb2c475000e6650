// Ask any number: it opens beside the step, or below it on a phone; every number in the answer opens in turn. On a page of its
// own the numbers lead from page to page. Without this file the links do the same.
'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const NUMBERS = '#step .desk:has(#ask-here) [data-q], article[data-base] [data-q]';
  const NEAR = 10; // so far beside a small number of the diagram a finger may be
  const phone = matchMedia('(max-width: 61.99rem)');
  const answer = () => $('ask')?.querySelector('.answers');
  const asked = () => document.querySelector('article.quantity');
  const open = () => Boolean($('ask') && !$('ask').hidden);
  let from = null; // what was asked first: its name, its element, and whether it was gone to by keys inside the diagram
  let request = null;
  let drawn = null; // the step's own diagram, while that of the answer stands in its place

  const address = (name) => {
    const own = document.querySelector('article[data-base]')?.dataset;
    if (own) return `${own.base}/${encodeURIComponent(name)}${own.query && '?'}${own.query}`;
    const list = $('ask-here')?.href; // a list of numbers has links; what cannot be asked about has none
    return list ? list.replace('?', `/${encodeURIComponent(name)}?`) : '';
  };

  // ---- open, go on, close ----
  const ask = async (href, back = '') => {
    if (!href) return;
    if (!$('ask')) { location.href = href; return; }
    request?.abort();
    const mine = request = new AbortController();
    let text;
    try {
      text = await (await fetch(href, { headers: { 'HX-Request': 'true' }, signal: mine.signal })).text();
    } catch {
      if (!mine.signal.aborted) location.href = href;
      return;
    }
    if (mine === request) show(text, back);
  };
  const show = (text, back) => {
    restore();
    const [stays, seen] = [back.startsWith('#'), $('ask').scrollTop];
    answer().innerHTML = text;
    $('ask').hidden = false;
    $('ask').scrollTop = stays ? seen : 0;
    window.htmx?.process(answer());
    document.dispatchEvent(new CustomEvent('asked', { detail: asked()?.dataset.name ?? '' }));
    const picture = document.querySelector('#step figure.network');
    const other = answer().querySelector('figure.network svg');
    if (picture && other && !phone.matches) {
      drawn = { picture, own: [...picture.childNodes] };
      picture.replaceChildren(other);
    }
    const link = stays ? $(back.slice(1)) : back && answer().querySelector(`a[data-ask="${CSS.escape(back)}"]:not([data-up])`);
    const heading = answer().querySelector('h1, h2');
    if (!$('editor')?.contains(document.activeElement)) (link || heading)?.focus({ preventScroll: !link || stays });
    if ($('said')) $('said').textContent = heading?.textContent ?? '';
  };
  const restore = () => {
    drawn?.picture.replaceChildren(...drawn.own);
    drawn = null;
  };
  const close = (focus) => {
    request?.abort();
    request = null;
    if (!open()) return;
    restore();
    answer().replaceChildren();
    $('ask').hidden = true;
    document.dispatchEvent(new CustomEvent('asked', { detail: '' }));
    if (focus) comeBack();
    from = null;
  };
  const comeBack = () => {
    if (!from) return;
    const { name, node, entered } = from;
    const there = node?.isConnected ? node : document.querySelector(`#step [data-q="${CSS.escape(name)}"]`);
    if (entered) there?.closest('figure')?.classList.add('entered');
    reach(there?.querySelector?.('button.given') ?? there);
  };
  const reach = (element) => { // a number takes the focus while it has it; it is no stop of the Tab key
    if (!element) return;
    if (!element.matches('a, button')) {
      element.setAttribute('tabindex', '-1');
      element.addEventListener('blur', () => element.removeAttribute('tabindex'), { once: true });
    }
    element.focus({ preventScroll: true });
  };
  const start = (node, name) => {
    if (node.closest('#ask')) return;
    from = { name, node, entered: Boolean(node.closest('.entered')) };
  };

  // ---- clicks: on a link of the answer, on a number; what-if.js opens those that can be changed and says so ----
  document.addEventListener('ask', (event) => {
    start(event.target, event.target.dataset.q);
    $('ask').hidden = false;
    ask(address(event.target.dataset.q));
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest?.('#ask .close')) return close(true);
    const link = event.target.closest?.('a');
    if (link?.matches('#ask a.from')) {
      event.preventDefault();
      return close(true);
    }
    if (link) {
      if (!link.matches('a.ask') || !$('ask')) return;
      event.preventDefault();
      const back = link.dataset.up ? asked()?.dataset.name : '';
      start(link, '');
      return ask(link.href, back);
    }
    const number = near(event) ?? event.target.closest?.(NUMBERS);
    if (number && number.dataset.q !== asked()?.dataset.name) {
      start(number, number.dataset.q);
      return ask(address(number.dataset.q));
    }
    if (!event.target.closest?.('#ask, .tools')) close(false); // also what is still on its way
  });
  document.addEventListener('submit', (event) => {
    if (!event.target.matches('#ask form.ask-form')) return;
    event.preventDefault();
    ask(`${event.target.action}?${new URLSearchParams(new FormData(event.target))}`, `#${document.activeElement.id}`);
  });
  document.addEventListener('change', ({ target }) => { if (target.matches('#ask :is(#nudge-at, #nudge-h)')) target.form.requestSubmit(); });
  const near = ({ target, clientX, clientY }) => {
    const marks = (clientX || clientY) && !target.closest?.('[data-q]') ? target.closest?.('#step .desk:has(#ask-here) svg.net')?.querySelectorAll('text[data-q]') ?? [] : [];
    const away = (mark) => {
      const box = mark.getBoundingClientRect();
      return Math.hypot(Math.max(box.left - clientX, 0, clientX - box.right), Math.max(box.top - clientY, 0, clientY - box.bottom));
    };
    return [...marks].map((mark) => [away(mark), mark]).filter(([far]) => far <= NEAR).sort(([a], [b]) => a - b)[0]?.[1];
  };

  // ---- keys: Enter asks the number that has the focus and goes into a formula, a table, the diagram; Escape comes back ----
  const BOXES = '#step .desk:has(#ask-here) :is(.scroll, figure.network), article[data-base] .scroll';
  const press = (element) => element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (key === 'Enter' && target.matches?.(NUMBERS)) {
      event.preventDefault();
      press(target);
    } else if (key === 'Enter' && target.matches?.(BOXES)) {
      const all = [...target.querySelectorAll('[data-q]')].filter((number) => number.checkVisibility());
      const first = all.find((number) => number.matches('.makes, .result *')) ?? all[0];
      if (!first) return;
      event.preventDefault();
      if (target.matches('figure')) target.classList.add('entered');
      reach(first);
    }
  });
  document.addEventListener('keydown', (event) => { // before a tool or the presentation closes
    if (event.key === 'Tab' && open() && $('ask').contains(event.target)) {
      const stops = [...$('ask').querySelectorAll('a[href], button, input, [tabindex="0"]')].filter((stop) => stop.checkVisibility());
      if (event.target !== stops.at(event.shiftKey ? 0 : -1)) return;
      event.preventDefault(); // behind its ends one comes back to the number
      return close(true);
    }
    if (event.key !== 'Escape') return;
    const inside = event.target.closest?.('#step [data-q]')?.closest('.scroll, figure.network');
    if (open()) close(true);
    else if (inside && !event.target.matches('button')) inside.focus();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  document.addEventListener('focusout', ({ target, relatedTarget }) => {
    const figure = target.closest?.('.entered');
    if (figure && !figure.contains(relatedTarget)) figure.classList.remove('entered');
  });
  document.addEventListener('htmx:before:swap', (event) => { if (!event.defaultPrevented) close(false); });
  document.addEventListener('leave', () => close(false));
})();
