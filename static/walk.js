// Keys, auto-play, where one left off, linked highlights, and movement. Everything works without this file; it only saves clicks.
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
  // While one version takes the place of another, either may answer: a part of one does not fit into a page of the other.
  const version = document.querySelector('meta[name="tutor-version"]')?.content;
  document.addEventListener('htmx:before:response', (event) => {
    const ctx = event.detail.ctx;
    const made = ctx?.response?.headers?.get('Tutor-Version');
    if (event.defaultPrevented || !version || !made || made === version) return;
    event.preventDefault();
    const link = ctx.sourceElement?.closest('a[href]');
    if (link) location.assign(link.href); else location.reload();
  });
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
    if (event.target.closest('input:not([type="checkbox"]), select, textarea, .scroll, .entered, #ask, [contenteditable]')) return;
    event.preventDefault();
    const control = $(id);
    if (control?.hasAttribute('aria-keyshortcuts')) control.click(); // keys go from step to step, never out of the lesson
  });

  // ---- auto-play ----
  let timer = 0;
  const stop = () => { clearInterval(timer); timer = 0; dress(); };
  const go = () => {
    const next = $('next');
    if (!next || next.hasAttribute('aria-disabled')) return stop();
    if (!window.htmx) carry(true); // the next page is another document, which goes on playing
    next.click();
  };
  const start = () => { clearInterval(timer); timer = setInterval(go, 1000 * Number($('speed').value)); dress(); };
  const carry = (on) => {
    try {
      const speed = sessionStorage.getItem('play');
      sessionStorage.removeItem('play');
      if (on) sessionStorage.setItem('play', $('speed').value);
      return on ? null : speed;
    } catch { return null; /* storage may be switched off; then it plays one step */ }
  };
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

  // ---- the same number lights up wherever it stands; in a formula or table that has the focus the arrow keys go from one to the next ----
  const light = (name) => {
    for (const lit of document.querySelectorAll('.lit')) lit.classList.remove('lit');
    if (name) for (const same of document.querySelectorAll(`[data-q="${CSS.escape(name)}"]`)) same.classList.add('lit');
  };
  const named = (target) => { // a number, a link that asks about it, the heading of its answer
    const { q, ask, name } = target.closest?.('[data-q], [data-ask], article.quantity')?.dataset ?? {};
    return q ?? ask ?? (target.id === 'asked' ? name : '');
  };
  document.addEventListener('pointerover', (event) => light(named(event.target)));
  document.addEventListener('focusin', ({ target }) => {
    if (named(target) || !target.querySelector('.lit')) light(named(target)); // a tap on a number gives the focus to the box around it
  });
  document.addEventListener('asked', ({ detail }) => light(detail));
  document.addEventListener('keydown', (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const box = event.target.closest?.('#step .scroll, article.quantity .scroll, figure.entered');
    if (!way || !box || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const numbers = [...box.querySelectorAll('[data-q]')].filter((number) => number.checkVisibility());
    if (!numbers.length) return;
    event.preventDefault();
    const at = numbers.indexOf(event.target.closest('[data-q]'));
    const next = numbers.at(at < 0 && way < 0 ? -1 : (at + way) % numbers.length);
    next.setAttribute('tabindex', '-1'); // it takes the focus, but is no stop of the Tab key
    next.addEventListener('blur', () => next.removeAttribute('tabindex'), { once: true });
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  });
  // On paper nothing is folded. The style sheet says so too; older browsers do not know how.
  addEventListener('beforeprint', () => { for (const part of document.querySelectorAll(':is(.layer, .more details):not([open])')) { part.open = true; part.dataset.folded = ''; } });
  addEventListener('afterprint', () => { for (const part of document.querySelectorAll('details[data-folded]')) { part.open = false; delete part.dataset.folded; } });

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
        const home = new URL(card.querySelector('a').href).pathname.replace(/\.html$/, ''); // .html: pages kept as files
        if (!left || !left.to.startsWith(`${home}/steps/`)) continue;
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
      if (!made || (box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight)) continue;
      const [here, around] = [made.getBoundingClientRect(), box.getBoundingClientRect()];
      box.scrollBy(here.left + here.width / 2 - around.left - box.clientWidth / 2, here.top + here.height / 2 - around.top - box.clientHeight / 2);
    }
  };

  // ---- movement that explains: operands travel into the formula, its result to its place; through a whole phase runs a wave ----
  // Only to the next step, and not for those who skim. Copies travel above the page, so nothing is laid out anew.
  const [TRAVEL, MOST, SKIMMING] = [230, 8, 600]; // ms of each of the two ways; how many numbers travel; ms between steps
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let [running, stage, frame, before, swapped] = [[], null, 0, Number(title()?.dataset.n), -SKIMMING];
  const still = () => {
    cancelAnimationFrame(frame);
    for (const one of running) one.cancel();
    running = [];
    stage?.remove();
  };
  const animate = (element, frames, timing) => {
    const one = element.animate(frames, { fill: 'backwards', ...timing });
    one.finished.catch(() => {}); // called off
    running.push(one);
  };
  const faint = (element, timing) => animate(element, [{ opacity: 0.3 }, { opacity: 0.3, offset: 0.8 }, { opacity: 1 }], timing);
  const inSight = (element) => {
    const box = element.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    if (!box.width) return null;
    for (let part = element; part; part = part.parentElement.closest('figure, .scroll, .tables, body')) {
      const cut = part.getBoundingClientRect();
      if (x < Math.max(cut.left, 0) || x > Math.min(cut.right, innerWidth) || y < Math.max(cut.top, 0) || y > Math.min(cut.bottom, innerHeight)) return null;
    }
    return { x, y, height: box.height };
  };
  const inPicture = (name, mark = '') => {
    for (const place of document.querySelectorAll(`#step .picture :is(svg text, td)${mark}[data-q="${CSS.escape(name)}"]`)) {
      const at = inSight(place);
      if (at) return at;
    }
    return null;
  };
  const travel = ({ number, from, to, delay, height, style: { color, fontSize } }) => {
    const copy = document.createElement('span');
    copy.textContent = number.textContent;
    Object.assign(copy.style, { color, fontSize });
    stage.append(copy);
    const at = (place) => `translate(${place.x}px, ${place.y}px) translate(-50%, -50%) scale(${Math.min(1.2, Math.max(0.7, place.height / height))})`;
    animate(copy, [
      { transform: at(from), opacity: 0 }, { transform: at(from), opacity: 1, offset: 0.1 }, { transform: at(to), opacity: 1, offset: 0.9 }, { transform: at(to), opacity: 0 },
    ], { duration: TRAVEL, delay, easing: 'ease-in-out', fill: 'both' });
  };
  const numbersOf = (line) => {
    const found = new Map();
    for (const number of document.querySelectorAll(`#step .board > .formula ${line} [data-q]`)) if (!found.has(number.dataset.q)) found.set(number.dataset.q, number);
    return [...found].map(([name, number]) => ({ name, number, here: inSight(number), style: getComputedStyle(number) }));
  };
  const explain = () => {
    const [operands, results] = [numbersOf('.numbers'), numbersOf('.result')];
    const ways = operands.length + results.length > MOST ? [] : [
      ...operands.map((one) => ({ ...one, from: inPicture(one.name), to: one.here, delay: 0 })),
      ...results.map((one) => ({ ...one, from: one.here, to: inPicture(one.name, '.makes'), delay: TRAVEL })),
    ].filter(({ from, to }) => from && to);
    for (const way of ways) travel({ ...way, height: way.here.height });
    for (const { number, delay } of ways) if (!delay) faint(number, { duration: TRAVEL });
    for (const mark of document.querySelectorAll('#step .picture .makes')) faint(mark, { duration: 2 * TRAVEL });
  };
  // The diagram says itself which way things flow; where nothing flows, all comes at once.
  const wave = () => {
    const net = document.querySelector('#step svg.net');
    const flow = net.querySelector('.flow')?.textContent ?? '';
    const { left, width } = net.getBoundingClientRect();
    const parts = [...net.querySelectorAll('.makes, path.uses')].map((part) => {
      const box = part.getBoundingClientRect();
      const along = (box.left + box.width / 2 - left) / width;
      return [part, flow.includes('→') ? along : flow.includes('←') ? 1 - along : 0];
    });
    for (const [part, along] of parts) faint(part, { duration: TRAVEL, delay: 1.1 * TRAVEL * along });
  };
  const move = () => {
    const [n, now] = [Number(title()?.dataset.n), performance.now()];
    const onward = n === before + 1 && now - swapped > SKIMMING;
    if (n !== before) swapped = now;
    before = n;
    if (!onward || calm.matches || document.hidden) return;
    frame = requestAnimationFrame(() => { frame = requestAnimationFrame(begin); }); // the step is painted first
  };
  const begin = () => {
    stage = document.createElement('div');
    stage.className = 'motion';
    stage.setAttribute('aria-hidden', 'true');
    if (document.querySelector('#step .grain-pass')) wave(); else explain();
    if (stage.firstChild) document.body.append(stage);
    const mine = running;
    Promise.all(mine.map((one) => one.finished)).then(() => { if (running === mine) still(); }, () => {});
  };
  document.addEventListener('htmx:before:swap', (event) => {
    if (event.defaultPrevented) return;
    still();
    // Another formula comes and other words: these do not turn into them.
    for (const old of document.querySelectorAll('#step .board > :is(.formula, .why, .reason, .term, .source, .layer, .chain, .was, .stop, .way, .health, .more):not(:focus-within)')) old.remove();
  });
  calm.addEventListener('change', still);
  addEventListener('beforeprint', still);

  const settle = () => { dress(); mark(); reopen(); centre(); move(); remember(); };
  document.addEventListener('htmx:after:swap', settle);
  document.addEventListener('htmx:after:history:push', remember);
  const speed = $('play') && carry(false);
  if (speed) {
    $('speed').value = speed;
    start();
  }
  settle();
  recall();
  addEventListener('pageshow', (event) => { if (event.persisted) recall(); });
})();
