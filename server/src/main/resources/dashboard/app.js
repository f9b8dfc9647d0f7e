// SPDX-License-Identifier: Apache-2.0
// The dashboard's shell: the address decides the page, the API does the rest.
import * as views from '/ui/views.js';
import { cluster } from '/ui/cluster.js';
import { overview } from '/ui/overview.js';

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
    if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
    return response;
  },
  api: async (method, url, body, author) => (await app.fetch(method, url, body === undefined ? undefined : JSON.stringify(body), undefined, author)).json(),
  get: (path) => app.api('GET', app.url(path)),
  send: (method, path, body, author) => app.api(method, app.url(path), body, author),
  raw: async (method, path, body, type) => (await app.fetch(method, app.url(path), body, type)).json(),
  text: async (path) => (await app.fetch('GET', app.url(path))).text(),
  onLeave: (action) => leave.push(action),
  notice(text) {
    notice.replaceChildren(views.h('p', {}, text));
    setTimeout(() => notice.replaceChildren(), 6000);
  },
  async signIn(token) {
    try {
      await app.api('POST', '/session', { token });
      app.me = undefined;
      app.render();
    } catch (problem) {
      main.replaceChildren(...views.signIn(app, problem.message));
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

const pages = { overview: () => overview(app), reviews: (id) => (id ? views.review(app, id) : views.reviews(app)), record: (t, i) => views.record(app, t, i), live: () => views.live(app), policies: (t) => views.policies(app, t), audit: () => views.audit(app), cluster: () => cluster(app) };

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
    document.getElementById('who-am-i').textContent = (await app.whoAmI()).name;
    countPending();
  } catch (problem) {
    if (problem.status === 401) main.replaceChildren(...views.signIn(app));
    else main.replaceChildren(views.h('div', { class: 'card' }, views.h('h1', {}, 'That did not work'), views.h('p', {}, problem.message)));
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
  if (event.key === 'i') [...document.querySelectorAll('button')].find((b) => b.textContent.startsWith('Ignore'))?.focus();
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
