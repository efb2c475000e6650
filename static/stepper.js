// Steps through a worked solution, offline. Without this script the whole solution is there to read.
'use strict';
(() => {
  const steps = [...document.querySelectorAll('.step')];
  const bar = document.querySelector('.stepper');
  if (!steps.length || !bar) return;
  const [back, all, next] = bar.querySelectorAll('button');
  const count = bar.querySelector('.count');
  const said = document.querySelector('[role="status"]');
  const captions = new Map([...document.querySelectorAll('.end .net desc')].map((about) => [about, about.textContent]));
  const made = new Map();
  steps.forEach((step, n) => { for (const q of (step.dataset.makes || '').split(' ')) if (q && !made.has(q)) made.set(q, n); });
  let now = -1;

  const number = (step) => Number(step.id.slice('step-'.length));
  const within = (n) => (range) => { const [first, last = first] = range.split('-').map(Number); return first <= n && n <= last; };
  const picture = (phase, n, title) => {
    for (const part of phase.querySelectorAll('.net[data-at], .net [data-at]')) part.toggleAttribute('data-on', part.dataset.at.split(' ').some(within(n)));
    for (const about of phase.querySelectorAll('.net desc')) about.textContent = title ?? captions.get(about);
  };
  const draw = (phase) => {
    const step = steps[now];
    const uses = new Set((step.dataset.uses || '').split(' '));
    const makes = new Set((step.dataset.makes || '').split(' '));
    for (const cell of phase.querySelectorAll('.end td[data-q]')) {
      const q = cell.dataset.q;
      cell.classList.toggle('later', (made.get(q) ?? -1) > now);
      cell.classList.toggle('uses', uses.has(q));
      cell.classList.toggle('makes', makes.has(q));
    }
    picture(phase, number(step), step.querySelector('h3').lastChild.textContent);
  };
  // After its last step a phase is shown as without this script: everything known, nothing marked.
  const after = (phase) => {
    for (const cell of phase.querySelectorAll('.end td[data-q]')) cell.classList.remove('later', 'uses', 'makes');
    picture(phase, number([...phase.querySelectorAll('.step')].at(-1)) + 1);
  };
  const show = (n, focus) => {
    now = Math.max(0, Math.min(steps.length - 1, n));
    document.body.classList.add('stepping');
    document.body.classList.remove('all');
    for (const old of document.querySelectorAll('.now')) old.classList.remove('now');
    const step = steps[now];
    const phase = step.closest('.phase');
    step.classList.add('now');
    phase.classList.add('now');
    draw(phase);
    count.textContent = `${now + 1} / ${steps.length}`;
    said.textContent = `Step ${now + 1} of ${steps.length}: ${step.querySelector('h3').textContent}`;
    back.setAttribute('aria-disabled', String(now === 0));
    next.setAttribute('aria-disabled', String(now === steps.length - 1));
    all.textContent = 'Show all';
    if (focus) scrollTo(0, 0);
  };
  const whole = () => {
    document.body.classList.remove('stepping');
    document.body.classList.add('all');
    document.querySelectorAll('.phase').forEach(after);
    all.textContent = 'Step by step';
    steps[Math.max(now, 0)].scrollIntoView();
  };
  const go = (n) => { if (n >= 0 && n < steps.length) show(n, true); };
  back.addEventListener('click', () => go(now - 1));
  next.addEventListener('click', () => go(now + 1));
  all.addEventListener('click', () => { if (document.body.classList.contains('stepping')) whole(); else show(now, true); });
  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest('.scroll')) return;
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: steps.length - 1 }[event.key];
    if (to === undefined || !document.body.classList.contains('stepping')) return;
    event.preventDefault();
    go(to);
  });
  const jump = () => {
    const n = steps.findIndex((step) => `#${step.id}` === location.hash);
    if (n >= 0) show(n, true);
  };
  addEventListener('hashchange', jump);
  addEventListener('beforeprint', () => document.querySelectorAll('.phase').forEach(after));
  addEventListener('afterprint', () => { if (document.body.classList.contains('stepping')) draw(steps[now].closest('.phase')); });
  bar.hidden = false;
  show(0, false);
  jump();
})();
