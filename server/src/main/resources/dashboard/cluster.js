// SPDX-License-Identifier: Apache-2.0
// The cluster: a map of nodes and lines, who has how much of whom, and lines to cut and heal.
import { h, svg as s } from '/ui/dom.js';
import { stringify } from '/ui/json.js';

const name = (node) => node.split('.')[0];

const SAY = {
  'in-step': 'in step', 'catching-up': 'catching up', unreachable: 'unreachable', cut: 'cut', refused: 'refused', connecting: 'connecting', unknown: 'not heard of',
};
const WORST = ['cut', 'unreachable', 'refused', 'connecting', 'unknown', 'catching-up', 'in-step'];
const KIND = { 'in-step': 'good', 'catching-up': 'warn', connecting: 'warn', unknown: 'off' };

/** What every node says: of itself, its links, and what it has. This node's own word is fresh. */
function nodesOf(cluster) {
  const nodes = new Map([[cluster.node, { links: cluster.links.filter((l) => l.node), known: cluster.known, heard: 0 }]]);
  for (const other of cluster.others) nodes.set(other.node, { links: other.links, known: other.known, heard: other.heardMillisAgo });
  for (const member of cluster.members) if (!member.departed && !nodes.has(member.node)) nodes.set(member.node, { links: [], known: {}, heard: Infinity });
  return new Map([...nodes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function pairs(nodes) {
  const ids = [...nodes.keys()];
  return ids.flatMap((a, i) => ids.slice(i + 1).map((b) => {
    const said = [[a, b], [b, a]].map(([x, y]) => nodes.get(x).links.find((l) => l.node === y)).filter(Boolean);
    const state = WORST.find((w) => said.some((l) => l.state === w)) ?? 'unknown';
    const rtts = said.map((l) => l.roundTripMillis).filter((r) => r >= 0);
    return { a, b, state, behind: Math.max(0, ...said.map((l) => l.behindMillis)), rtt: rtts.length ? Math.min(...rtts) : undefined };
  }));
}

function missing(known, most) {
  return Object.entries(most).reduce((sum, [node, number]) => sum + Math.max(0, number - (known[node] ?? 0)), 0);
}

function mostOf(nodes) {
  const most = {};
  for (const { known } of nodes.values()) for (const [node, number] of Object.entries(known)) most[node] = Math.max(most[node] ?? 0, number);
  return most;
}

function map(nodes, self) {
  const ids = [...nodes.keys()];
  const most = mostOf(nodes);
  const at = new Map(ids.map((id, i) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * i) / ids.length;
    return [id, { x: 240 + 165 * Math.cos(angle), y: (ids.length === 3 ? 185 : 160) + 110 * Math.sin(angle) }];
  }));
  const lines = pairs(nodes);
  const drawn = lines.flatMap(({ a, b, state, behind, rtt }) => {
    const [p, q] = [at.get(a), at.get(b)];
    const label = state === 'in-step' ? (rtt === undefined ? '' : `${rtt} ms`) : `${SAY[state]}${behind > 1000 ? ` · ${(behind / 1000).toFixed(0)} s` : ''}`;
    return [
      s('line', { x1: p.x, y1: p.y, x2: q.x, y2: q.y, class: `line ${KIND[state] ?? 'bad'}` }),
      s('text', { x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 - 8, class: `on-line ${KIND[state] ?? 'bad'}` }, label),
    ];
  });
  const circles = ids.flatMap((id) => {
    const { x, y } = at.get(id);
    const { known, heard } = nodes.get(id);
    const gap = missing(known, most);
    const silent = heard > 5000;
    const whole = lines.every((p) => (p.a !== id && p.b !== id) || p.state === 'in-step');
    const note = silent ? 'silent' : whole ? 'in step' : gap ? `lacks ${gap}` : 'has all';
    return [
      s('circle', { cx: x, cy: y, r: 36, class: `node ${silent ? 'off' : whole ? 'good' : 'warn'}` }),
      s('text', { x, y: y + 1, class: 'node-name' }, name(id)),
      s('text', { x, y: y + 18, class: 'node-note' }, note),
      ...(id === self ? [s('text', { x, y: y - 44, class: 'node-note' }, 'this node')] : []),
    ];
  });
  const sentence = lines.map(({ a, b, state }) => `${name(a)} and ${name(b)}: ${SAY[state]}`).join('; ');
  return s('svg', { viewBox: '0 0 480 310', class: 'map', role: 'img', 'aria-label': sentence }, ...drawn, ...circles);
}

function matrix(nodes) {
  const most = mostOf(nodes);
  const origins = Object.keys(most).sort();
  return h('div', { class: 'scroll' }, h('table', { class: 'matrix' },
    h('caption', {}, 'How much each node has of what each wrote, by position in the writer’s log'),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'node'), origins.map((o) => h('th', { scope: 'col' }, `of ${name(o)}`)))),
    h('tbody', {}, [...nodes].map(([id, { known }]) => h('tr', {}, h('th', { scope: 'row' }, name(id)), origins.map((o) => {
      const gap = most[o] - (known[o] ?? 0);
      return h('td', { class: gap ? 'warn' : 'good' }, String(known[o] ?? 0), gap ? h('span', { class: 'small' }, ` −${gap}`) : '');
    }))))));
}

const clock = (link) => (link.roundTripMillis < 0 ? '–' : `${link.clockOffsetMillis >= 0 ? '+' : '−'}${Math.abs(link.clockOffsetMillis)} ± ${link.clockErrorMillis} ms`);

/** A member's address; only web addresses are linked, whatever a node says of itself. */
const address = (url) => (/^https?:\/\//.test(url) ? h('a', { class: 'small', href: url, rel: 'noreferrer' }, url) : h('span', { class: 'small' }, url));

/** The table of this node's lines; rows stay, so that a button keeps its focus. */
function lines(app, refresh) {
  const rows = new Map();
  const body = h('tbody', {});
  const update = (cluster) => {
    const urls = cluster.links.map((l) => l.url);
    for (const [url, row] of rows) if (!urls.includes(url)) { row.element.remove(); rows.delete(url); }
    for (const link of cluster.links) {
      if (!rows.has(link.url)) {
        const cells = Array.from({ length: 4 }, () => h('td', {}));
        const button = h('button', { class: 'quiet' });
        const row = { cells, button, link, element: h('tr', {}, cells[0], cells[1], h('td', {}, button), cells[2], cells[3]) };
        button.addEventListener('click', async () => {
          try {
            refresh(await app.api('PUT', `/v1/cluster/links/${encodeURIComponent(row.link.node)}`, { cut: row.link.state !== 'cut' }));
          } catch (problem) {
            app.notice(problem.message);
          }
        });
        rows.set(link.url, row);
        body.append(row.element);
      }
      const row = rows.get(link.url);
      row.link = link;
      row.cells[0].replaceChildren(h('strong', {}, link.node ? name(link.node) : link.url), h('br'), address(link.url));
      row.cells[1].replaceChildren(h('span', { class: `tag ${{ 'in-step': 'resolved', 'catching-up': 'pending', connecting: 'pending' }[link.state] ?? 'critical'}` }, SAY[link.state]), link.problem ? h('p', { class: 'small muted' }, link.problem) : '');
      row.cells[2].textContent = link.behindMillis ? `${(link.behindMillis / 1000).toFixed(1)} s` : '–';
      row.cells[3].replaceChildren(clock(link), link.clockBeyondTolerance ? h('span', { class: 'tag critical' }, 'too far') : '');
      row.button.textContent = link.state === 'cut' ? 'Heal' : 'Cut';
      row.button.setAttribute('aria-label', `${row.button.textContent} the line to ${link.node ? name(link.node) : link.url}`);
      row.button.disabled = !link.node;
    }
  };
  const element = h('div', { class: 'scroll' }, h('table', {}, h('thead', {}, h('tr', {}, ['node', 'line', '', 'behind', 'clock ahead by'].map((c) => h('th', { scope: 'col' }, c)))), body));
  return { element, update };
}

/** One record as each node has it, side by side. */
function watched(app) {
  const type = h('input', { size: '14', value: localStorage.getItem('entente-watch-type') ?? 'visits', spellcheck: 'false' });
  const id = h('input', { size: '18', value: localStorage.getItem('entente-watch-id') ?? 'everywhere', spellcheck: 'false' });
  const values = h('div', { class: 'values', 'aria-live': 'off' });
  const last = new Map();
  const shown = (n, same) => {
    if (!n.problem) last.set(n.node, { data: n.data, at: Date.now() });
    const seen = last.get(n.node);
    const state = n.problem ? (seen ? `last seen ${Math.round((Date.now() - seen.at) / 1000)} s ago` : 'no answer') : same === undefined ? 'here' : same ? 'the same' : 'differs';
    const data = n.problem ? seen?.data : n.data;
    return h('div', { class: 'value' },
      h('div', { class: 'row' }, h('h3', {}, name(n.node)), h('span', { class: `tag ${n.problem ? 'critical' : same ? 'resolved' : 'pending'}` }, state)),
      h('pre', { class: n.problem ? 'muted' : '' }, data === undefined ? n.problem : data === null ? 'no such record here' : stringify(data, 1)));
  };
  const update = async () => {
    if (!type.value || !id.value) return;
    try {
      const { nodes } = await app.api('GET', `/v1/cluster/records/${[app.tenant, type.value, id.value].map(encodeURIComponent).join('/')}`);
      const there = nodes.filter((n) => !n.problem).map((n) => stringify(n.data));
      const same = there.length < 2 ? undefined : new Set(there).size === 1;
      values.replaceChildren(...nodes.map((n) => shown(n, same)));
    } catch (problem) {
      values.replaceChildren(h('p', { class: 'muted' }, problem.message));
    }
  };
  for (const field of [type, id]) field.addEventListener('change', () => { localStorage.setItem('entente-watch-type', type.value); localStorage.setItem('entente-watch-id', id.value); last.clear(); update(); });
  return { element: [h('h2', {}, 'One record everywhere'), h('p', {}, h('label', {}, 'type ', type), ' ', h('label', {}, 'id ', id)), values], update };
}

/** Who leads those that agree first, or why this node is none of them; and what has come and is not read yet. */
function standing(now) {
  return now.held ? `${leading(now)} ${now.held.toLocaleString()} versions have come and wait for what they build on.` : leading(now);
}

function leading({ group, waitsFor, voters }) {
  if (waitsFor) return `This node does not vote: ${waitsFor}.`;
  if (!group && voters.length) return `This node asks the voters ${voters.join(', ')}.`;
  if (!group) return 'Nobody votes: types that must agree first are refused. Serve three or five nodes with --voters.';
  const who = group.leader ? `${group.leader} leads` : 'Nobody leads: types that must agree first are refused here, and what is shown of them may be stale';
  return `${who} (term ${group.term}; voters ${group.voters.join(', ')}; ${group.position.toLocaleString()} versions agreed on).`;
}

const STEP = { 'catching-up': ['warn', 'catching up'], comparing: ['warn', 'comparing'], healed: ['resolved', 'healed'], differs: ['critical', 'differs'], 'cut-again': ['pending', 'cut again'] };

/** How nodes came together again, and what became of what both sides wrote. */
function healings(all) {
  if (!all.length) return [h('p', { class: 'muted' }, 'Nothing has diverged since this node was started.')];
  return all.map((healing) => {
    const [tag, step] = STEP[healing.step] ?? ['', healing.step];
    const parts = [h('p', {}, h('span', { class: `tag ${tag}` }, step), ` ${name(healing.node)}, after ${(healing.apartMillis / 1000).toFixed(1)} s apart`)];
    if (healing.left > 0) parts.push(h('progress', { max: String(healing.missing), value: String(healing.missing - healing.left), 'aria-label': 'what is on its way' }));
    if (healing.problem) parts.push(h('p', {}, healing.problem));
    if (healing.report) {
      const { report } = healing;
      const both = report.both;
      const none = report.ours + report.theirs === 0;
      parts.push(h('p', { class: 'muted' }, none ? `What each wrote came by way of other nodes. ${healing.recordsCompared} records compared, ${healing.findings} differ that should not.` : `${report.ours} versions here, ${report.theirs} there. Records on both sides: ${both.merged} merged, ${both.resolved} settled by rule, ${both.siblings} side by side, ${both.pending} for people. ${healing.recordsCompared} records compared, ${healing.findings} differ that should not.`));
      if (report.records.length) {
        parts.push(h('details', {}, h('summary', {}, 'Which records'), h('ul', {}, ...report.records.slice(0, 50).map((r) => h('li', {}, h('span', { class: `tag ${r.fate}` }, r.fate), ` ${r.record} `, h('span', { class: 'muted small' }, r.explanations.join(' ')))))));
      }
    }
    return h('div', { class: 'card' }, ...parts);
  });
}

export async function cluster(app) {
  const first = await app.api('GET', '/v1/cluster');
  if (!first.members.length) {
    return [h('h1', {}, 'Cluster'), h('p', {}, 'This node is on its own. Serve it and others with the same secret and --peers, and they find each other.'), h('pre', {}, 'ENTENTE_SECRET=… entente serve --data DIR --name eu --peers http://OTHER:7400')];
  }
  const picture = h('div', { class: 'card' });
  const has = h('div', { class: 'card' });
  const sentence = h('p', { class: 'muted', role: 'status' });
  const agreement = h('p', { class: 'muted', role: 'status' });
  const healed = h('div', {});
  const watch = watched(app);
  let told = '';
  const heal = async () => {
    const { healings: all } = await app.api('GET', '/v1/cluster/healings');
    if (stringify(all) === told) return;
    told = stringify(all);
    healed.replaceChildren(...healings(all));
  };
  const draw = (now) => {
    const nodes = nodesOf(now);
    const apart = pairs(nodes).filter((p) => p.state !== 'in-step' && p.state !== 'catching-up');
    const words = apart.length ? `${apart.length} of ${pairs(nodes).length} lines are down. Every side goes on taking writes; they come together when the lines are back.` : 'Every node reaches every other.';
    if (sentence.textContent !== words) sentence.textContent = words;
    const leads = standing(now);
    if (agreement.textContent !== leads) agreement.textContent = leads;
    picture.replaceChildren(map(nodes, now.node));
    has.replaceChildren(matrix(nodes));
    table.update(now);
  };
  const table = lines(app, draw);
  draw(first);
  watch.update();
  heal();
  const timer = setInterval(async () => {
    try {
      draw(await app.api('GET', '/v1/cluster'));
      await watch.update();
      await heal();
    } catch (problem) {
      sentence.textContent = problem.message;
    }
  }, 1000);
  app.onLeave(() => clearInterval(timer));
  return [h('h1', {}, 'Cluster'), sentence, agreement, picture, h('h2', {}, 'Lines of this node'), table.element, ...watch.element, h('h2', {}, 'Coming together'), healed, h('h2', {}, 'Who has what'), has];
}
