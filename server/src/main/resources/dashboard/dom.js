// SPDX-License-Identifier: Apache-2.0
// What pages are made of. Everything a record holds goes into text nodes, never into markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false || value === null) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

/** Makes an element: h('p', {class: 'x', onclick: f}, child, …). */
export const h = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

/** Makes a part of a picture. */
export const svg = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

export const tag = (text, kind = text) => h('span', { class: `tag ${kind}` }, text);
export const when = (iso) => h('time', { datetime: iso, title: iso }, new Date(iso).toLocaleString());
export const looksAlike = (value) => value.authorMixesAlphabets && tag('mixes alphabets', 'rejected');
export const part = encodeURIComponent;
export const recordLink = (type, id) => h('a', { href: `#/record/${part(type)}/${part(id)}` }, `${type}/${id}`);

export function ago(iso) {
  const minutes = Math.round((Date.now() - new Date(iso)) / 60000);
  const text = (m) => (m < 1 ? 'less than a minute' : m < 90 ? `${m} min` : m < 2880 ? `${Math.round(m / 60)} h` : `${Math.round(m / 1440)} days`);
  return minutes >= 0 ? `${text(minutes)} ago` : `in ${text(-minutes)}`;
}

/** A labelled field of a form. */
export const field = (label, control) => h('label', { class: 'field' }, h('span', {}, label), control);

/** What an address asks for, of these names. */
export const asked = (query, names) => Object.fromEntries(names.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));

/** A form that searches as soon as one chooses, and hands on what was filled in. */
export function search(label, go, ...fields) {
  const form = h('form', { class: 'filters', 'aria-label': label }, fields);
  const send = (event) => {
    event.preventDefault();
    go(Object.fromEntries([...new FormData(form)].filter(([, value]) => value)));
  };
  form.addEventListener('submit', send);
  form.addEventListener('change', (event) => event.target.matches('select') && send(event));
  return form;
}

/** An alert, with what to do. */
export function alertCard(alert) {
  return h('li', { class: `card alert ${alert.severity}` },
    h('div', { class: 'row' }, h('strong', {}, alert.rule), tag(alert.severity, alert.severity === 'critical' ? 'critical' : 'pending')),
    h('p', {}, alert.summary),
    h('p', { class: 'muted small' }, `since ${new Date(alert.since).toLocaleString()} · `, h('code', {}, alert.action)));
}

/** A list to choose from; a choice is a text, or a pair of value and text. */
export function select(name, choices, chosen) {
  return h('select', { name }, choices.map((choice) => {
    const [value, text] = Array.isArray(choice) ? choice : [choice, choice];
    return h('option', { value, selected: value === (chosen ?? '') }, text);
  }));
}

/** A table that scrolls sideways where there is no room. */
export function table(caption, heads, rows) {
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    h('table', {}, h('caption', {}, caption),
      h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col' }, head || h('span', { class: 'unseen' }, 'actions'))))),
      h('tbody', {}, rows)));
}

/** A button that does something once, says what went wrong, and can be pressed again. */
export function action(app, text, run, attributes = {}) {
  const button = h('button', { type: 'button', ...attributes }, text);
  button.addEventListener('click', async () => {
    button.disabled = true;
    try { await run(); } catch (problem) { app.notice(problem.message); }
    button.disabled = false;
  });
  return button;
}

const WIDTH = 480, HEIGHT = 96;

/** Bars, one a minute; the picture says in words what it shows. */
export function minutes(title, values, kind, unit = '') {
  const most = Math.max(1, ...values), sum = values.reduce((a, b) => a + b, 0), step = WIDTH / values.length;
  const peak = Math.max(0, ...values), say = (value) => `${value}${unit}`;
  const summary = unit ? `at most ${say(peak)}` : `${sum} in an hour · at most ${peak} a minute`;
  const picture = svg('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: `bars ${kind}`, role: 'img', preserveAspectRatio: 'none',
    'aria-label': `${title}: ${summary}, ${say(values[values.length - 1])} in the last minute`,
  }, svg('line', { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5, class: 'axis' }));
  values.forEach((value, i) => {
    const height = value === 0 ? 0 : Math.max(2, (value / most) * (HEIGHT - 4));
    picture.append(svg('rect', { x: i * step + 1, width: Math.max(1, step - 2), y: HEIGHT - height, height },
      svg('title', {}, `${say(value)} · ${values.length - 1 - i} min ago`)));
  });
  return h('figure', { class: 'card chart' },
    h('figcaption', { class: 'row' }, h('strong', {}, title), h('span', { class: 'muted small' }, summary)),
    picture,
    h('div', { class: 'row muted small' }, h('span', {}, 'an hour ago'), h('span', {}, 'now')));
}

/** Names with a picture of their last hour each, a bar a minute; all on one scale. A measure is of the figures: its name, unit, and whether it sums up. */
export function ranking(title, rows, measure, link) {
  const valuesOf = (row) => row.perMinute[measure.name], say = (value) => `${value}${measure.unit}`;
  const most = Math.max(1, ...rows.flatMap(valuesOf));
  const meter = (row) => {
    const values = valuesOf(row), width = values.length * 2;
    const height = (value) => (value ? Math.max(2, (value / most) * 20) : 0);
    return svg('svg', { class: `meter ${measure.kind}`, viewBox: `0 0 ${width} 20`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${row.name}: at most ${say(Math.max(...values))} in a minute, ${say(values.at(-1))} in the last` },
      svg('line', { x1: 0, x2: width, y1: 19.5, y2: 19.5, class: 'axis' }),
      values.map((value, i) => svg('rect', { x: i * 2, width: 2, y: 20 - height(value), height: height(value) },
        svg('title', {}, `${say(value)} · ${values.length - 1 - i} min ago`))));
  };
  const shown = rows.filter((row) => valuesOf(row).some((value) => value > 0));
  const total = (row) => say(measure.sums ? row[measure.name] : Math.max(...valuesOf(row)));
  return h('section', { class: 'card chart' }, h('h3', {}, title),
    shown.length ? h('ul', { class: 'ranking' }, shown.map((row) => h('li', {},
      h('span', { class: 'name' }, link ? link(row.name) : row.name), meter(row), h('span', { class: 'count' }, total(row)))))
      : h('p', { class: 'muted small' }, 'None in the last hour.'));
}

/** Adds pages to a list as long as there are more. */
export function pages(list, first, next, draw) {
  const more = h('button', { type: 'button', class: 'quiet' }, 'Show more');
  const note = h('p', { class: 'muted small', role: 'status' });
  const foot = h('div', {}, note, more);
  let cursor;
  const add = (page) => {
    list.append(...page.items.map(draw));
    cursor = page.next;
    more.hidden = !cursor;
  };
  more.addEventListener('click', async () => {
    more.disabled = true;
    try {
      const before = list.children.length;
      // A page of what is rare may be empty and still go on.
      do { add(await next(cursor)); } while (cursor && list.children.length === before && more.isConnected);
    } catch (problem) { note.textContent = problem.message; }
    more.disabled = false;
  });
  add(first);
  return foot;
}
