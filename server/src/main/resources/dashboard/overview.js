// SPDX-License-Identifier: Apache-2.0
// How a tenant fares: health with its reasons, alerts with what to do, the last hour in pictures, long work.
import { h } from '/ui/views.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 480, HEIGHT = 96;

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Bars, one a minute; the picture says in words what it shows. */
function bars(title, values, kind) {
  const most = Math.max(1, ...values), sum = values.reduce((a, b) => a + b, 0), step = WIDTH / values.length;
  const words = `${title}: ${sum} in the last hour, ${values[values.length - 1]} in the last minute, at most ${Math.max(0, ...values)} a minute`;
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: `bars ${kind}`, role: 'img', 'aria-label': words, preserveAspectRatio: 'none' });
  picture.append(svg('line', { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5, class: 'axis' }));
  values.forEach((value, i) => {
    const height = value === 0 ? 0 : Math.max(2, (value / most) * (HEIGHT - 4));
    const bar = svg('rect', { x: i * step + 1, width: Math.max(1, step - 2), y: HEIGHT - height, height });
    bar.append(svg('title', {}));
    bar.lastChild.textContent = `${value} · ${values.length - 1 - i} min ago`;
    picture.append(bar);
  });
  return h('figure', { class: 'card chart' },
    h('figcaption', { class: 'row' }, h('strong', {}, title), h('span', { class: 'muted small' }, `${sum} in an hour · at most ${Math.max(0, ...values)} a minute`)),
    picture,
    h('div', { class: 'row muted small' }, h('span', {}, 'an hour ago'), h('span', {}, 'now')));
}

const percent = (part) => `${(part * 100).toFixed(part > 0.995 && part < 1 ? 1 : 0)} %`;
const span = (s) => (s < 120 ? `${s} s` : s < 7200 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`);
const figure = (label, value, kind) => h('div', { class: `figure ${kind ?? ''}` }, h('dt', {}, label), h('dd', {}, String(value)));

function alertCard(alert) {
  return h('li', { class: `card alert ${alert.severity}` },
    h('div', { class: 'row' }, h('strong', {}, alert.rule), h('span', { class: `tag ${alert.severity === 'critical' ? 'critical' : 'pending'}` }, alert.severity)),
    h('p', {}, alert.summary),
    h('p', { class: 'muted small' }, `since ${new Date(alert.since).toLocaleTimeString()} · `, h('code', {}, alert.action)));
}

function jobRow(app, job) {
  const stop = job.state === 'running' && h('button', { class: 'quiet', onclick: async () => { await app.api('DELETE', app.url(`jobs/${job.id}`)); app.render(); } }, 'Stop');
  const undo = job.kind === 'decisions' && job.state !== 'running' && !job.dryRun && job.changed > 0 && h('button', {
    class: 'quiet',
    onclick: async () => {
      try { await app.send('POST', `jobs/${job.id}/undo`, {}); app.notice('What it decided is being taken back.'); } catch (problem) { app.notice(problem.message); }
      app.render();
    },
  }, 'Take back');
  return h('tr', {},
    h('td', {}, `${job.dryRun ? 'trying ' : ''}${job.kind}`), h('td', {}, job.subject), h('td', {}, job.by),
    h('td', {}, job.state === 'running' && job.total ? h('progress', { max: job.total, value: job.seen, 'aria-label': `${job.seen} of ${job.total}` }) : job.state),
    h('td', {}, `${job.changed} changed, ${job.failed} not`), h('td', {}, stop, undo));
}

export async function overview(app) {
  const [figures, alerts, jobs] = await Promise.all([app.get('figures'), app.get('alerts'), app.get('jobs')]);
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
    h('div', { class: 'charts' }, bars('Writes', figures.perMinute.writes, 'plain'), bars('Conflicts', figures.perMinute.conflicts, 'warm'),
      bars('Left for people', figures.perMinute.pending, 'hot'), bars('Decided by people', figures.perMinute.closed, 'good')),
    h('h2', {}, 'Alerts'),
    alerts.alerts.length ? h('ul', { class: 'plain' }, alerts.alerts.map(alertCard)) : h('p', { class: 'muted' }, 'None now.'),
    alerts.cleared.length ? h('details', {}, h('summary', {}, `${alerts.cleared.length} that are over`),
      h('ul', { class: 'plain' }, alerts.cleared.slice(0, 20).map((alert) => h('li', { class: 'small' }, `${alert.rule}: ${alert.summary} `, h('span', { class: 'muted' }, `until ${new Date(alert.cleared).toLocaleString()}`))))) : null,
    jobs.jobs.length ? h('section', {}, h('h2', {}, 'Long work'), h('div', { class: 'scroll' }, h('table', {},
      h('caption', {}, 'At this node since it was started'),
      h('thead', {}, h('tr', {}, ...['What', 'Of', 'By', 'State', 'Done', ''].map((head) => h('th', { scope: 'col' }, head)))),
      h('tbody', {}, jobs.jobs.slice(0, 20).map((job) => jobRow(app, job)))))) : null,
  ];
}
