// SPDX-License-Identifier: Apache-2.0
// Who did what. What was rejected is in here with its payload.
import { action, field, h, pages, part, select, table, tag, when } from '/ui/dom.js';
import { pretty } from '/ui/diff.js';

const ACTIONS = ['write', 'rejected', 'decision', 'review', 'escalation', 'appeal', 'reopened', 'vote', 'equivocation', 'policy', 'freeze', 'thaw', 'rebuild', 'alert', 'alert-cleared', 'restore'];

export async function audit(app) {
  const asked = Object.fromEntries(['actor', 'action', 'subject'].filter((name) => app.query.get(name)).map((name) => [name, app.query.get(name)]));
  const query = new URLSearchParams({ ...asked, limit: '100' });
  const load = async (cursor) => {
    const page = await app.get(`audit?${query}${cursor ? `&cursor=${part(cursor)}` : ''}`);
    return { items: page.entries, next: page.next };
  };
  const form = h('form', { class: 'filters', 'aria-label': 'Search' },
    field('Who', h('input', { name: 'actor', size: '12', value: asked.actor })),
    field('What', select('action', [['', 'anything'], ...ACTIONS], asked.action)),
    field('Of', h('input', { name: 'subject', size: '18', value: asked.subject, placeholder: 'type/id, or a part' })),
    h('button', { class: 'quiet' }, 'Search'));
  const go = (event) => {
    event.preventDefault();
    location.hash = `#/audit?${new URLSearchParams([...new FormData(form)].filter(([, value]) => value))}`;
  };
  form.addEventListener('submit', go);
  form.addEventListener('change', (event) => event.target.matches('select') && go(event));
  const verify = async () => {
    const result = await app.api('POST', '/v1/verify');
    app.notice(result.intact ? `Intact: ${result.entries} entries, ${result.versions} versions.` : result.broken);
  };
  const found = table('Newest first', ['#', 'When', 'Who', 'What', 'Of', 'Detail'], []);
  const foot = pages(found.querySelector('tbody'), await load(), load, (e) => h('tr', {},
    h('td', {}, String(e.sequence)), h('td', {}, when(e.time)), h('td', {}, e.actor), h('td', {}, tag(e.action, e.action === 'rejected' ? 'rejected' : '')), h('td', {}, e.subject),
    h('td', {}, h('details', {}, h('summary', {}, 'show'), h('pre', { tabindex: '0' }, pretty(e.detail))))));
  return [h('div', { class: 'row' }, h('h1', {}, 'Audit'), action(app, 'Check the chain', verify, { class: 'quiet' })),
    h('p', { class: 'muted' }, 'Append-only and chained by hashes; what was rejected is in here with its payload.'), form, found, foot];
}
