// SPDX-License-Identifier: Apache-2.0
// The dashboard's shell: the address decides the page, the API does the rest.
import { accounts } from '/ui/accounts.js';
import { audit } from '/ui/audit.js';
import { cluster } from '/ui/cluster.js';
import { h } from '/ui/dom.js';
import { parse, stringify } from '/ui/json.js';
import { live } from '/ui/live.js';
import { operate } from '/ui/operate.js';
import { overview } from '/ui/overview.js';
import { policies } from '/ui/policies.js';
import { record } from '/ui/record.js';
import { review, reviews } from '/ui/reviews.js';
import { subjects } from '/ui/subjects.js';

const main = document.getElementById('main');
const notice = document.getElementById('notice');
const tenantField = document.getElementById('tenant');
let leave = [];
let drawing = 0;

class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? `the node answered ${status}`);
    this.status = status;
    this.body = body;
  }
}

const app = {
  query: new URLSearchParams(),
  get tenant() { return localStorage.getItem('entente-tenant') || 'main'; },
  url: (path) => `/v1/${encodeURIComponent(app.tenant)}/${path}`,
  async fetch(method, url, body, type, author) {
    const headers = {};
    if (body !== undefined) headers['Content-Type'] = type ?? 'application/json';
    if (author) headers['Entente-Author'] = encodeURIComponent(author);
    const response = await fetch(url, { method, headers, body, credentials: 'same-origin' });
    if (!response.ok) throw new Problem(response.status, await response.text().then(parse).catch(() => ({})));
    return response;
  },
  api: async (method, url, body, author) => parse(await (await app.fetch(method, url, body === undefined ? undefined : stringify(body), undefined, author)).text()),
  get: (path) => app.api('GET', app.url(path)),
  send: (method, path, body, author) => app.api(method, app.url(path), body, author),
  raw: async (method, path, body, type) => parse(await (await app.fetch(method, app.url(path), body, type)).text()),
  text: async (path) => (await app.fetch('GET', app.url(path))).text(),
  onLeave: (action) => leave.push(action),
  notice(text) {
    notice.replaceChildren(h('p', {}, text));
    setTimeout(() => notice.replaceChildren(), 6000);
  },
  async signIn(token) {
    try {
      await app.api('POST', '/session', { token });
      app.me = undefined;
      app.render();
    } catch (problem) {
      main.replaceChildren(signIn(problem.message));
    }
  },
  render,
  /** Who is signed in, as the node says; asked once. */
  async whoAmI() {
    app.me ??= await app.api('GET', '/v1/whoami');
    return app.me;
  },
  /** Whether they may write in the name of others. */
  async mayNameAuthors() {
    return (await app.whoAmI()).grants.some((grant) => /^(admin|delegate)@/.test(grant));
  },
};

const pages = {
  overview: () => overview(app),
  reviews: (id) => (id ? review(app, id) : reviews(app)),
  record: (type, id) => record(app, type, id),
  live: () => live(app),
  policies: (type) => policies(app, type),
  operate: () => operate(app),
  audit: () => audit(app),
  accounts: (name) => accounts(app, name),
  subjects: () => subjects(app),
  cluster: () => cluster(app),
};

function signIn(message) {
  const token = h('input', { type: 'password', autocomplete: 'current-password', size: '34', id: 'token' });
  return h('div', { class: 'card signin' }, h('h1', {}, 'Sign in'),
    h('p', { class: 'muted' }, message ?? 'The token was printed when the node was first started; it is in the file token of its data directory.'),
    h('form', { onsubmit: async (e) => { e.preventDefault(); await app.signIn(token.value); } }, h('label', { class: 'block' }, h('span', {}, 'Token'), token), h('button', {}, 'Sign in')));
}

async function render() {
  const mine = ++drawing;
  leave.forEach((action) => action());
  leave = [];
  const [path, query] = (location.hash.slice(2) || 'reviews').split('?');
  const [page, ...rest] = path.split('/').map(decodeURIComponent);
  app.query = new URLSearchParams(query);
  document.querySelectorAll('nav a').forEach((a) => (a.dataset.page === page ? a.setAttribute('aria-current', 'page') : a.removeAttribute('aria-current')));
  document.title = `${page} · Entente`;
  try {
    const content = await (pages[page] ?? pages.reviews)(...rest);
    if (mine !== drawing) return;
    main.replaceChildren(...content.filter(Boolean));
    document.getElementById('sign-out').hidden = false;
    const me = await app.whoAmI();
    document.getElementById('who-am-i').textContent = me.name;
    const runs = (scope) => me.grants.includes(`admin@${scope}`);
    document.querySelector('[data-page=accounts]').hidden = !runs('*');
    document.querySelector('[data-page=subjects]').hidden = !runs('*') && !runs(app.tenant);
    countPending();
  } catch (problem) {
    if (problem.status === 401) main.replaceChildren(signIn());
    else main.replaceChildren(h('div', { class: 'card' }, h('h1', {}, 'That did not work'), h('p', {}, problem.message)));
  }
}

async function countPending() {
  try {
    const { total } = await app.get('reviews?limit=1');
    const badge = document.getElementById('pending');
    badge.textContent = total;
    badge.hidden = !total;
  } catch { /* the page itself says what is wrong */ }
}

document.addEventListener('keydown', (event) => {
  const typing = event.target.matches('input, textarea, select') || event.ctrlKey || event.metaKey || event.altKey;
  if (event.key === 'Escape' && location.hash.startsWith('#/reviews/')) { location.hash = '#/reviews'; return; }
  if (typing) return;
  const links = [...document.querySelectorAll('.list a')];
  const at = links.indexOf(document.activeElement);
  if (event.key === 'j') links[Math.min(at + 1, links.length - 1)]?.focus();
  if (event.key === 'k') links[Math.max(at - 1, 0)]?.focus();
  if (event.key === 'r') { document.getElementById('reason')?.focus(); event.preventDefault(); }
  if (/^[1-9]$/.test(event.key)) document.querySelector(`[data-choose="${event.key - 1}"]`)?.focus();
  if (event.key === 'i') document.getElementById('ignore')?.focus();
});

tenantField.value = app.tenant;
tenantField.addEventListener('change', () => { localStorage.setItem('entente-tenant', tenantField.value || 'main'); render(); });
document.getElementById('sign-out').addEventListener('click', async () => { await app.api('DELETE', '/session'); document.getElementById('sign-out').hidden = true; document.getElementById('who-am-i').textContent = ''; app.me = undefined; render(); });
window.addEventListener('hashchange', render);

// A link such as /#token=… signs in and leaves no trace in the address.
const given = /^#token=([\w.-]+)$/.exec(location.hash);
if (given) {
  history.replaceState(null, '', '/#/reviews');
  app.signIn(given[1]);
} else {
  render();
}
setInterval(countPending, 5000);
