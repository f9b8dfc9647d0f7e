// SPDX-License-Identifier: Apache-2.0
// Records: which there are, what one is and why, how its versions follow from each other, and what it was.
import { action, h, looksAlike, pages, part, svg, tag, when } from '/ui/dom.js';
import { marked, pretty } from '/ui/diff.js';

const VERSIONS = 200, STEP = 44, LANE = 40, EDGE = 20, DOT = 9;

/** What was changed, in a few words. */
const summary = (version) => version.changes.map((c) => c.unit).filter((unit, i, all) => all.indexOf(unit) === i).join(', ') || 'nothing';
const nameOf = (version) => `${version.node}:${version.number}`;

function open(type, id) {
  const typeField = h('input', { value: type ?? '', 'aria-label': 'type', placeholder: 'type', size: '12' });
  const idField = h('input', { value: id ?? '', 'aria-label': 'id', placeholder: 'id', size: '16' });
  return h('form', { class: 'row', onsubmit: (e) => { e.preventDefault(); location.hash = `#/record/${part(typeField.value)}/${part(idField.value)}`; } },
    h('span', {}, typeField, ' / ', idField, ' ', h('button', {}, 'Show')));
}

async function ofType(app, type) {
  const load = async (cursor) => {
    const page = await app.get(`records/${part(type)}?limit=100${cursor ? `&cursor=${part(cursor)}` : ''}`);
    return { items: page.records, next: page.next };
  };
  const list = h('ul', { class: 'records' });
  const foot = pages(list, await load(), load, (one) => h('li', {}, h('a', { href: `#/record/${part(type)}/${part(one.id)}` }, one.id),
    one.deleted ? [' ', tag('deleted', 'rejected')] : null, one.pending ? [' ', tag('waits', 'pending')] : null));
  return [h('p', {}, h('a', { href: '#/record' }, '← all types')), h('div', { class: 'row' }, h('h1', {}, `Records of ${type}`), open(type)), list, foot];
}

async function types(app) {
  const found = await app.get('records');
  return [h('div', { class: 'row' }, h('h1', {}, 'Records'), open()),
    found.types.length ? h('ul', { class: 'records' }, found.types.map((type) => h('li', {}, h('a', { href: `#/record/${part(type)}` }, type)))) : h('p', { class: 'muted' }, 'The tenant has no records yet.')];
}

/** For each version the line it stands on: it goes on where a version it had seen ends, else beside. */
function lanesOf(versions) {
  const ends = [], lanes = [];
  for (const version of versions) {
    const seen = new Set(version.parents.map(nameOf));
    let lane = ends.findIndex((end) => seen.has(end));
    ends.forEach((end, i) => { if (seen.has(end)) ends[i] = null; });
    if (lane < 0) lane = ends.includes(null) ? ends.indexOf(null) : ends.length;
    ends[lane] = nameOf(version);
    lanes.push(lane);
  }
  return lanes;
}

/**
 * Versions from left to right as this node took them, a line from each to those it was written right
 * after. Where lines run side by side, nobody had seen the other.
 */
function picture(versions, choose) {
  const lanes = lanesOf(versions), several = new Set(versions.map((v) => v.node)).size > 1;
  const at = new Map(versions.map((v, i) => [nameOf(v), { x: EDGE + i * STEP, y: EDGE + lanes[i] * LANE }]));
  const children = new Map();
  versions.forEach((v) => v.parents.forEach((p) => children.set(nameOf(p), (children.get(nameOf(p)) ?? 0) + 1)));
  const width = 2 * EDGE + (versions.length - 1) * STEP, height = 2 * EDGE + Math.max(0, ...lanes) * LANE + (several ? 8 : 0);
  const drawing = svg('svg', { class: 'causality', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${versions.length} versions on ${Math.max(0, ...lanes) + 1} lines; the list below says the same in words` });
  for (const version of versions) {
    const to = at.get(nameOf(version));
    for (const parent of version.parents) {
      const from = at.get(nameOf(parent)), near = Math.min(STEP, to.x - from.x);
      // Along its own line, and over at the end where lines split and meet.
      const d = from.y <= to.y
        ? `M ${from.x} ${from.y} C ${from.x + near / 2} ${from.y} ${from.x + near / 2} ${to.y} ${from.x + near} ${to.y} L ${to.x} ${to.y}`
        : `M ${from.x} ${from.y} L ${to.x - near} ${from.y} C ${to.x - near / 2} ${from.y} ${to.x - near / 2} ${to.y} ${to.x} ${to.y}`;
      drawing.append(svg('path', { class: 'edge', d }));
    }
  }
  const dots = versions.map((version, i) => {
    const { x, y } = at.get(nameOf(version));
    const kind = version.parents.length > 1 ? 'joins' : version.parents.some((p) => children.get(nameOf(p)) > 1) ? 'beside' : '';
    const dot = svg('circle', { class: `version ${kind}`, cx: x, cy: y, r: DOT }, svg('title', {}, `${version.author} at ${new Date(version.acceptedAt).toLocaleString()}, node ${version.node}: ${summary(version)}`));
    dot.addEventListener('click', () => choose(i));
    drawing.append(dot);
    if (several) drawing.append(svg('text', { class: 'at', x, y: y + 2.4 * DOT }, version.node.split('.')[0].slice(0, 6)));
    return dot;
  });
  return { drawing, width, mark: (i) => dots.forEach((dot, j) => dot.classList.toggle('chosen', i === j)) };
}

/** The picture with a slider below it, and the record as it was where the slider stands. */
function timeline(app, path, newestFirst) {
  const versions = [...newestFirst].reverse();
  const shown = h('div', { class: 'values' });
  const slider = h('input', { type: 'range', min: '0', max: String(versions.length - 1), value: String(versions.length - 1), class: 'slider', 'aria-label': 'which version' });
  const said = h('p', { class: 'small', role: 'status' });
  const asked = new Map();
  const thenAt = (i) => {
    if (i < 0) return Promise.resolve({});
    if (!asked.has(i)) asked.set(i, app.get(`${path}?node=${part(versions[i].node)}&number=${versions[i].number}`).then((read) => read.data, (e) => (e.status === 404 ? undefined : Promise.reject(e))));
    return asked.get(i);
  };
  let latest = 0;
  const show = async (i) => {
    const mine = ++latest, version = versions[i];
    drawn.mark(i);
    slider.value = String(i);
    slider.setAttribute('aria-valuetext', `${i + 1} of ${versions.length}: ${version.author}, ${summary(version)}`);
    said.replaceChildren(h('strong', {}, version.author), ' ', when(version.acceptedAt), ` changed ${summary(version)}`,
      version.parents.length > 1 ? `; had seen ${version.parents.length} that had not seen each other` : '');
    const [before, then] = await Promise.all([thenAt(i - 1), thenAt(i)]);
    if (mine !== latest) return;
    shown.replaceChildren(h('div', { class: 'value' }, h('p', { class: 'muted small' }, `what readers saw then (${i + 1} of ${versions.length})`), then === undefined ? h('p', {}, tag('no record', 'rejected')) : marked(then, before ?? {})));
  };
  const drawn = picture(versions, (i) => show(i).catch((e) => app.notice(e.message)));
  slider.addEventListener('input', () => show(Number(slider.value)).catch((e) => app.notice(e.message)));
  const scroll = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'how versions follow from each other' }, drawn.drawing);
  requestAnimationFrame(() => { scroll.scrollLeft = drawn.width; });
  show(versions.length - 1).catch((e) => app.notice(e.message));
  return h('section', { class: 'card' }, scroll, slider, said, shown,
    h('p', { class: 'muted small legend' }, h('span', { class: 'key beside' }), ' written without having seen what stands beside it  ', h('span', { class: 'key joins' }), ' has seen both'));
}

const set = (change) => {
  if (change.removed) return tag('removed', 'rejected');
  if (change.increment !== undefined) return `${change.increment >= 0 ? '+' : ''}${change.increment}`;
  if (change.add) return [...change.add.map((x) => `+ ${pretty(x)} `), ...change.remove.map((x) => `− ${pretty(x)} `)].join('');
  if (change.splice) return h('pre', { tabindex: '0' }, pretty(change.splice));
  if (change.give !== undefined) return `${change.give} to ${change.to}`;
  return marked(change.set, change.replaced ?? undefined);
};

function conflict(c) {
  return h('div', { class: 'card' },
    h('div', { class: 'row' }, h('strong', {}, c.unit), h('span', {}, tag(c.status), ' ', tag(c.strategy, ''), ' ', c.uncertain ? tag('uncertain') : null)),
    h('p', {}, c.explanation),
    h('div', { class: 'values' }, c.competing.map((v) => h('div', { class: 'value' }, h('p', { class: 'muted small' }, v.author, looksAlike(v), ' · ', when(v.time)), v.removed ? tag('removed', 'rejected') : marked(v.value, c.lastAgreed)))),
    c.status === 'pending' ? h('a', { href: `#/reviews/${c.id}` }, 'decide this') : null);
}

export async function record(app, type, id) {
  if (!type) return types(app);
  if (!id) return ofType(app, type);
  const path = `records/${part(type)}/${part(id)}`;
  const load = async (cursor) => {
    const page = await app.get(`${path}/history?limit=${VERSIONS}${cursor ? `&cursor=${part(cursor)}` : ''}`);
    return { items: page.versions, next: page.next };
  };
  const [now, history] = await Promise.all([app.get(path).catch((e) => (e.status === 404 ? null : Promise.reject(e))), load()]);
  const newest = history.items[0];
  const back = (version) => async () => {
    const reason = prompt('Why go back to this version? It is written as a new version; nothing is erased.');
    if (reason === null) return;
    await app.send('POST', `${path}/rollback`, { to: version.context, reason });
    app.notice('Rolled back, as a new version.');
    app.render();
  };
  const list = h('ol', { class: 'timeline' });
  const foot = pages(list, history, load, (v) => h('li', { class: v.parents.length > 1 ? 'joins' : '' },
    h('div', { class: 'row' }, h('span', {}, h('strong', {}, v.author), ' ', when(v.time), v.device ? ` on ${v.device}` : '', h('span', { class: 'muted small' }, ` ${nameOf(v)}`)),
      v === newest ? null : action(app, 'Go back to this', back(v), { class: 'quiet small' })),
    v.reason ? h('p', { class: 'small' }, `“${v.reason}”`) : null,
    h('table', {}, h('tbody', {}, v.changes.filter((c) => !(c.unit === 'alive' && c.set)).map((c) => h('tr', {}, h('th', { scope: 'row' }, c.unit), h('td', {}, set(c))))))));
  return [
    h('p', {}, h('a', { href: `#/record/${part(type)}` }, `← records of ${type}`)),
    h('div', { class: 'row' }, h('h1', {}, `${type}/${id}`), open(type, id)),
    now ? h('p', { class: 'muted small' }, 'updated ', when(now.updatedAt)) : h('p', {}, tag('deleted', 'rejected'), ' its history is kept'),
    now ? h('pre', { tabindex: '0' }, pretty(now.data)) : null,
    now?.conflicts.length ? h('h2', {}, 'Why it looks like this') : null,
    (now?.conflicts ?? []).map(conflict),
    h('h2', {}, 'How it came about'), timeline(app, path, history.items),
    history.next ? h('p', { class: 'muted small' }, `The picture shows the latest ${history.items.length} versions.`) : null,
    h('h2', {}, 'History'), list, foot,
  ].flat();
}
