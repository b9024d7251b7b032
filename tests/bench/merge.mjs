// The JavaScript half of merge.py: the phone's merge and yjs on the same edits. JSON in, seconds out.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readDeclarations } from '../../pwa/src/core/declaration.ts';
import { fold, version } from '../../pwa/src/core/merge.ts';

const root = new URL('../../', import.meta.url);
const Y = createRequire(new URL('pwa/package.json', root))('yjs');
const { batches, rounds, devices } = JSON.parse(readFileSync(0, 'utf-8'));
const declarations = readDeclarations(
  ['core', 'labour'].map((name) => JSON.parse(readFileSync(new URL(`shared/modules/${name}.json`, root), 'utf-8'))),
);

function seconds(work) {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
}

function ours() {
  const given = structuredClone(batches);
  const records = new Map();
  return seconds(() => {
    for (const { seq, device, base, et, ops } of given) {
      fold(records, ops, { seq, device, base, et, by: 'w1', v: 1 }, declarations.kind, version);
    }
  });
}

function updates() {
  const docs = new Map(devices.map((device) => [device, new Y.Doc()]));
  const made = [];
  let since = 0;
  for (const batch of batches) {
    if (batch.meet) {
      for (const doc of docs.values()) for (const update of made.slice(since)) Y.applyUpdate(doc, update);
      since = made.length;
    }
    const doc = docs.get(batch.device);
    doc.once('update', (update) => made.push(update));
    doc.transact(() => {
      const records = doc.getMap('records');
      for (const op of batch.ops) {
        if (op.k === 'new') records.set(op.r, new Y.Map(Object.entries(op.set)));
        else records.get(op.r).set(op.f, op.v);
      }
    });
  }
  return made;
}

function theirs(given) {
  const doc = new Y.Doc();
  doc.getMap('records');
  const merging = seconds(() => {
    for (const update of given) Y.applyUpdate(doc, update);
  });
  return [merging, merging + seconds(() => doc.getMap('records').toJSON())];
}

const given = updates();
ours();
theirs(given);
const told = { ours: [], alone: [], read: [] };
for (let i = 0; i < rounds; i++) {
  told.ours.push(ours());
  const [alone, read] = theirs(given);
  told.alone.push(alone);
  told.read.push(read);
}
process.stdout.write(JSON.stringify(told));
