// SPDX-License-Identifier: Apache-2.0
// Conflicts as they are settled.
import { field, h, recordLink, tag } from '/ui/dom.js';
import { parse } from '/ui/json.js';

const SHOWN = 200;

export async function live(app) {
  const feed = h('div', {});
  const state = h('p', { class: 'muted', role: 'status' }, 'connecting…');
  const only = h('input', { size: '24', placeholder: 'a type, unit, strategy or record', spellcheck: 'false' });
  const hold = h('input', { type: 'checkbox' });
  const fits = (card) => card.textContent.toLowerCase().includes(only.value.toLowerCase());
  only.addEventListener('input', () => [...feed.children].forEach((card) => { card.hidden = !fits(card); }));
  let held = 0;
  const source = new EventSource(app.url('conflicts'));
  source.addEventListener('open', () => { state.textContent = 'Live: conflicts appear as they are settled.'; });
  source.addEventListener('error', () => { state.textContent = 'The stream was interrupted; trying again…'; });
  source.addEventListener('conflict', (event) => {
    if (hold.checked) { state.textContent = `Held; ${++held} came meanwhile and are not shown.`; return; }
    if (held) { held = 0; state.textContent = 'Live again.'; }
    const c = parse(event.data);
    const card = h('div', { class: 'card fresh' },
      h('div', { class: 'row' }, h('span', {}, recordLink(c.type, c.id)), h('span', {}, tag(c.outcome), ' ', h('span', { class: 'muted small' }, `${new Date(c.at).toLocaleTimeString()} · ${(c.micros / 1000).toFixed(1)} ms`))),
      c.resolutions.length ? c.resolutions.map((r) => h('p', { class: 'small' }, h('strong', {}, r.unit), ` by ${r.strategy}: ${r.explanation}`)) : h('p', { class: 'small muted' }, 'Concurrent changes that leave each other alone, or add up; all are kept.'),
      c.conflictId ? h('a', { href: `#/reviews/${c.conflictId}` }, 'decide this') : null);
    card.hidden = !fits(card);
    feed.prepend(card);
    if (feed.children.length > SHOWN) feed.lastChild.remove();
  });
  app.onLeave(() => source.close());
  return [h('h1', {}, 'Live'), h('div', { class: 'filters' }, field('Only with', only), h('label', {}, hold, ' hold still')), state, feed];
}
