// SPDX-License-Identifier: Apache-2.0
// Who did what. What was rejected is in here with its payload.
import { action, asked, field, h, pages, part, search, select, table, tag, when } from '/ui/dom.js';
import { pretty } from '/ui/diff.js';

const ACTIONS = ['write', 'rejected', 'decision', 'review', 'escalation', 'appeal', 'reopened', 'vote', 'equivocation', 'policy', 'freeze', 'thaw', 'rebuild', 'prune', 'alert', 'alert-cleared', 'restore'];

export async function audit(app) {
  const wanted = asked(app.query, ['actor', 'action', 'subject']);
  const query = new URLSearchParams({ ...wanted, limit: '100' });
  const load = async (cursor) => {
    const page = await app.get(`audit?${query}${cursor ? `&cursor=${part(cursor)}` : ''}`);
    return { items: page.entries, next: page.next };
  };
  const form = search('Search', (filled) => { location.hash = `#/audit?${new URLSearchParams(filled)}`; },
    field('Who', h('input', { name: 'actor', size: '12', value: wanted.actor })),
    field('What', select('action', [['', 'anything'], ...ACTIONS], wanted.action)),
    field('Of', h('input', { name: 'subject', size: '18', value: wanted.subject, placeholder: 'type/id, or a part' })),
    h('button', { class: 'quiet' }, 'Search'));
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
