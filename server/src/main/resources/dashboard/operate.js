// SPDX-License-Identifier: Apache-2.0
// What one needs at three in the morning: what is hot, what is frozen, what is kept to go back to.
import { action, ago, alertCard, field, h, recordLink, select, table, tag, when } from '/ui/dom.js';

const scopeOf = (tenant, scope) => {
  const [, type, ...id] = scope.split('/');
  return { ...(type ? { type: decodeURIComponent(type) } : {}), ...(id.length ? { id: id.join('/') } : {}) };
};

function hot(app, spots) {
  const freeze = (spot) => async () => {
    await app.send('POST', 'freezes', { type: spot.type, id: spot.id, reason: 'frozen from the list of hot records' });
    app.notice(`${spot.type}/${spot.id} is frozen; writes to it are refused until it thaws.`);
    app.render();
  };
  return h('section', {}, h('h2', {}, 'Hot records'),
    spots.length ? table('Most conflicts in the last five minutes', ['Record', 'Conflicts', 'Since', ''], spots.map((spot) => h('tr', {},
      h('td', {}, recordLink(spot.type, spot.id)), h('td', {}, String(spot.conflicts)), h('td', {}, when(spot.since)),
      h('td', {}, action(app, 'Freeze', freeze(spot), { class: 'quiet small', 'aria-label': `freeze ${spot.type}/${spot.id}` })))))
      : h('p', { class: 'muted' }, 'No record met a conflict in the last five minutes.'));
}

function frozen(app, all) {
  const form = h('form', { class: 'filters', 'aria-label': 'Freeze' },
    field('Type', h('input', { name: 'type', size: '10', placeholder: 'all' })), field('Id', h('input', { name: 'id', size: '10', placeholder: 'all' })),
    field('Why', h('input', { name: 'reason', size: '24', required: true })),
    field('Writers', select('meanwhile', [['refuse', 'are refused'], ['wait', 'wait in line']])),
    field('Reads', select('reads', [['any', 'from any node'], ['consistent', 'from consistent nodes']])), h('button', {}, 'Freeze'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await app.send('POST', 'freezes', Object.fromEntries([...new FormData(form)].filter(([, value]) => value)));
      app.render();
    } catch (problem) { app.notice(problem.message); }
  });
  const thaw = (scope) => async () => {
    const { refused, waited } = await app.send('DELETE', 'freezes', scopeOf(app.tenant, scope));
    app.notice(`Thawed. ${refused} write${refused === 1 ? ' was' : 's were'} refused meanwhile; each is in the audit log.${waited ? ` ${waited} that waited go on.` : ''}`);
    app.render();
  };
  return h('section', {}, h('h2', {}, 'Frozen'),
    all.length ? table('At every node', ['What', 'Why', 'By', 'Meanwhile', ''], all.map(({ scope, reason, by, meanwhile, reads, waiting }) => h('tr', {},
      h('td', {}, h('code', {}, scope)), h('td', {}, reason), h('td', {}, by),
      h('td', {}, meanwhile === 'wait' ? `${waiting} wait here` : 'writes are refused', reads === 'consistent' ? ', reads only from consistent nodes' : ''), h('td', {}, action(app, 'Thaw', thaw(scope), { class: 'quiet small', 'aria-label': `thaw ${scope}` })))))
      : h('p', { class: 'muted' }, 'Nothing.'),
    h('details', {}, h('summary', {}, 'Freeze something'), form));
}

function checkpoints(app, kept) {
  if (!kept) return null;
  const take = async () => { await app.api('POST', '/v1/cluster/checkpoints', {}); app.notice('Kept.'); app.render(); };
  return h('section', {}, h('div', { class: 'row' }, h('h2', {}, 'Kept to go back to'), action(app, 'Keep one now', take, { class: 'quiet small' })),
    kept.length ? table('Checkpoints, those of records, types and the tenant first', ['When', 'Name', 'Of'], kept.slice(0, 20).map((one) => h('tr', {},
      h('td', {}, when(one.at), h('span', { class: 'muted small' }, ` ${ago(one.at)}`)), h('td', {}, h('code', {}, one.name)),
      h('td', {}, one.scope === 'node' ? 'this node' : one.scope === 'tenant' ? 'the tenant' : h('code', {}, [one.type, one.id].filter(Boolean).join('/'))))))
      : h('p', { class: 'muted' }, 'None yet.'),
    h('p', { class: 'muted small' }, 'A record, a type or a tenant goes back with ', h('code', {}, 'entente restore --to TIME'), '.'));
}

function retention(app, kept) {
  const form = h('form', { class: 'filters', 'aria-label': 'Retention' },
    field('Days, 0 for good', h('input', { name: 'days', type: 'number', min: '0', max: '36500', required: true, value: String(kept.days) })), h('button', {}, 'Keep for so long'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await app.send('PUT', 'retention', { days: Number(new FormData(form).get('days')) });
      app.notice('Kept for so long, at every node.');
      app.render();
    } catch (problem) { app.notice(problem.message); }
  });
  return h('section', {}, h('h2', {}, 'How long versions are kept'),
    h('p', {}, kept.days ? `${kept.days} days, and the last of every record for good` : 'For good', kept.own ? '.' : ', as is usual for this node.'),
    kept.waitingFor.length ? h('p', { class: 'muted small' }, 'These nodes have not said yet what they have: ', kept.waitingFor.join(', ')) : null,
    h('details', {}, h('summary', {}, 'Change it'), form));
}

export async function operate(app) {
  const [spots, freezes, alerts, past, kept] = await Promise.all([
    app.get('hotspots?limit=20'), app.get('freezes'), app.get('alerts?limit=50'), app.get('retention'),
    app.get('checkpoints').catch(() => ({ checkpoints: null })),
  ]);
  return [
    h('h1', {}, 'Operate'),
    h('h2', {}, 'Alerts'),
    alerts.alerts.length ? h('ul', { class: 'plain' }, alerts.alerts.map(alertCard)) : h('p', { class: 'muted' }, 'None now.'),
    alerts.cleared.length ? h('details', {}, h('summary', {}, `${alerts.cleared.length} that are over`),
      table('Alerts that are over', ['Rule', 'What', 'From', 'Until'], alerts.cleared.map((one) => h('tr', {}, h('td', {}, one.rule), h('td', {}, one.summary), h('td', {}, when(one.since)), h('td', {}, when(one.cleared)))))) : null,
    hot(app, spots.hotspots), frozen(app, freezes.frozen), checkpoints(app, kept.checkpoints), retention(app, past),
  ];
}
