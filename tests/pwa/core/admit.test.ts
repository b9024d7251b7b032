// Admission where a vector would be too long: what a record may grow to.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { admit } from '../../../pwa/src/core/admit.ts';
import { OPS_MAX, type Op, RECORD_PARTS_MAX, Refused } from '../../../pwa/src/core/batch.ts';
import { readDeclarations } from '../../../pwa/src/core/declaration.ts';
import type { MergeRecord } from '../../../pwa/src/core/merge.ts';
import type { Actor } from '../../../pwa/src/core/person.ts';

const R = '01980000-0000-7000-8000-000000000001';
const declared = readFileSync(new URL('../../../shared/vectors/declaration.json', import.meta.url), 'utf-8');
const declarations = readDeclarations([JSON.parse(declared)]);
const actor: Actor = {
  person: 'p',
  device: 'd',
  roles: ['worker'],
  teams: [],
  teamsOf: {},
};
type Stored = ReadonlyMap<string, MergeRecord>;

/** A kind that only a newer declaration knows: anything may be written to it (M9). */
function write(records: Stored, seq: number, ops: readonly Op[]): Stored {
  return admit({ base: seq - 1, v: declarations.v + 1, ops }, actor, records, declarations, seq, 0).records;
}

function grow(records: Stored, seq: number): Stored {
  const ops = Array.from(
    { length: OPS_MAX },
    (_, i): Op => ({ k: 'set', c: 'new.kind', r: R, f: `of_${seq}.n${i}`, v: i }),
  );
  return write(records, seq, ops);
}

test('P2 a record has a limit however many batches write to it', () => {
  let records = write(new Map(), 1, [{ k: 'new', c: 'new.kind', r: R, set: { text: 'x' } }]);
  const batches = Math.floor((RECORD_PARTS_MAX - 1) / OPS_MAX);
  for (let seq = 2; seq < 2 + batches; seq += 1) records = grow(records, seq);
  expect(() => grow(records, 9)).toThrow(new Refused('invalid', 0, undefined, 'too_large'));
});
