// SPDX-License-Identifier: Apache-2.0
// Who may call, what they were granted, and their tokens.
import { action, ago, field, h, part, table, tag } from '/ui/dom.js';

const BASE = '/v1/cluster/accounts';
const at = (name) => `${BASE}/${part(name)}`;

function form(app) {
  const made = h('form', { class: 'filters', 'aria-label': 'New account' },
    field('Name', h('input', { name: 'name', size: '14', required: true, autocomplete: 'off' })),
    field('Grants', h('input', { name: 'grants', size: '34', required: true, value: `reader@${app.tenant}`, spellcheck: 'false' })),
    h('button', {}, 'Make'));
  made.addEventListener('submit', async (event) => {
    event.preventDefault();
    const said = new FormData(made);
    try {
      await app.api('PUT', at(said.get('name')), { grants: said.get('grants').split(/[\s,]+/).filter(Boolean) });
      location.hash = `#/accounts/${part(said.get('name'))}`;
    } catch (problem) { app.notice(problem.message); }
  });
  return h('section', { class: 'card' }, h('h2', {}, 'New account'), made,
    h('p', { class: 'muted small' }, 'A grant is ROLE@TENANT, ROLE@TENANT/TYPE or ROLE@*; roles are reader, writer, delegate, reviewer, operator, auditor, admin.'));
}

async function one(app, name) {
  const account = await app.api('GET', at(name));
  const grants = h('input', { size: '50', value: account.grants.join(' '), 'aria-label': 'grants', spellcheck: 'false' });
  const put = async (disabled) => {
    await app.api('PUT', at(name), { grants: grants.value.split(/[\s,]+/).filter(Boolean), disabled });
    app.notice('Changed, at every node.');
    app.render();
  };
  const issued = h('div', { role: 'status' });
  const note = h('input', { size: '24', placeholder: 'what it is for', 'aria-label': 'what the token is for' });
  const issue = async () => {
    const token = await app.api('POST', `${at(name)}/tokens`, { note: note.value, expiresIn: '90d' });
    issued.replaceChildren(h('p', {}, 'Shown this once, good for 90 days: ', h('code', {}, token.token)));
  };
  const revoke = (id) => async () => { await app.api('DELETE', `${at(name)}/tokens/${id}`); app.render(); };
  return [
    h('p', {}, h('a', { href: '#/accounts' }, '← all accounts')),
    h('div', { class: 'row' }, h('h1', {}, name), account.disabled ? tag('disabled', 'rejected') : tag('active', 'resolved')),
    h('section', { class: 'card' }, h('h2', {}, 'Granted'), h('p', {}, grants, ' ', action(app, 'Change', () => put(account.disabled), { class: 'quiet' })),
      h('p', {}, action(app, account.disabled ? 'Let them in again' : 'Disable', () => put(!account.disabled), { class: 'quiet' }))),
    h('section', { class: 'card' }, h('h2', {}, 'Tokens'),
      account.tokens.length ? table('Of a token only this is known', ['Id', 'For', 'Made', 'Ends', ''], account.tokens.map((token) => h('tr', {},
        h('td', {}, h('code', {}, token.id)), h('td', {}, token.note), h('td', {}, ago(token.createdAt)), h('td', {}, token.expiresAt ? ago(token.expiresAt) : 'never'),
        h('td', {}, action(app, 'Revoke', revoke(token.id), { class: 'quiet small', 'aria-label': `revoke ${token.id}` }))))) : h('p', { class: 'muted' }, 'None.'),
      h('p', {}, note, ' ', action(app, 'Make a token', issue, { class: 'quiet' })), issued),
  ];
}

export async function accounts(app, name) {
  if (name) return one(app, name);
  const { accounts: all } = await app.api('GET', `${BASE}?limit=1000`);
  return [h('h1', {}, 'Accounts'),
    all.length ? table('They hold at every node', ['Name', 'Granted', ''], all.map((account) => h('tr', {},
      h('td', {}, h('a', { href: `#/accounts/${part(account.name)}` }, account.name)), h('td', {}, account.grants.map((grant) => [tag(grant, ''), ' '])), h('td', {}, account.disabled ? tag('disabled', 'rejected') : ''))))
      : h('p', { class: 'muted' }, 'Only the administrator, by the token of the data directory.'),
    form(app)];
}
