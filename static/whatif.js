// What if: a click on a given number opens a small editor beside its answer (ask.js). Without this file the form below the step does the same.
// The answer to a change is the whole page of the same step; htmx takes its #walk, so that links and forms follow too.
'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const walk = () => $('walk');
  const OTHER = { eta: 'learning_rate', mu: 'momentum', rho: 'alpha' }; // numbers that the form calls by another name than the steps do
  const GIVEN = /^(?:(?:[xywb]|raw)\[|(?:eta|mu|rho|beta[12]|epsilon|weight_decay|every|factor|period|minimum|decay|l2(?:\[\d+\])?|clip)$)/;
  const later = () => Number(new URLSearchParams(location.search).get('iteration') || 1) > 1; // weights are then computed ones
  const names = () => $('what-if')?.dataset.given?.split(' '); // the values of a formula have names of their own
  const scaled = () => new URLSearchParams(location.search).get('scaling') === 'steps'; // inputs are then computed ones
  const given = (q) => (names() ? names().includes(q.split('[')[0]) : GIVEN.test(q) && !(later() && /^[wb]/.test(q)) && !(scaled() && q.startsWith('x')));
  const field = (number) => { // @2 is the second sample of a batch; what is changed counts in the data set
    const q = number.replace(/^raw(?=\[)/, 'x'); // an input has one name, before scaling and after
    const numbers = $('what-if')?.dataset.samples?.split(' ');
    if (!numbers || !/^[xy]\[/.test(q)) return names() ? q : OTHER[q] ?? q;
    const [part, sample] = q.split('@');
    return `${part}@${numbers[(sample ?? 1) - 1]}`;
  };
  const spoken = (q) => { // as the form calls it
    const input = $(`if-${field(q)}`);
    return input?.getAttribute('aria-label') ?? input?.labels[0]?.textContent.trim() ?? field(q);
  };
  const address = () => location.pathname.replace(/\/change$/, '') + '/change' + location.search;
  const plain = (text) => text.trim().replaceAll('−', '-');

  // ---- the numbers that can be changed become buttons: one tab stop for each table, arrows inside it ----
  const button = (mark) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.className = 'given';
    const words = [...mark.childNodes].filter((node) => node.nodeName !== 'DEL');
    made.append(...words);
    made.setAttribute('aria-label', `${spoken(mark.dataset.q)}, ${made.textContent.trim()}, change`);
    mark.prepend(made);
    return made;
  };
  const seen = (mark) => mark.getClientRects().length > 0; // a row that the step leaves alone is folded away
  const stop = (table) => {
    const all = [...table.querySelectorAll('button.given')];
    const one = all.find((mark) => mark.tabIndex === 0 && seen(mark)) ?? all.find(seen) ?? all[0];
    for (const mark of all) mark.tabIndex = mark === one ? 0 : -1;
  };
  const dress = () => {
    if (!walk()) return;
    document.documentElement.classList.add('what-if');
    for (const table of document.querySelectorAll('#step .picture table')) {
      for (const cell of table.querySelectorAll('td[data-q]')) if (given(cell.dataset.q) && !cell.querySelector('button')) button(cell).tabIndex = -1;
      stop(table);
    }
    for (const mark of document.querySelectorAll('#step :is(mn, mrow, text)[data-q]')) mark.classList.toggle('can', given(mark.dataset.q));
    for (const word of document.querySelectorAll('#step svg.net text:not([data-q])')) {
      const layer = word.textContent.match(/^layer (\d+)/)?.[1];
      if (layer || word.textContent === 'loss') word.dataset.set = layer ? `activation[${layer}]` : 'loss';
    }
    const form = $('what-if');
    if (form) form.action = address();
    const share = $('share');
    const n = document.querySelector('#title')?.dataset.n;
    if (share && n) share.href = share.href.replace(/step=\d+/, `step=${n}`);
  };
  const arrows = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const move = (from, [down, right]) => {
    const cell = from.closest('td');
    let [row, column] = [cell.parentElement, cell.cellIndex];
    for (;;) {
      row = down < 0 ? row.previousElementSibling : down > 0 ? row.nextElementSibling : row;
      column += right;
      const next = row?.cells[column];
      if (!next) return;
      const found = next.querySelector('button.given');
      if (!found || !seen(found)) continue;
      for (const other of from.closest('table').querySelectorAll('button.given')) other.tabIndex = -1;
      found.tabIndex = 0;
      found.focus();
      return;
    }
  };

  // ---- the editor ----
  let editor = null; // the form, with where it was opened from
  const close = (back) => {
    if (!editor) return;
    const { mark } = editor;
    editor.remove();
    editor = null;
    document.dispatchEvent(new Event('leave'));
    if (back) focus(mark);
  };
  const value = (name, mark) => {
    const known = $(`if-${name}`);
    if (!known && name.startsWith('x[') && $('what-if')?.dataset.scaled) return ''; // the page has it scaled
    return known || !mark ? known?.defaultValue ?? '' : plain([...(mark.querySelector?.('button') ?? mark).childNodes].filter((node) => node.nodeName !== 'DEL').map((node) => node.textContent).join(''));
  };
  const line = (name, mark) => {
    const made = document.createElement('div');
    const label = document.createElement('label');
    const input = document.createElement('input');
    const was = $(`if-${name}`)?.dataset.was;
    made.className = 'number';
    const known = document.createElement('span');
    known.textContent = /\[/.test(name) ? name : name.replace('_', ' ');
    const symbol = $(`if-${name}`)?.labels[0]?.querySelector('math'); // as the lesson writes it
    if (symbol) known.className = 'source';
    label.append(...(symbol ? [symbol.cloneNode(true), ' '] : []), known);
    label.htmlFor = input.id = `edit-${name}`;
    input.name = name;
    input.value = input.defaultValue = value(name, mark);
    input.autocomplete = 'off';
    input.spellcheck = false;
    input.size = Math.min(Math.max(8, input.value.length), 24);
    input.setAttribute('aria-describedby', 'edit-problem');
    made.append(label, ' ', input);
    if (was) {
      const old = document.createElement('span');
      old.className = 'source';
      old.textContent = ` was ${was}`;
      made.append(old);
    }
    return made;
  };
  const open = (mark) => {
    if (editor) close(false);
    edit(mark.dataset.q, mark);
    mark.dispatchEvent(new Event('ask', { bubbles: true }));
    const input = $(`edit-${field(mark.dataset.q)}`);
    input.focus({ preventScroll: true });
    input.select();
  };
  const edit = (q, mark) => {
    const group = $(`if-${field(q)}`)?.dataset.group;
    const all = group ? [...document.querySelectorAll(`#what-if [data-group="${CSS.escape(group)}"]`)].map((input) => input.name) : [field(q)];
    editor = document.createElement('form');
    editor.id = 'editor';
    editor.mark = { q, tag: mark?.localName ?? 'td', node: mark };
    editor.setAttribute('aria-label', `Change ${spoken(q)}`);
    editor.append(...all.map((name) => line(name, mark)));
    const row = document.createElement('div');
    row.className = 'buttons';
    const set = document.createElement('button');
    set.textContent = 'Change';
    const cancel = document.createElement('button');
    cancel.type = 'button';
    cancel.className = 'plain';
    cancel.textContent = 'Cancel';
    cancel.addEventListener('click', () => close(true));
    row.append(set, ' ', cancel);
    const problem = document.createElement('p');
    problem.id = 'edit-problem';
    problem.className = 'problem';
    problem.setAttribute('role', 'alert');
    problem.hidden = true;
    editor.append(problem, row);
    editor.addEventListener('submit', send);
    $('ask').querySelector('.edit').replaceChildren(editor);
  };
  const send = (event) => {
    event.preventDefault();
    const inputs = [...event.target.querySelectorAll('input')];
    if (inputs.every((input) => input.value.trim() === input.defaultValue)) return close(true);
    if (editor.sent) return; // a second press while the answer is under way
    editor.sent = true;
    swap('POST', address(), event.target).finally(() => { if (editor) editor.sent = false; });
  };
  const swap = (method, to, source) =>
    window.htmx.ajax(method, to, { source, target: '#walk', select: '#walk', swap: 'outerMorph', push: 'true' });
  const focus = ({ q, tag, node }) => {
    const same = node?.isConnected && node.dataset.q === q ? node : null; // a morph may give a node to another number
    const cells = [...document.querySelectorAll(`#step [data-q="${CSS.escape(q)}"]`)];
    const there = same ?? cells.find((mark) => mark.localName === tag) ?? cells[0];
    const drawn = there?.localName === 'text'; // there the arrow keys go on from step to step
    const control = drawn ? null : there?.querySelector?.('button.given') ?? cells.map((mark) => mark.querySelector?.('button.given')).find(Boolean);
    if (control ?? !there) return (control ?? $('title'))?.focus({ preventScroll: true });
    there.setAttribute('tabindex', '-1'); // a number in a formula or in the diagram takes the focus this once
    there.addEventListener('blur', () => there.removeAttribute('tabindex'), { once: true });
    there.focus({ preventScroll: true });
  };

  document.addEventListener('htmx:after:request', (event) => {
    const { ctx } = event.detail;
    if (!editor || ctx.sourceElement !== editor) return;
    if (ctx.response.status < 400) return;
    event.preventDefault(); // what was typed stays; only the reason is new
    const page = new DOMParser().parseFromString(ctx.text, 'text/html');
    const reasons = [...page.querySelectorAll('#what-if .problem')].map((found) => found.textContent.trim());
    const problem = $('edit-problem');
    problem.textContent = reasons.join(' ') || page.querySelector('.error p:not(.where)')?.textContent || 'This number could not be changed.';
    problem.hidden = false;
    for (const input of editor.querySelectorAll('input')) {
      input.setAttribute('aria-invalid', 'true');
    }
    editor.querySelector('input').focus();
  });
  let held = false; // whether the focus is on something that the next step may not have
  document.addEventListener('htmx:before:swap', () => { held = Boolean(document.activeElement?.closest('#step')); });
  document.addEventListener('htmx:after:swap', (event) => {
    const { ctx } = event.detail;
    const whole = ctx?.select === '#walk';
    const restored = ctx?.request?.headers?.['HX-History-Restore-Request'];
    if (restored || (whole && ctx.response?.status < 400)) $('what-if')?.reset(); // typed texts give way to what the page says now
    dress();
    if (!whole) {
      if (held && document.activeElement === document.body) $('title')?.focus({ preventScroll: true });
      return close(false);
    }
    const mark = editor?.mark;
    close(false);
    const wrong = ctx.response?.status === 422 && document.querySelector('#what-if [aria-invalid], #what-if .problem');
    if (wrong) return wrong.focus();
    if (mark) focus(mark);
    else if (document.activeElement === document.body) $('title')?.focus({ preventScroll: true });
    const rows = [...document.querySelectorAll('.changed li')].length;
    const title = document.querySelector('#title');
    $('said').textContent = `${rows ? `${rows} ${rows === 1 ? 'change' : 'changes'}.` : 'Nothing is changed any more.'} ${title?.closest('.board').querySelector('.where').firstChild.textContent.trim()}: ${title?.textContent}`;
  });

  // ---- clicks and keys ----
  document.addEventListener('change', (event) => { if (event.target.id === 'whole') dress(); });
  document.addEventListener('click', (event) => {
    if (event.button || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !walk()) return;
    const back = event.target.closest?.('#walk a.reset');
    if (back) {
      event.preventDefault();
      return swap('GET', back.href, back);
    }
    const word = event.target.closest?.('#step [data-set]');
    const mark = near(event) ?? event.target.closest?.('#step [data-q]');
    if (word) return panel(word.dataset.set);
    if (mark && given(mark.dataset.q)) {
      event.preventDefault(); // ask.js need not look at it
      return open(mark);
    }
    if (editor && !event.target.closest?.('#ask, [data-q]')) close(false);
  });
  const near = ({ target, clientX, clientY }) => { // a number in the diagram is small: what is nearest to the finger is meant
    const marks = (clientX || clientY) && !target.closest?.('text[data-q]:not(.can)') ? [...(target.closest?.('#step svg.net')?.querySelectorAll('text.can') ?? [])] : [];
    const away = (mark) => {
      const box = mark.getBoundingClientRect();
      return Math.hypot(Math.max(box.left - clientX, 0, clientX - box.right), Math.max(box.top - clientY, 0, clientY - box.bottom));
    };
    return marks.map((mark) => [away(mark), mark]).filter(([far]) => far <= 10).sort(([a], [b]) => a - b)[0]?.[1];
  };
  const panel = (name) => {
    const box = $('whatif');
    if (!box) return;
    box.open = true;
    const control = (name && $(`if-${name}`)) || box.querySelector('summary');
    control.focus();
    control.scrollIntoView({ block: 'center' });
  };
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && editor) {
      event.preventDefault();
      event.stopImmediatePropagation();
      close(true);
    }
    if (event.key === 'Tab' && editor?.contains(event.target)) {
      if (event.shiftKey && event.target === editor.querySelector('input, button')) {
        event.preventDefault(); // the sheet stands at the end of the page; from it one comes back to the number
        close(true);
      }
    }
    const from = event.target.closest?.('td button.given');
    if (from && arrows[event.key] && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      move(from, arrows[event.key]);
    }
  }, true);
  document.addEventListener('focusout', (event) => {
    if (editor?.contains(event.target) && event.relatedTarget && !$('ask').contains(event.relatedTarget)) close(false);
  });
  document.addEventListener('asked', ({ detail: q }) => { // another number stands in the sheet, or none
    if (editor?.mark.q === q || editor?.sent) return; // under way, it is needed to come back to its number
    editor?.remove();
    editor = null;
    if (q && given(q)) edit(q, null);
  });
  dress();
})();
