// SPDX-License-Identifier: Apache-2.0
// What waits for people: the queue with its filters, many decided at once, and one review.
import { action, ago, asked, field, h, looksAlike, pages, part, recordLink, search, select, tag, when } from '/ui/dom.js';
import { marked, pretty } from '/ui/diff.js';
import { parse, stringify } from '/ui/json.js';

const FILTERS = ['type', 'unit', 'recordId', 'owner', 'severity', 'conflict', 'late'];
const RULES = ['last-writer-wins', 'first-writer-wins', 'highest-value', 'lowest-value', 'sum-of-changes', 'union', 'merge', 'append'];

const words = (filter) => Object.entries(filter).map(([name, value]) => `${name} ${value === '-' ? 'nobody' : value}`).join(', ');
const queryOf = (status, filter) => new URLSearchParams({ status, ...filter }).toString();

function row(review) {
  const open = review.status === 'pending';
  return h('li', {}, h('a', { href: `#/reviews/${review.id}` },
    h('div', { class: 'row' },
      h('strong', {}, `${review.type}/${review.recordId} · ${review.unit}`),
      h('span', {}, tag(review.conflict.severity), ' ',
        open && review.overdue && tag(review.escalated ? 'escalated' : 'overdue', 'overdue'), ' ',
        review.approvals?.length ? tag('approved by one', 'pending') : null, ' ',
        review.owner && tag(review.owner, 'person'), ' ', review.escalatedTo && tag(`→ ${review.escalatedTo}`, 'person'))),
    h('p', { class: 'small' }, review.conflict.explanation),
    h('p', { class: 'muted small' }, open
      ? `waiting since ${ago(review.createdAt)}, due ${ago(review.dueAt)}${review.notesCount ? ` · ${review.notesCount} note${review.notesCount === 1 ? '' : 's'}` : ''}`
      : `${review.status} by ${review.decidedBy} ${ago(review.decidedAt)}: ${review.reason || 'no reason given'}`)));
}

/** The form that narrows the queue down; what it says is in the address, and so can be sent on. */
function filters(me, status, filter) {
  return search('Narrow down', (filled) => { location.hash = `#/reviews?${queryOf(status, filled)}`; },
    field('Whose', select('owner', [['', 'anybody’s'], ['-', 'nobody’s'], [me, 'mine']].concat(
      filter.owner && ![me, '-'].includes(filter.owner) ? [[filter.owner, filter.owner]] : []), filter.owner)),
    field('At least', select('severity', [['', 'any severity'], 'medium', 'high', 'critical'], filter.severity)),
    field('Late', select('late', [['', 'or not'], 'overdue', 'escalated'], filter.late)),
    field('Type', h('input', { name: 'type', size: '10', value: filter.type })),
    field('Unit', h('input', { name: 'unit', size: '10', value: filter.unit })),
    h('button', { class: 'quiet' }, 'Show'));
}

async function kept(app, status, filter) {
  const { views } = await app.get('views');
  const me = (await app.whoAmI()).name;
  const name = h('input', { size: '14', placeholder: 'a name for this', 'aria-label': 'name of the view' });
  const shared = h('input', { type: 'checkbox' });
  const save = async () => {
    if (!name.value.trim()) { app.notice('Give it a name first.'); return; }
    await app.send('PUT', `views/${part(name.value.trim())}`, { filter, shared: shared.checked });
    app.render();
  };
  return h('div', { class: 'views' },
    views.map((view) => h('span', { class: 'view' },
      h('a', { href: `#/reviews?${queryOf(status, view.filter)}`, title: words(view.filter), 'aria-current': words(view.filter) === words(filter) ? 'true' : undefined },
        view.name, view.owner === me ? null : h('span', { class: 'muted small' }, ` of ${view.owner}`)),
      view.owner === me ? action(app, '×', async () => { await app.send('DELETE', `views/${part(view.name)}`); app.render(); },
        { class: 'quiet tiny', 'aria-label': `remove the view ${view.name}` }) : null)),
    Object.keys(filter).length ? h('details', {}, h('summary', {}, 'Keep this filter'), h('p', {}, name, ' ', h('label', {}, shared, ' for everybody '), action(app, 'Keep', save, { class: 'quiet' }))) : null);
}

/** Follows a job on the page until it ends. */
async function follow(app, job, into, done) {
  let gone = false;
  app.onLeave(() => { gone = true; });
  let now = job;
  while (!gone && now.state === 'running') {
    into.replaceChildren(
      h('progress', { max: Math.max(1, now.total ?? 1), value: now.seen, 'aria-label': 'progress' }),
      ` ${now.seen} of ${now.total ?? '?'} looked at, ${now.changed} ${now.dryRun ? 'would be ' : ''}decided `,
      action(app, 'Stop', () => app.send('DELETE', `jobs/${job.id}`), { class: 'quiet' }));
    await new Promise((resolve) => { setTimeout(resolve, 400); });
    now = await app.get(`jobs/${job.id}`);
  }
  if (!gone) done(now);
}

/** Decides all that the filter finds, by a rule; first what would become of it, then on request. */
function bulk(app, filter) {
  const rule = select('rule', RULES);
  const reason = h('input', { size: '30', placeholder: 'why; kept with each decision' });
  const state = h('div', { role: 'status' });
  const begin = (dryRun) => app.send('POST', 'reviews/decisions', { filter, rule: rule.value, reason: reason.value, dryRun, background: true });
  const undo = (job) => async () => {
    const back = await app.send('POST', `jobs/${job.id}/undo`, {});
    follow(app, back, state, (ended) => state.replaceChildren(`${ended.changed} wait again, ${ended.failed} could not be taken back.`));
  };
  const decide = async () => follow(app, await begin(false), state, (ended) => {
    state.replaceChildren(`${ended.changed} decided, ${ended.failed} left: ${ended.state}. `, ended.changed ? action(app, 'Take all of it back', undo(ended), { class: 'quiet' }) : '');
  });
  const preview = async () => follow(app, await begin(true), state, (ended) => state.replaceChildren(
    h('p', {}, `${ended.changed} would be decided, ${ended.failed} would stay. `, ended.changed ? action(app, `Decide these ${ended.changed}`, decide) : null),
    ended.named.length ? h('details', {}, h('summary', {}, 'Which'), h('ul', { class: 'small' }, ended.named.slice(0, 50).map((name) => h('li', {}, pretty(name))))) : null));
  return h('details', { class: 'card' }, h('summary', {}, `Decide all of these as a rule would (${words(filter)})`),
    h('div', { class: 'filters' }, field('Rule', rule), field('Reason', reason), action(app, 'Preview', preview, { class: 'quiet' })), state);
}

export async function reviews(app) {
  const status = app.query.get('status') ?? 'pending', filter = asked(app.query, FILTERS);
  const load = async (cursor) => {
    const page = await app.get(`reviews?${queryOf(status, filter)}&limit=50${cursor ? `&cursor=${part(cursor)}` : ''}`);
    return { items: page.reviews, next: page.next, total: page.total };
  };
  const [first, me, views] = await Promise.all([load(), app.whoAmI(), kept(app, status, filter)]);
  const filtered = Object.keys(filter).length > 0;
  const list = h('ul', { class: 'list' });
  const foot = pages(list, first, load, row);
  const total = first.total;
  const say = filtered ? (first.items.length ? `Those with ${words(filter)}.` : `None found with ${words(filter)}${first.next ? ' so far' : ''}.`)
    : status !== 'pending' ? `${total ?? ''} ${status}.`
      : total === 0 ? 'Nothing waits for you. Every conflict was settled by a rule.'
        : `${total ?? 'Some'} conflict${total === 1 ? '' : 's'} that no rule may settle. Readers see the last agreed value meanwhile.`;
  return [
    h('div', { class: 'row' }, h('h1', {}, 'Reviews'),
      h('div', { class: 'tabs' }, ['pending', 'resolved', 'ignored'].map((s) => h('a', { href: `#/reviews?${queryOf(s, filter)}`, 'aria-current': s === status ? 'true' : undefined }, s)))),
    filters(me.name, status, filter), views,
    h('p', { class: 'muted' }, say),
    status === 'pending' && filtered && first.items.length ? bulk(app, filter) : null,
    list, foot,
    h('p', { class: 'muted small keys' }, h('kbd', {}, 'j'), ' next  ', h('kbd', {}, 'k'), ' previous  ', h('kbd', {}, 'Enter'), ' open'),
  ];
}

function votes(one, open) {
  return h('div', { class: 'card' },
    h('p', {}, `Round ${one.vote.round}: ${one.vote.quorum} of ${one.vote.of} decide. `,
      one.vote.tally.length ? `${one.vote.tally.map((t) => `${stringify(t.value)} has ${t.weight}`).join(', ')}. ` : 'Nobody has voted yet. ',
      open && one.vote.outstanding.length ? `Still to vote: ${one.vote.outstanding.join(', ')}.` : ''),
    one.vote.equivocated.length ? h('p', {}, tag('signed two values', 'rejected'), ` ${one.vote.equivocated.join(', ')}`) : null);
}

/** Who has it; taking it is one press. */
function owner(app, one, me) {
  const assign = (to) => async () => { await app.send('POST', `reviews/${one.id}/assign`, { owner: to }); app.render(); };
  return h('p', { class: 'muted small' },
    `waiting since ${ago(one.createdAt)}, due ${ago(one.dueAt)}, escalated ${ago(one.escalateAt)}`,
    one.escalatedTo ? ` to ${one.escalatedTo}` : '', one.owner ? `, with ${one.owner} ` : ' ',
    one.owner === me ? action(app, 'Give it back', assign(null), { class: 'quiet small' }) : action(app, 'I take it', assign(me), { class: 'quiet small' }));
}

function notes(app, one, open) {
  const text = h('textarea', { rows: '2', 'aria-label': 'a note', placeholder: 'what whoever looks at it next should know' });
  const add = async () => { await app.send('POST', `reviews/${one.id}/notes`, { text: text.value }); app.render(); };
  return h('section', { class: 'card' }, h('h2', {}, 'Notes'),
    one.notes.length ? h('ul', { class: 'plain notes' }, one.notes.map((note) => h('li', {}, h('strong', {}, note.by), ' ', h('span', { class: 'muted small' }, when(note.at)), h('p', {}, note.text)))) : h('p', { class: 'muted small' }, 'None yet.'),
    open ? h('div', {}, text, h('p', {}, action(app, 'Add the note', add, { class: 'quiet' }))) : null);
}

function approvals(one) {
  if (!one.twoPersons) return null;
  const given = one.approvals ?? [];
  return h('div', { class: 'card' }, h('p', {}, h('strong', {}, 'Two persons decide this. '), given.length ? 'It holds once somebody else decides the same:' : 'What you choose is an approval; it holds once somebody else chooses the same.'),
    given.map((a) => h('p', {}, tag(a.by, 'person'), ' ', stringify(a.decision), h('span', { class: 'muted small' }, ` ${ago(a.at)}${a.reason ? `: ${a.reason}` : ''}`))));
}

export async function review(app, id) {
  const one = await app.get(`reviews/${id}`);
  const conflict = one.conflict, open = one.status === 'pending';
  const me = (await app.whoAmI()).name;
  const reason = h('input', { id: 'reason', placeholder: 'for whoever asks later', size: '40', autocomplete: 'off' });
  const named = await app.mayNameAuthors() && !one.twoPersons;
  const author = h('input', { id: 'who', value: named ? localStorage.getItem('entente-name') ?? '' : me, placeholder: 'your name', autocomplete: 'name', readonly: !named });
  const send = async (path, body) => {
    if (named) localStorage.setItem('entente-name', author.value);
    return app.send('POST', `reviews/${id}/${path}`, body, named ? author.value : undefined);
  };
  const decide = async (body) => {
    try {
      const after = await send('decision', { ...body, reason: reason.value });
      if (after.status === 'pending') {
        app.notice('Approved. It holds once somebody else decides the same.');
        app.render();
      } else {
        app.notice('Decided. It is a new version of the record and can be undone there.');
        location.hash = '#/reviews';
      }
    } catch (problem) {
      app.notice(problem.message);
      if (problem.status === 409) app.render();
    }
  };
  const reopen = async () => {
    try {
      await send('reopen', { reason: reason.value });
      app.notice('Reopened. It is pending again.');
      app.render();
    } catch (problem) { app.notice(problem.message); }
  };
  const vote = async (body) => {
    try {
      const after = await send('vote', body);
      app.notice(after.status === 'resolved' ? 'That decided it; the certificate is kept with the decision.' : 'Your vote is counted.');
      app.render();
    } catch (problem) { app.notice(problem.message); }
  };
  const agreed = conflict.lastAgreed, contended = conflict.limit !== undefined, violated = conflict.violation !== undefined;
  const special = contended || violated || conflict.appeal;
  const choose = (index) => (one.vote ? vote({ choose: index }) : decide({ choose: index }));
  const label = one.vote ? 'Vote for this' : conflict.chooses === 'who-gives-way' ? 'This one gives way' : contended ? 'This one keeps it' : conflict.appeal ? 'This is to be there' : 'Use this';
  const cards = conflict.competing.map((value, index) => h('section', { class: 'value', 'aria-label': `value ${index + 1}` },
    h('h2', {}, h('kbd', {}, String(index + 1)), ` ${value.author || 'what is there now'}`, looksAlike(value)),
    value.time ? h('p', { class: 'muted small' }, when(value.time), ` · node ${value.node}`) : null,
    value.removed ? h('p', {}, tag('removed', 'rejected')) : contended ? h('p', {}, recordLink(one.type, value.value)) : marked(value.value, agreed),
    open ? h('button', { 'data-choose': String(index), onclick: () => choose(index) }, index === 0 ? label : `${label} (${index + 1})`) : null));
  const own = h('textarea', { rows: '5', 'aria-label': 'your own value as JSON', spellcheck: 'false' });
  own.value = stringify(conflict.competing[0]?.value ?? null, 2);
  const useOwn = () => {
    let value;
    try { value = parse(own.value); } catch (e) { app.notice(`That is not JSON: ${e.message}`); return; }
    decide({ value });
  };
  return [
    h('p', {}, h('a', { href: '#/reviews' }, '← all reviews')),
    h('div', { class: 'row' }, h('h1', {}, `${one.unit} of `, recordLink(one.type, one.recordId)), h('span', {}, tag(conflict.severity), ' ', tag(conflict.type), ' ', tag(one.status))),
    h('p', {}, conflict.explanation),
    open ? owner(app, one, me) : null,
    one.vote ? votes(one, open) : null,
    open && one.policyGoesOnAt ? h('p', { class: 'muted small' }, `the policy goes on by itself ${ago(one.policyGoesOnAt)}`) : null,
    open ? approvals(one) : null,
    h('div', { class: 'values' }, special ? null : h('section', { class: 'value agreed', 'aria-label': 'last agreed value' }, h('h2', {}, 'Last agreed'),
      h('p', { class: 'muted small' }, 'what readers see until somebody decides'), agreed === undefined ? h('p', { class: 'muted' }, 'no longer known') : h('pre', { tabindex: '0' }, pretty(agreed)),
      open && !one.vote ? h('button', { class: 'quiet', onclick: () => decide(agreed === null || agreed === undefined ? { remove: true } : { value: agreed }) }, 'Keep that') : null), cards),
    open ? h('div', { class: 'card' },
      h('div', { class: 'filters' }, one.vote ? null : field('Reason', reason), field(one.vote ? 'Voting as' : 'Decided by', author)),
      one.vote || special ? null : h('details', {}, h('summary', {}, 'Write my own'), own, h('p', {}, h('button', { onclick: useOwn }, 'Use my own value'))),
      one.vote ? null : h('p', {}, h('button', { class: 'quiet', id: 'ignore', onclick: () => decide({ ignore: true }) }, violated ? 'Looked into, close it' : 'Ignore, leave it as it is')))
      : h('div', { class: 'card' }, h('p', {}, `${one.status} by ${one.decidedBy}: ${one.reason || 'no reason given'}`), one.decision ? h('pre', { tabindex: '0' }, pretty(one.decision)) : null,
        one.status === 'ignored' ? h('div', { class: 'filters' }, field('Reason', reason), field('Reopened by', author), h('button', { class: 'quiet', id: 'reopen', onclick: reopen }, 'Reopen')) : null),
    notes(app, one, open),
    h('p', { class: 'muted small keys' }, h('kbd', {}, '1'), '…', h('kbd', {}, '9'), ' that value  ', h('kbd', {}, 'r'), ' reason  ', h('kbd', {}, 'i'), ' ignore  ', h('kbd', {}, 'Esc'), ' back'),
  ];
}
