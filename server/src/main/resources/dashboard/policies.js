// SPDX-License-Identifier: Apache-2.0
// Policies: an editor that knows the keys, and says while one writes what recorded conflicts would become.
import { action, h, part, recordLink, tag } from '/ui/dom.js';
import { marked, pretty } from '/ui/diff.js';
import { suggestions } from '/ui/complete.js';

const PAUSE = 700;
const TEMPLATE = (type) => `type: ${type}\ndefault: manual-review\nfields:\n  note: last-writer-wins\n`;

function changed(type, c) {
  const side = (title, settled, other) => h('div', { class: 'value' }, h('p', { class: 'muted small' }, title, settled ? [' ', tag(settled.status), ' ', tag(settled.strategy, '')] : ' no conflict'),
    settled ? h('p', { class: 'small' }, settled.explanation) : null,
    settled?.value !== undefined ? marked(settled.value, other?.value) : null);
  return h('div', {}, h('p', {}, recordLink(type, c.recordId), ` · ${c.unit}`, c.decided !== undefined ? h('span', { class: 'muted small' }, ` people decided ${pretty(c.decided)}`) : null),
    h('div', { class: 'values' }, side('now', c.now, c.then), side('with this draft', c.then, c.now)));
}

const judged = (type, a) => h('div', { class: 'card' },
  h('p', {}, a.conflicts === 0 ? 'No conflict of this type is recorded yet; nothing to try it on.'
    : `${a.conflicts} recorded conflicts${a.olderLeftOut ? ' (older ones left out)' : ''}: ${a.settledNow} settled by rule now, ${a.settledThen} with this draft; ${a.changes} would end differently.`,
  a.decided ? ` Of ${a.decided} that people decided, the draft decides ${a.decidedAlike} alike.` : ''),
  a.changed.slice(0, 20).map((c) => changed(type, c)),
  a.changes > 20 ? h('p', { class: 'muted small' }, `and ${a.changes - 20} more`) : null);

function problems(editor, problem) {
  const jump = (line) => () => {
    const lines = editor.value.split('\n'), start = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
    editor.focus();
    editor.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  };
  return h('div', { class: 'card bad' }, (problem.body?.problems ?? [{ message: problem.message }]).map((p) => h('p', {},
    p.line ? h('button', { type: 'button', class: 'quiet small', onclick: jump(p.line) }, `line ${p.line}`) : null, ' ', p.message)));
}

/** Keys and values that fit where the cursor stands, as buttons; Ctrl and space takes the first. */
function completing(schema, editor) {
  const row = h('div', { class: 'suggest', 'aria-label': 'what fits here' });
  let found = { words: [] };
  const take = (word) => {
    const text = found.insert(word), start = editor.selectionStart - found.typed.length;
    editor.setRangeText(text, start, editor.selectionStart, 'end');
    editor.focus();
    editor.dispatchEvent(new Event('input'));
  };
  const look = () => {
    found = suggestions(schema, editor.value, editor.selectionStart);
    row.replaceChildren(...found.words.slice(0, 16).map((word) => h('button', { type: 'button', class: 'quiet tiny', onclick: () => take(word) }, word)));
  };
  for (const event of ['input', 'click', 'keyup']) editor.addEventListener(event, look);
  editor.addEventListener('keydown', (event) => {
    if (event.ctrlKey && event.code === 'Space' && found.words.length) { event.preventDefault(); take(found.words[0]); }
  });
  look();
  return row;
}

async function advisor(app, type, editor) {
  const { moments, advice } = await app.get(`policies/${part(type)}/advice?latest=500`).catch(() => ({ moments: 0, advice: [] }));
  const insert = (one) => () => {
    const line = `  ${one.unit}: ${one.proposal}`;
    editor.value = /^fields:/m.test(editor.value)
      ? editor.value.replace(/^fields:.*$/m, (head) => `${head}\n${line}`)
      : `${editor.value.replace(/\n?$/, '\n')}fields:\n${line}\n`;
    editor.dispatchEvent(new Event('input'));
    app.notice('In the draft; it is not in force yet.');
  };
  return h('section', { class: 'card' }, h('h2', {}, 'What the conflicts speak for'),
    advice.length ? advice.map((one) => h('div', { class: 'advice' },
      h('div', { class: 'row' }, h('span', {}, h('strong', {}, one.unit), ' ', h('code', {}, one.proposal)), action(app, 'Put into the draft', insert(one), { class: 'quiet small' })),
      h('p', { class: 'small' }, one.why), h('p', { class: 'muted small' }, one.effect)))
      : h('p', { class: 'muted small' }, moments ? `Nothing to propose from ${moments} recorded conflicts.` : 'No conflict of this type is recorded yet.'));
}

async function editing(app, type, isNew) {
  const editor = h('textarea', { rows: '24', 'aria-label': `policy of ${type}`, spellcheck: 'false', class: 'editor' });
  editor.value = isNew ? TEMPLATE(type) : await app.text(`policies/${part(type)}`);
  const schema = await (await app.fetch('GET', '/ui/policy.schema.json')).json();
  const result = h('div', { role: 'status' });
  const say = async (method, path, draw) => {
    try {
      const answer = await app.raw(method, `policies/${part(type)}${path}`, editor.value, 'application/yaml');
      result.replaceChildren(draw(answer));
    } catch (problem) { result.replaceChildren(problems(editor, problem)); }
  };
  const preview = () => say('POST', '/preview?latest=500', (answer) => judged(type, answer));
  let timer;
  editor.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(preview, PAUSE); });
  app.onLeave(() => clearTimeout(timer));
  const enforce = () => say('PUT', '', (a) => h('div', { class: 'card' }, h('p', {}, tag('in force', 'resolved'), ` version ${a.version}`), a.warnings.map((w) => h('p', { class: 'small' }, w)), a.hits.map((hit) => h('p', { class: 'small' }, hit.message))));
  const advice = await advisor(app, type, editor);
  preview();
  return [completing(schema, editor), editor,
    h('p', { class: 'row' }, h('span', { class: 'muted small' }, h('kbd', {}, 'Ctrl'), ' ', h('kbd', {}, 'Space'), ' takes the first of what fits; what recorded conflicts would become is shown below.'),
      action(app, 'Put in force', enforce)),
    result, advice];
}

export async function policies(app, type) {
  const { types } = await app.get('policies');
  const name = h('input', { size: '12', placeholder: 'type', 'aria-label': 'type of a new policy' });
  const fresh = h('form', { class: 'row', onsubmit: (e) => { e.preventDefault(); if (name.value) location.hash = `#/policies/${part(name.value)}`; } }, h('span', {}, name, ' ', h('button', { class: 'quiet' }, 'New')));
  return [
    h('div', { class: 'row' }, h('h1', {}, 'Policies'), fresh),
    h('p', { class: 'tabs' }, types.length ? types.map((t) => h('a', { href: `#/policies/${part(t)}`, 'aria-current': t === type ? 'true' : undefined }, t)) : 'No type has a policy; every conflict goes to review.'),
    ...(type ? await editing(app, type, !types.includes(type)) : []),
  ];
}
