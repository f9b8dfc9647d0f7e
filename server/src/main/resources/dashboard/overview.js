// SPDX-License-Identifier: Apache-2.0
// How a tenant fares: health with its reasons, alerts with what to do, the last hour in pictures, long work.
import { action, alertCard, h, minutes, part, ranking, recordLink, table } from '/ui/dom.js';

const percent = (part) => `${(part * 100).toFixed(part > 0.995 && part < 1 ? 1 : 0)} %`;
const span = (s) => (s < 120 ? `${s} s` : s < 7200 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`);
const figure = (label, value, kind) => h('div', { class: `figure ${kind ?? ''}` }, h('dt', {}, label), h('dd', {}, String(value)));

function job(app, one) {
  const running = one.state === 'running';
  const stop = async () => { await app.send('DELETE', `jobs/${one.id}`); app.render(); };
  const undo = async () => {
    await app.send('POST', `jobs/${one.id}/undo`, {});
    app.notice('What it decided is being taken back.');
    app.render();
  };
  return h('tr', {},
    h('td', {}, `${one.kind}${one.dryRun ? ' (dry run)' : ''}`), h('td', {}, one.subject), h('td', {}, one.by),
    h('td', {}, running && one.total ? h('progress', { max: one.total, value: one.seen, 'aria-label': `${one.seen} of ${one.total}` }) : one.state),
    h('td', {}, `${one.changed} changed, ${one.failed} not`),
    h('td', {}, running ? action(app, 'Stop', stop, { class: 'quiet small' }) : null,
      one.kind === 'decisions' && !running && !one.dryRun && one.changed > 0 ? action(app, 'Take back', undo, { class: 'quiet small' }) : null));
}

/** Patterns name type, unit and strategy; the policy page has what to do about them. */
function pattern(name) {
  const [type] = name.split(' · ');
  return h('a', { href: `#/policies/${part(type)}` }, name);
}

/** What the last hour can be looked at by; of units, strategies, nodes and patterns, writes are those that met a conflict here. */
const MEASURES = {
  conflicts: { name: 'conflicts', text: 'Conflicts', unit: '', sums: true, kind: 'warm' },
  writes: { name: 'writes', text: 'Writes', unit: '', sums: true, kind: 'plain' },
  times: { name: 'p99Millis', text: 'Slowest writes (p99)', unit: ' ms', sums: false, kind: 'plain' },
};

function overviewCharts(figures, chosen) {
  const { perMinute, by } = figures;
  const measure = MEASURES[chosen] ?? MEASURES.conflicts;
  const tab = ([key, each]) => h('a', { href: `#/overview?of=${key}`, 'aria-current': each === measure ? 'true' : undefined }, each.text);
  return [
    h('div', { class: 'charts' }, minutes('Writes', perMinute.writes, 'plain'), minutes('Conflicts', perMinute.conflicts, 'warm'),
      minutes('Left for people', perMinute.pending, 'hot'), minutes('Decided by people', perMinute.closed, 'good'),
      minutes('Slowest writes (p99)', perMinute.p99Millis, 'plain', ' ms')),
    h('h2', {}, 'The last hour, one by one'),
    h('div', { class: 'tabs', role: 'group', 'aria-label': 'what to show' }, Object.entries(MEASURES).map(tab)),
    measure === MEASURES.conflicts ? null : h('p', { class: 'muted small' }, 'Of a type all writes at this node; of patterns, strategies, units and nodes those that met such a conflict.'),
    h('div', { class: 'charts' }, ranking('Patterns', by.pattern, measure, pattern), ranking('Strategies', by.strategy, measure), ranking('Types', by.type, measure, pattern),
      ranking('Units', by.unit, measure, pattern), ranking('Nodes', by.node, measure)),
  ];
}

function hot(spots) {
  return spots.length ? table('Hot records: most conflicts in the last five minutes', ['Record', 'Conflicts'],
    spots.map((spot) => h('tr', {}, h('td', {}, recordLink(spot.type, spot.id)), h('td', {}, String(spot.conflicts))))) : null;
}

export async function overview(app) {
  const [figures, alerts, jobs, spots] = await Promise.all([app.get('figures'), app.get('alerts'), app.get('jobs'), app.get('hotspots?limit=5')]);
  const { health } = figures;
  const kind = health.score >= 90 ? 'good' : health.score >= 60 ? 'warn' : 'bad';
  // Whoever is at a button here keeps it; the page goes on once they have left it.
  const timer = setInterval(() => { if (!document.getElementById('main').contains(document.activeElement)) app.render(); }, 5000);
  app.onLeave(() => clearInterval(timer));
  return [
    h('h1', {}, 'Overview'),
    h('section', { class: `card health ${kind}`, 'aria-label': `health ${health.score} of 100` },
      h('div', { class: 'score' }, String(health.score)),
      h('div', {}, h('strong', {}, health.score === 100 ? 'All is well' : 'Something needs a look'),
        health.reasons.length ? h('ul', {}, health.reasons.map((reason) => h('li', {}, reason))) : h('p', { class: 'muted' }, 'No alert is raised.'))),
    h('dl', { class: 'figures' },
      figure('waiting for a person', figures.pending, figures.pending > 100 ? 'warn' : ''),
      figure('settled by rule', percent(figures.successRate), figures.successRate < 0.9 ? 'warn' : ''),
      figure('left for people', percent(figures.manualRate), figures.manualRate > 0.05 ? 'warn' : ''),
      figure('decided in time', percent(figures.slaCompliance)),
      figure('until decided', figures.closed ? span(figures.averageResolutionSeconds) : '–'),
      figure('write, median', `${figures.writeMillis.median} ms`),
      figure('write, p99', `${figures.writeMillis.p99} ms`, figures.writeMillis.p99 > 50 ? 'warn' : ''),
      figure('data lost', figures.dataLossEvents === 0 ? 'none' : figures.dataLossEvents, figures.dataLossEvents ? 'bad' : '')),
    h('p', { class: 'muted small' }, 'Of the last hour, as this node saw it.'),
    overviewCharts(figures, app.query.get('of')), hot(spots.hotspots),
    h('h2', {}, 'Alerts'),
    alerts.alerts.length ? h('ul', { class: 'plain' }, alerts.alerts.map(alertCard)) : h('p', { class: 'muted' }, 'None now. ', h('a', { href: '#/operate' }, 'Those that are over')),
    jobs.jobs.length ? [h('h2', {}, 'Long work'), table('At this node since it was started', ['What', 'Of', 'By', 'State', 'Done', ''], jobs.jobs.slice(0, 20).map((one) => job(app, one)))] : null,
  ].flat(2);
}
