// Tables under the arrow keys, paste from a spreadsheet, live preview. All works without this file: Tab goes from cell to cell,
// the text fields take pasted rows, and Check does what the preview does.
'use strict';
(() => {
  const form = document.getElementById('build');
  if (!form) return;
  const say = (text) => { document.getElementById('said').textContent = text; };

  // ---- cells: every table of numbers counts its rows and columns from 0 ----
  const cellOf = (event) => event.target.closest?.('[data-grid] input[data-row]');
  const at = (cell, row, col) => cell.closest('[data-grid]').querySelector(`input[data-row="${row}"][data-col="${col}"]`);
  const place = (cell) => [Number(cell.dataset.row), Number(cell.dataset.col)];
  const enter = (cell) => { cell.focus(); cell.select(); }; // selected, so that typing writes over it, as in a spreadsheet

  // Left and Right belong to the text until its end; a text that is selected as a whole has no inside to move in.
  const atEdge = (cell, edge) => {
    const { selectionStart: start, selectionEnd: end, value } = cell;
    return end - start === value.length || (start === end && start === (edge < 0 ? 0 : value.length));
  };
  const target = (cell, event) => {
    const [row, col] = place(cell);
    const inputs = [...cell.closest('[data-grid]').querySelectorAll('input[data-row]')];
    if (event.ctrlKey) return { Home: inputs[0], End: inputs.at(-1) }[event.key];
    switch (event.key) {
      case 'ArrowUp': return at(cell, row - 1, col);
      case 'ArrowDown': case 'Enter': return at(cell, row + 1, col);
      case 'ArrowLeft': return atEdge(cell, -1) && at(cell, row, col - 1);
      case 'ArrowRight': return atEdge(cell, 1) && at(cell, row, col + 1);
      default: return null;
    }
  };
  form.addEventListener('keydown', (event) => {
    const cell = cellOf(event);
    if (!cell || event.isComposing || event.altKey || event.shiftKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') { if (takeBack(cell)) event.preventDefault(); return; }
    if (event.metaKey) return;
    const next = target(cell, event);
    if (next || event.key === 'Enter') event.preventDefault(); // Enter must never send the form from a table
    if (next) enter(next);
  });

  // Enter in a number of inputs, units or samples updates the tables, and leads back to its place.
  form.addEventListener('keydown', (event) => {
    const field = event.target;
    if (event.key !== 'Enter' || event.isComposing || !/^(inputs|samples|units\[\d+\])$/.test(field.name ?? '')) return;
    const button = field.closest('section').querySelector('button[value="resize"]');
    if (!button) return;
    event.preventDefault();
    button.formAction = `/build#${field.closest('fieldset, section').id}`;
    form.requestSubmit(button);
  });

  // ---- paste: rows of a spreadsheet, of a CSV file, or of a matrix as YAML and Python write it ----
  const rowsOf = (text) => {
    const lines = text.includes('[') ? [...text.matchAll(/\[([^[\]]*)\]/g)].map((row) => row[1]) : text.replace(/\n$/, '').split('\n');
    // In "0,5;1,5" and "0,5 1,5" the comma is decimal; a lone "0,5" is one number too.
    const spaced = /[^,\s][^\S\n]+[^,\s]/.test(text);
    const mark = ['\t', ';'].find((sign) => text.includes(sign)) ?? (text.includes(',') && !spaced ? ',' : /,?\s+/);
    if (mark === ',' && /^\s*[-+−]?\d+,\d+\s*$/.test(text)) return [[text.trim()]];
    return lines.map((line) => (mark === '\t' ? line : line.trim()).split(mark).map((part) => part.trim().replace(/^"(.*)"$/, '$1').trim()));
  };
  const number = /^[-+−]?[.,]?\d/;
  const isHeader = ([first, second]) => first.some(Boolean) && !first.some((part) => number.test(part)) && Boolean(second?.some((part) => number.test(part)));
  let pasted = []; // [cell, value before, value after] of the last paste
  const changed = (cell) => cell.dispatchEvent(new Event('input', { bubbles: true }));
  const cells = (count) => `${count} cell${count === 1 ? '' : 's'}`;
  const tell = (cell, text) => { // seen below the table, and spoken
    form.querySelector('.told')?.remove();
    const note = Object.assign(document.createElement('p'), { className: 'notice told', textContent: text });
    cell.closest('.scroll').after(note);
    say(text);
  };
  form.addEventListener('paste', (event) => {
    const first = cellOf(event);
    const rows = first && rowsOf(event.clipboardData.getData('text/plain').replace(/\r\n?/g, '\n'));
    if (!rows || (rows.length === 1 && rows[0].length === 1)) return; // one number: the field's own paste
    event.preventDefault();
    const [top, left] = place(first);
    const header = isHeader(rows);
    if (header) rows.shift();
    let out = 0;
    pasted = [];
    rows.forEach((row, i) => row.forEach((value, j) => {
      const cell = at(first, top + i, left + j);
      if (!cell) { out += 1; return; }
      pasted.push([cell, cell.value, value]);
      cell.value = value;
    }));
    changed(first);
    const why = header ? 'The first line has no numbers, so it was skipped. ' : '';
    const lost = out ? `${cells(out)} did not fit and ${out === 1 ? 'was' : 'were'} left out. ` : '';
    const way = out && first.closest('#samples-part') ? '“Paste samples” below takes any number of rows. ' : '';
    tell(first, `${why}Filled ${cells(pasted.length)}. ${lost}${way}Ctrl+Z undoes it.`);
  });
  const takeBack = (cell) => {
    if (!pasted.length || pasted.some(([input, , after]) => input.value !== after || !input.isConnected)) return false;
    for (const [input, before] of pasted) input.value = before;
    tell(cell, `${cells(pasted.length)} restored.`);
    pasted = [];
    changed(cell);
    return true;
  };

  // ---- live: preview and problems follow 400 ms after the last key; the fields themselves are never swapped ----
  let timer = 0;
  let asked = null;
  const fieldOf = (message) => document.getElementById(message.id.slice('problem-'.length));
  const mark = (field, id) => {
    if (!field?.matches('input, select, textarea')) return;
    for (const [name, value] of [['aria-invalid', 'true'], ['aria-describedby', id]]) {
      if (id) field.setAttribute(name, value); else field.removeAttribute(name);
    }
  };
  const show = (page) => {
    const [live, found] = [document.getElementById('live'), page.getElementById('live')];
    if (live && found) live.replaceChildren(...found.childNodes);
    for (const old of form.querySelectorAll('.problem')) { mark(fieldOf(old), ''); old.remove(); }
    for (const message of page.querySelectorAll('body > .problem')) {
      const field = fieldOf(message);
      if (!field || !form.contains(field)) continue;
      mark(field, message.id);
      (field.matches('section') ? field.firstElementChild : field).after(message);
    }
  };
  const ask = async () => {
    asked?.abort(); // an older answer must not land on a newer one
    const mine = asked = new AbortController();
    const body = new URLSearchParams(new FormData(form)); // a third of the size that its parts would have
    body.set('do', 'live');
    try {
      const answer = await fetch(form.action, { method: 'POST', body, headers: { 'HX-Request': 'true' }, signal: mine.signal });
      const text = await answer.text();
      if (mine === asked && (answer.ok || answer.status === 422)) show(new DOMParser().parseFromString(text, 'text/html'));
    } catch { /* offline or overtaken: Check asks again */ }
  };
  for (const name of ['input', 'change']) {
    form.addEventListener(name, () => { clearTimeout(timer); timer = setTimeout(ask, 400); });
  }

  // ---- the way back: the browser puts in again what was typed, and the preview follows ----
  // A field that is off would come back empty, so cells are off only as long as one types in them.
  const suggest = (word) => { for (const cell of form.querySelectorAll('[data-grid] input')) cell.autocomplete = word; };
  const differs = (field) => (field.matches('select') ? !field.selectedOptions[0]?.defaultSelected : field.value !== field.defaultValue);
  addEventListener('pagehide', () => suggest('on'));
  addEventListener('pageshow', () => {
    suggest('off');
    if ([...form.querySelectorAll('input, textarea, select')].some(differs)) ask();
  });
})();
