// Measures text libraries on the editing traces; prints one JSON line per library and trace.
// node --expose-gc text.mjs LIBRARY TRACE FOLDER [ROUNDS]
import { execFileSync } from 'node:child_process';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { performance } from 'node:perf_hooks';

const [library, name, folder, rounds = '7', saved] = process.argv.slice(2);
const trace = JSON.parse(gunzipSync(readFileSync(`${folder}/${name}.json.gz`)));

/** Each adapter: a replica that edits, tells what it did, takes what others did, and encodes. */
const adapters = {
  async yjs() {
    const Y = await import('yjs');
    return {
      create(agent) {
        const doc = new Y.Doc();
        doc.clientID = agent + 1;
        const body = doc.getText('body');
        let updates = [];
        doc.on('updateV2', (update, origin) => { if (origin !== 'remote') updates.push(update); });
        return {
          edit(at, deleted, inserted) {
            if (deleted) body.delete(at, deleted);
            if (inserted) body.insert(at, inserted);
          },
          quiet() { doc._observers.delete('updateV2'); },
          told() { const all = updates; updates = []; return all; },
          take(update) { Y.applyUpdateV2(doc, update, 'remote'); },
          text: () => body.toString(),
          encode: () => Y.encodeStateAsUpdateV2(doc),
        };
      },
    };
  },
  async loro() {
    const { LoroDoc } = await import('loro-crdt');
    return {
      create(agent) {
        const doc = new LoroDoc();
        doc.setPeerId(BigInt(agent + 1));
        const body = doc.getText('body');
        let last = doc.version();
        return {
          edit(at, deleted, inserted) {
            if (deleted) body.delete(at, deleted);
            if (inserted) body.insert(at, inserted);
          },
          quiet() {},
          told() {
            doc.commit();
            const update = doc.export({ mode: 'update', from: last });
            last = doc.version();
            return [update];
          },
          take(update) { doc.import(update); last = doc.version(); },
          text: () => body.toString(),
          encode: () => { doc.commit(); return doc.export({ mode: 'update' }); },
          snapshot: () => { doc.commit(); return doc.export({ mode: 'snapshot' }); },
        };
      },
    };
  },
  async automerge() {
    const A = await import('@automerge/automerge');
    let origin = A.change(A.init({ actor: '00' }), { time: 0 }, (doc) => { doc.body = ''; });
    return {
      create(agent) {
        let doc = A.clone(origin, { actor: `0${agent + 1}` });
        let edits = [];
        return {
          edit(at, deleted, inserted) { edits.push([at, deleted, inserted]); },
          quiet() {},
          told() {
            doc = A.change(doc, { time: 0 }, (d) => {
              for (const [at, deleted, inserted] of edits) A.splice(d, ['body'], at, deleted, inserted);
            });
            edits = [];
            return [A.getLastLocalChange(doc)];
          },
          take(update) {
            doc = update.length > 4 && update[8] === 0
              ? A.loadIncremental(doc, update) : A.applyChanges(doc, [update])[0];
          },
          text: () => doc.body.toString(),
          encode: () => A.save(doc),
        };
      },
    };
  },
  async 'diamond-types'() {
    const { Doc } = await import('diamond-types-node');
    return {
      create(agent) {
        const doc = new Doc(`agent${agent}`);
        let last = doc.getLocalVersion();
        return {
          edit(at, deleted, inserted) {
            if (deleted) doc.del(at, deleted);
            if (inserted) doc.ins(at, inserted);
          },
          quiet() {},
          told() { const update = doc.getPatchSince(last); last = doc.getLocalVersion(); return [update]; },
          take(update) { doc.mergeBytes(update); last = doc.getLocalVersion(); },
          text: () => doc.get(),
          encode: () => doc.toBytes(),
        };
      },
    };
  },
};

const median = (list) => list.slice().sort((a, b) => a - b)[list.length >> 1];

function typed(adapter) {
  const doc = adapter.create(0);
  doc.quiet();
  for (const { patches } of trace.txns) {
    for (const [at, deleted, inserted] of patches) doc.edit(at, deleted, inserted);
  }
  if (library === 'automerge') doc.told();
  return doc;
}

/** Every agent types what it typed, having merged just what it had seen. */
function together(adapter) {
  const docs = new Map();
  const seenBy = new Map();
  const updates = [];
  trace.txns.forEach((txn, index) => {
    if (!docs.has(txn.agent)) {
      docs.set(txn.agent, adapter.create(txn.agent));
      seenBy.set(txn.agent, new Set());
    }
    const doc = docs.get(txn.agent);
    const seen = seenBy.get(txn.agent);
    const missing = [];
    const open = [...txn.parents];
    while (open.length) {
      const at = open.pop();
      if (seen.has(at)) continue;
      seen.add(at);
      missing.push(at);
      open.push(...trace.txns[at].parents);
    }
    missing.sort((a, b) => a - b).forEach((at) => updates[at].forEach((update) => doc.take(update)));
    for (const [at, deleted, inserted] of txn.patches) doc.edit(at, deleted, inserted);
    updates[index] = doc.told();
    seen.add(index);
  });
  const all = adapter.create(100);
  updates.forEach((list) => list.forEach((update) => all.take(update)));
  return all;
}

const adapter = await adapters[library]();

/** Bytes that are held after collecting garbage, WebAssembly's memory included. */
function held() {
  for (let i = 0; i < 5; i++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (saved) {
  const bytes = new Uint8Array(readFileSync(saved));
  adapter.create(1).text();
  const before = held();
  const doc = adapter.create(2);
  doc.take(bytes);
  const length = doc.text().length;
  console.log(held() - before - (length > 0 ? 0 : 1));
  process.exit(0);
}

const concurrent = trace.kind === 'concurrent';
const apply = [];
let doc;
if (concurrent) {
  doc = together(adapter);
} else {
  for (let round = 0; round < Number(rounds); round++) {
    const start = performance.now();
    doc = typed(adapter);
    apply.push(performance.now() - start);
  }
}
if (doc.text() !== trace.endContent) throw new Error(`${library} ends ${name} with another text`);
const bytes = doc.encode();
const snapshot = doc.snapshot?.();
const load = [];
for (let round = 0; round < Number(rounds); round++) {
  const other = adapter.create(200 + round);
  const start = performance.now();
  other.take(bytes);
  if (other.text().length !== doc.text().length) throw new Error('another text');
  load.push(performance.now() - start);
}
const file = `/tmp/${library}-${process.pid}.bin`;
writeFileSync(file, bytes);
const memory = Number(execFileSync(process.execPath, ['--expose-gc', process.argv[1], library, name, folder, '1', file]));
unlinkSync(file);
console.log(JSON.stringify({
  library, trace: name,
  applyMillis: apply.length ? median(apply) : null,
  mergeMillis: median(load),
  bytes: Math.min(bytes.length, snapshot?.length ?? Infinity),
  memory,
}));
