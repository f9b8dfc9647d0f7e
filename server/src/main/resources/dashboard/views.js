// SPDX-License-Identifier: Apache-2.0
// The pages. Everything a record holds goes into text nodes.
import { marked, pretty } from '/ui/diff.js';

/** Makes an element: h('p', {class: 'x', onclick: f}, child, …). */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

const tag = (text, kind = text) => h('span', { class: `tag ${kind}` }, text);
const when = (iso) => h('time', { datetime: iso, title: iso }, new Date(iso).toLocaleString());
const looksAlike = (value) => value.authorMixesAlphabets && tag('mixes alphabets', 'rejected');
const recordLink = (type, id) => h('a', { href: `#/record/${encodeURIComponent(type)}/${encodeURIComponent(id)}` }, `${type}/${id}`);

function ago(iso) {
  const minutes = Math.round((Date.now() - new Date(iso)) / 60000);
  const text = (m) => (m < 1 ? 'less than a minute' : m < 90 ? `${m} min` : m < 2880 ? `${Math.round(m / 60)} h` : `${Math.round(m / 1440)} days`);
  return minutes >= 0 ? `${text(minutes)} ago` : `in ${text(-minutes)}`;
}

export async function reviews(app) {
  const status = app.query.get('status') ?? 'pending';
  const page = await app.get(`reviews?status=${status}&limit=100`);
  const items = page.reviews.map((review) => h('li', {}, h('a', { href: `#/reviews/${review.id}` },
    h('div', { class: 'row' },
      h('strong', {}, `${review.type}/${review.recordId} · ${review.unit}`),
      h('span', {}, tag(review.conflict.severity), ' ', review.overdue ? tag(review.escalated ? 'escalated' : 'overdue', 'overdue') : null,
        ' ', review.owner ? tag(review.owner) : null)),
    h('p', { class: 'small' }, review.conflict.explanation),
    h('p', { class: 'muted small' }, status === 'pending' ? `waiting since ${ago(review.createdAt)}, due ${ago(review.dueAt)}` : `${review.status} by ${review.decidedBy} ${ago(review.decidedAt)}: ${review.reason || 'no reason given'}`))));
  return [
    h('div', { class: 'row' }, h('h1', {}, 'Reviews'),
      h('div', {}, ...['pending', 'resolved', 'ignored'].map((s) => [h('a', { href: `#/reviews?status=${s}`, 'aria-current': s === status ? 'true' : undefined }, s === status ? h('strong', {}, s) : s), ' ']))),
    h('p', { class: 'muted' }, status === 'pending'
      ? (page.total ? `${page.total} conflict${page.total === 1 ? '' : 's'} that no rule may settle. Readers see the last agreed value meanwhile.` : 'Nothing waits for you. Every conflict was settled by a rule.')
      : `${page.total} ${status}.`),
    h('ul', { class: 'list' }, items),
    page.next ? h('p', { class: 'muted' }, 'The oldest 100 are shown.') : null,
    h('p', { class: 'muted small' }, h('kbd', {}, 'j'), ' next  ', h('kbd', {}, 'k'), ' previous  ', h('kbd', {}, 'Enter'), ' open'),
  ];
}

export async function review(app, id) {
  const one = await app.get(`reviews/${id}`);
  const conflict = one.conflict, open = one.status === 'pending';
  const reason = h('input', { id: 'reason', placeholder: 'for whoever asks later', size: '40', autocomplete: 'off' });
  const named = await app.mayNameAuthors();
  const author = h('input', { id: 'who', value: named ? localStorage.getItem('entente-name') ?? '' : (await app.whoAmI()).name, placeholder: 'your name', autocomplete: 'name', readonly: !named });
  const decide = async (body) => {
    if (named) localStorage.setItem('entente-name', author.value);
    try {
      await app.send('POST', `reviews/${id}/decision`, { ...body, reason: reason.value }, author.value);
      app.notice('Decided. It is a new version of the record and can be undone there.');
      location.hash = '#/reviews';
    } catch (problem) {
      app.notice(problem.message);
      if (problem.status === 409) app.render();
    }
  };
  const vote = async (body) => {
    if (named) localStorage.setItem('entente-name', author.value);
    try {
      const after = await app.send('POST', `reviews/${id}/vote`, body, author.value);
      app.notice(after.status === 'resolved' ? 'That decided it; the certificate is kept with the decision.' : 'Your vote is counted.');
      app.render();
    } catch (problem) { app.notice(problem.message); }
  };
  const agreed = conflict.lastAgreed, contended = conflict.limit !== undefined, violated = conflict.violation !== undefined;
  const choose = (index) => (one.vote ? vote({ choose: index }) : decide({ choose: index }));
  const label = one.vote ? 'Vote for this' : conflict.chooses === 'who-gives-way' ? 'This one gives way' : contended ? 'This one keeps it' : conflict.appeal ? 'This is to be there' : 'Use this';
  const cards = conflict.competing.map((value, index) => h('section', { class: 'value', 'aria-label': `value ${index + 1}` },
    h('h3', {}, h('kbd', {}, String(index + 1)), ` ${value.author || 'what is there now'}`, looksAlike(value)),
    value.time ? h('p', { class: 'muted small' }, when(value.time), ` · node ${value.node}`) : null,
    value.removed ? h('p', {}, tag('removed', 'rejected')) : contended ? h('p', {}, recordLink(one.type, value.value)) : marked(value.value, agreed),
    open ? h('button', { 'data-choose': String(index), onclick: () => choose(index) }, index === 0 ? label : `${label} (${index + 1})`) : null));
  const own = h('textarea', { rows: '5', 'aria-label': 'your own value as JSON', spellcheck: 'false' });
  own.value = JSON.stringify(conflict.competing[0]?.value ?? null, null, 2);
  return [
    h('p', {}, h('a', { href: '#/reviews' }, '← all reviews')),
    h('div', { class: 'row' }, h('h1', {}, `${one.unit} of `, recordLink(one.type, one.recordId)), h('span', {}, tag(conflict.severity), ' ', tag(conflict.type), ' ', tag(one.status))),
    h('p', {}, conflict.explanation),
    h('p', { class: 'muted small' }, `waiting since ${ago(one.createdAt)}, due ${ago(one.dueAt)}, escalated ${ago(one.escalateAt)}${one.owner ? `, owned by ${one.owner}` : ''}`),
    one.vote ? h('div', { class: 'card' }, h('p', {}, `Round ${one.vote.round}: ${one.vote.quorum} of ${one.vote.of} decide. `,
      one.vote.tally.length ? one.vote.tally.map((t) => `${JSON.stringify(t.value)} has ${t.weight}`).join(', ') + '. ' : 'Nobody has voted yet. ',
      open && one.vote.outstanding.length ? `Still to vote: ${one.vote.outstanding.join(', ')}.` : ''),
      one.vote.equivocated.length ? h('p', {}, tag('signed two values', 'rejected'), ` ${one.vote.equivocated.join(', ')}`) : null) : null,
    open && one.policyGoesOnAt ? h('p', { class: 'muted small' }, `the policy goes on by itself ${ago(one.policyGoesOnAt)}`) : null,
    h('div', { class: 'values' }, contended || violated || conflict.appeal ? null : h('section', { class: 'value agreed', 'aria-label': 'last agreed value' }, h('h3', {}, 'Last agreed'),
      h('p', { class: 'muted small' }, 'what readers see until somebody decides'), agreed === undefined ? h('p', { class: 'muted' }, 'no longer known') : h('pre', { tabindex: '0' }, pretty(agreed)),
      open && !one.vote ? h('button', { class: 'quiet', onclick: () => decide(agreed === null || agreed === undefined ? { remove: true } : { value: agreed }) }, 'Keep that') : null), ...cards),
    open ? h('div', { class: 'card' },
      h('div', { class: 'row' }, one.vote ? null : h('label', {}, 'Reason ', reason), h('label', {}, one.vote ? 'Voting as ' : 'Decided by ', author)),
      one.vote || contended || violated || conflict.appeal ? null : h('details', {}, h('summary', {}, 'Write my own'), own, h('p', {}, h('button', {
        onclick: () => { try { decide({ value: JSON.parse(own.value) }); } catch (e) { app.notice(`That is not JSON: ${e.message}`); } },
      }, 'Use my own value'))),
      one.vote ? null : h('p', {}, h('button', { class: 'quiet', onclick: () => decide({ ignore: true }) }, violated ? 'Looked into, close it' : 'Ignore, leave it as it is')))
      : h('div', { class: 'card' }, h('p', {}, `${one.status} by ${one.decidedBy}: ${one.reason || 'no reason given'}`), one.decision ? h('pre', {}, pretty(one.decision)) : null),
    h('p', { class: 'muted small' }, h('kbd', {}, '1'), '…', h('kbd', {}, '9'), ' use that value  ', h('kbd', {}, 'r'), ' reason  ', h('kbd', {}, 'i'), ' ignore  ', h('kbd', {}, 'Esc'), ' back'),
  ];
}

export async function record(app, type, id) {
  const typeField = h('input', { value: type ?? '', 'aria-label': 'type', placeholder: 'type' });
  const idField = h('input', { value: id ?? '', 'aria-label': 'id', placeholder: 'id' });
  const form = h('form', { class: 'row', onsubmit: (e) => { e.preventDefault(); location.hash = `#/record/${encodeURIComponent(typeField.value)}/${encodeURIComponent(idField.value)}`; } },
    h('span', {}, typeField, ' / ', idField, ' ', h('button', {}, 'Show')));
  if (!type || !id) return [h('h1', {}, 'Record'), form];
  const path = `records/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
  const [now, history] = await Promise.all([app.get(path).catch((e) => (e.status === 404 ? null : Promise.reject(e))), app.get(`${path}/history?limit=100`)]);
  const back = (version) => async () => {
    const reason = prompt('Why go back to this version? It is written as a new version; nothing is erased.');
    if (reason === null) return;
    try { await app.send('POST', `${path}/rollback`, { to: version.context, reason }); app.notice('Rolled back, as a new version.'); app.render(); } catch (e) { app.notice(e.message); }
  };
  return [
    h('div', { class: 'row' }, h('h1', {}, `${type}/${id}`), form),
    now ? h('p', { class: 'muted small' }, 'updated ', when(now.updatedAt)) : h('p', {}, tag('deleted', 'rejected'), ' its history is kept'),
    now ? h('pre', { tabindex: '0' }, pretty(now.data)) : null,
    now?.conflicts.length ? h('h2', {}, 'Why it looks like this') : null,
    ...(now?.conflicts ?? []).map((c) => h('div', { class: 'card' },
      h('div', { class: 'row' }, h('strong', {}, c.unit), h('span', {}, tag(c.status), ' ', tag(c.strategy, ''), ' ', c.uncertain ? tag('uncertain') : null)),
      h('p', {}, c.explanation),
      h('div', { class: 'values' }, ...c.competing.map((v) => h('div', { class: 'value' }, h('p', { class: 'muted small' }, v.author, looksAlike(v), ' · ', when(v.time)), v.removed ? tag('removed', 'rejected') : marked(v.value, c.lastAgreed)))),
      c.status === 'pending' ? h('a', { href: `#/reviews/${c.id}` }, 'decide this') : null)),
    h('h2', {}, 'History'),
    h('ol', { class: 'timeline' }, history.versions.map((v, i) => h('li', { class: i + 1 < history.versions.length && v.basedOn !== history.versions[i + 1].context ? 'concurrent' : '' },
      h('div', { class: 'row' }, h('span', {}, h('strong', {}, v.author), ' ', when(v.time), v.device ? ` on ${v.device}` : '',
        i + 1 < history.versions.length && v.basedOn !== history.versions[i + 1].context ? [' ', tag('concurrent', 'pending')] : null),
      i > 0 ? h('button', { class: 'quiet small', onclick: back(v) }, 'Go back to this') : null),
      v.reason ? h('p', { class: 'small' }, `“${v.reason}”`) : null,
      h('table', {}, v.changes.filter((c) => !(c.unit === 'alive' && c.set)).map((c) => h('tr', {}, h('td', {}, h('strong', {}, c.unit)),
        h('td', {}, c.removed ? tag('removed', 'rejected') : c.increment !== undefined ? `${c.increment >= 0 ? '+' : ''}${c.increment}` : c.add ? [...c.add.map((x) => `+ ${pretty(x)} `), ...c.remove.map((x) => `− ${pretty(x)} `)].join('') : marked(c.set, c.replaced ?? undefined)))))))),
  ];
}

export async function live(app) {
  const feed = h('div', {});
  const state = h('p', { class: 'muted', role: 'status' }, 'connecting…');
  let shown = 0;
  const source = new EventSource(app.url('conflicts'));
  source.addEventListener('open', () => { state.textContent = 'Live: conflicts appear as they are settled.'; });
  source.addEventListener('error', () => { state.textContent = 'The stream was interrupted; trying again…'; });
  source.addEventListener('conflict', (event) => {
    const c = JSON.parse(event.data);
    feed.prepend(h('div', { class: 'card fresh' },
      h('div', { class: 'row' }, h('span', {}, recordLink(c.type, c.id)), h('span', {}, tag(c.outcome), ' ', h('span', { class: 'muted small' }, `${new Date(c.at).toLocaleTimeString()} · ${(c.micros / 1000).toFixed(1)} ms`))),
      c.resolutions.length ? c.resolutions.map((r) => h('p', { class: 'small' }, h('strong', {}, r.unit), ` by ${r.strategy}: ${r.explanation}`)) : h('p', { class: 'small muted' }, 'Concurrent changes that leave each other alone, or add up; all are kept.'),
      c.conflictId ? h('a', { href: `#/reviews/${c.conflictId}` }, 'decide this') : null));
    if (++shown > 200) feed.lastChild.remove();
  });
  app.onLeave(() => source.close());
  return [h('h1', {}, 'Live'), state, feed];
}

export async function policies(app, type) {
  const { types } = await app.get('policies');
  const editor = h('textarea', { rows: '24', 'aria-label': 'policy', spellcheck: 'false' });
  const result = h('div', { role: 'status' });
  if (type) editor.value = await app.text(`policies/${encodeURIComponent(type)}`);
  const send = (method, path, what) => async () => {
    result.replaceChildren();
    try {
      const answer = await app.raw(method, `policies/${encodeURIComponent(type)}${path}`, editor.value, 'application/yaml');
      result.append(what(answer));
    } catch (problem) {
      result.append(h('div', { class: 'card' }, (problem.body?.problems ?? [{ message: problem.message }]).map((p) => h('p', {}, p.line ? tag(`line ${p.line}`, 'rejected') : '', ' ', p.message))));
    }
  };
  return [
    h('h1', {}, 'Policies'),
    h('p', {}, types.length ? types.map((t) => [h('a', { href: `#/policies/${encodeURIComponent(t)}` }, t === type ? h('strong', {}, t) : t), '  ']) : 'No type has a policy; every conflict goes to review.'),
    ...(type ? [editor, h('p', { class: 'row' }, h('span', {},
      h('button', { class: 'quiet', onclick: send('POST', '/preview', (a) => h('div', { class: 'card' }, h('p', {}, `${a.records} recorded conflicts looked at; ${a.changed.length} records would change.`), a.changed.slice(0, 20).map((c) => h('div', {}, h('p', {}, recordLink(type, c.recordId)), h('div', { class: 'values' }, h('div', { class: 'value' }, 'now', marked(c.now, c.then)), h('div', { class: 'value' }, 'then', marked(c.then, c.now))))))) }, 'Try on recorded conflicts'), ' ',
      h('button', { onclick: send('PUT', '', (a) => h('div', { class: 'card' }, h('p', {}, `In force, version ${a.version}.`), a.warnings.map((w) => h('p', { class: 'small' }, w)))) }, 'Put in force')))] : []),
    result,
  ];
}

export async function audit(app) {
  const { entries } = await app.get('audit?limit=200');
  return [
    h('h1', {}, 'Audit'),
    h('p', { class: 'muted' }, 'Append-only and chained by hashes; what was rejected is in here with its payload. ', h('button', {
      class: 'quiet', onclick: async () => { const r = await app.api('POST', '/v1/verify'); app.notice(r.intact ? `Intact: ${r.entries} entries, ${r.versions} versions.` : r.broken); },
    }, 'Check the chain')),
    h('table', {}, h('thead', {}, h('tr', {}, ...['#', 'time', 'who', 'what', 'of', ''].map((c) => h('th', { scope: 'col' }, c)))),
      h('tbody', {}, entries.map((e) => h('tr', {}, h('td', {}, String(e.sequence)), h('td', {}, when(e.time)), h('td', {}, e.actor), h('td', {}, tag(e.action, e.action === 'rejected' ? 'rejected' : '')), h('td', {}, e.subject),
        h('td', {}, h('details', {}, h('summary', {}, 'detail'), h('pre', {}, pretty(e.detail)))))))),
  ];
}

export function signIn(app, message) {
  const field = h('input', { type: 'password', autocomplete: 'current-password', size: '34', id: 'token' });
  return [h('div', { class: 'card signin' }, h('h1', {}, 'Sign in'),
    h('p', { class: 'muted' }, message ?? 'The token was printed when the node was first started; it is in the file token of its data directory.'),
    h('form', { onsubmit: async (e) => { e.preventDefault(); await app.signIn(field.value); } }, h('label', { class: 'block' }, h('span', {}, 'Token'), field), h('button', {}, 'Sign in')))];
}
