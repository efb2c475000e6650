// The saved lessons that this browser has opened, newest first. The list stays in the browser: nothing of it is sent.
'use strict';
(() => {
  const KEY = 'saved-lessons', MOST = 30, ID = /^saved-[a-z2-7]{20}$/;
  const read = () => {
    const list = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(list) ? list.filter((entry) => ID.test(entry?.id)).slice(0, MOST) : [];
  };
  const write = (list) => localStorage.setItem(KEY, JSON.stringify(list.slice(0, MOST)));

  const note = () => {
    const page = document.querySelector('[data-saved]')?.dataset;
    const step = document.querySelector('#title[data-lesson]');
    const id = page?.saved ?? step?.dataset.lesson;
    if (!ID.test(id)) return;
    write([{ id, title: String(page?.title ?? document.querySelector('.crumb').textContent.trim()).slice(0, 200) }, ...read().filter((entry) => entry.id !== id)]);
  };

  const line = ({ id, title }) => {
    const item = document.createElement('li'), link = document.createElement('a'), forget = document.createElement('button');
    link.href = `/lessons/${id}`;
    link.textContent = title || id;
    forget.type = 'button';
    forget.textContent = 'Forget';
    forget.setAttribute('aria-label', `Forget ${link.textContent}`);
    forget.addEventListener('click', () => {
      const near = item.nextElementSibling ?? item.previousElementSibling;
      try { write(read().filter((entry) => entry.id !== id)); } catch { /* then it is not forgotten for long */ }
      (near?.querySelector('button') ?? document.querySelector('main')).focus();
      document.getElementById('said').textContent = `${link.textContent} is no longer listed.`;
      item.remove();
      document.getElementById('shelf').hidden = !near;
    });
    item.append(link, ' ', forget);
    return item;
  };

  const show = () => {
    const shelf = document.getElementById('shelf');
    if (!shelf) return;
    const list = read();
    shelf.querySelector('ul').replaceChildren(...list.map(line));
    shelf.hidden = !list.length;
  };

  const settle = () => { try { note(); show(); } catch { /* storage is off or spoilt; then nothing is listed */ } };
  settle();
  addEventListener('pageshow', (event) => { if (event.persisted) settle(); });
})();
