// SPDX-License-Identifier: Apache-2.0
// What somebody may ask of the data about them: where it is, all of it, and that it be forgotten.
import { action, asked, field, h, pages, part, recordLink, search, table, tag, when } from '/ui/dom.js';

const STAGES = {
  unproven: 'kept: no trusted administrator signed it; erase it again to carry it out',
  waiting: 'until every node has heard of it', overtaken: 'once more: somebody wrote without knowing of it',
  due: 'about to be carried out at this node', done: 'nothing of it is left at this node',
};

function erasures(all) {
  return h('section', {}, h('h2', {}, 'Erased'),
    all.length ? table('What was erased, and how far that is', ['Record', 'When', 'By', 'Why', 'How far'], all.map((one) => h('tr', {},
      h('td', {}, h('code', {}, `${one.type}/${one.id}`)), h('td', {}, when(one.at)), h('td', {}, one.by), h('td', {}, one.reason),
      h('td', {}, tag(one.stage, one.stage === 'done' ? 'resolved' : 'pending'), h('span', { class: 'muted small' }, ` ${STAGES[one.stage]}`),
        one.waitingFor.length ? h('p', { class: 'muted small' }, 'These have not: ', one.waitingFor.join(', ')) : null))))
      : h('p', { class: 'muted' }, 'Nothing yet.'));
}

function eraseDialog(app, { type, id }) {
  const reason = h('input', { name: 'reason', size: '30', required: true, placeholder: 'number of the request' });
  const dialog = h('dialog', { 'aria-label': `Erase ${type}/${id}` });
  const close = () => { dialog.close(); dialog.remove(); };
  const form = h('form', {}, h('h2', {}, `Erase ${type}/${id}?`),
    h('p', {}, 'All that it holds and ever held goes, at every node, with its reviews and what the audit log says of it. This cannot be undone.'),
    h('p', { class: 'muted small' }, 'The reason is kept; do not name the person in it.'), field('Why', reason),
    h('div', { class: 'row' }, h('button', { type: 'button', class: 'quiet', onclick: close }, 'Keep it'), h('button', {}, 'Erase it for good')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await app.send('POST', `records/${part(type)}/${part(id)}/erasure`, { reason: reason.value });
      app.notice(`${type}/${id} is erased: nobody reads it any more.`);
      close();
      app.render();
    } catch (problem) { app.notice(problem.message); }
  });
  dialog.append(form);
  document.body.append(dialog);
  app.onLeave(() => dialog.remove());
  dialog.showModal();
}

function found(app, record) {
  const { type, id } = record;
  return h('li', { class: 'row card' }, recordLink(type, id), h('span', {},
    h('a', { href: app.url(`records/${part(type)}/${part(id)}/export`), download: `${type}-${id}.ndjson`, 'aria-label': `export ${type}/${id}` }, 'Export'), ' ',
    action(app, 'Erase …', async () => eraseDialog(app, record), { class: 'quiet small', 'aria-label': `erase ${type}/${id}` })));
}

export async function subjects(app) {
  const { naming } = asked(app.query, ['naming']);
  const page = async (cursor) => {
    const { records, next } = await app.get(`subjects?limit=50&naming=${part(naming)}${cursor ? `&cursor=${cursor}` : ''}`);
    return { items: records, next };
  };
  const [all, first] = await Promise.all([app.get('erasures?limit=100'), naming ? page() : null]);
  const list = h('ul', { class: 'plain' });
  const foot = first && pages(list, first, page, (record) => found(app, record));
  return [
    h('h1', {}, 'Data of people'),
    h('p', { class: 'muted' }, 'Somebody asks what is kept about them, or to be forgotten: find the records that name them, give out all that is kept of each, or erase it.'),
    search('Find', (what) => { location.hash = `#/subjects?${new URLSearchParams(what)}`; },
      field('Name, number, address …', h('input', { name: 'naming', size: '30', required: true, maxlength: '200', value: naming ?? '' })), h('button', {}, 'Find')),
    first && h('section', {}, h('h2', {}, `Records that name ${naming}`),
      first.items.length || first.next ? null : h('p', { class: 'muted' }, 'None, as records are now.'), list, foot),
    erasures(all.erasures), all.next && h('p', { class: 'muted small' }, 'And more: ', h('code', {}, 'entente erase'), ' lists all.'),
  ];
}
