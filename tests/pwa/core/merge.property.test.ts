// The merge under random histories: a few devices that know more or less of each other, a record or two.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Op } from '../../../pwa/src/core/batch.ts';
import { readDeclarations } from '../../../pwa/src/core/declaration.ts';
import {
  conflicts,
  copy,
  fold,
  isDeleted,
  type Records,
  shown,
  type Write,
} from '../../../pwa/src/core/merge.ts';
import { Refused } from '../../../pwa/src/core/refused.ts';
import { canonical, check, equal, parse, type Value } from '../../../pwa/src/core/value.ts';
import { version } from '../../../pwa/src/core/version.ts';

const vectors = new URL('../../../shared/vectors/declaration.json', import.meta.url);
const declarations = readDeclarations([JSON.parse(readFileSync(vectors, 'utf-8'))]);
const C = 'vec.thing';
const KIND = declarations.kind(C);
const RECORDS = ['01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000002'];
const DEVICES = ['d1', 'd2', 'd3'];

interface Batch {
  readonly seq: number;
  readonly device: string;
  readonly base: number;
  readonly et: number;
  readonly by: string;
  readonly v: number;
  readonly ops: readonly Op[];
}

const edit: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    k: fc.constant('set' as const),
    c: fc.constant(C),
    r: fc.constantFrom(...RECORDS),
    f: fc.constantFrom('note', 'title', 'mood', 'lines.l1.task', 'marks.p1', 'spot'),
    v: fc.constantFrom<Value>('a', 'b', 'c', null),
  }),
  fc.record({
    k: fc.constantFrom('add' as const, 'rem' as const),
    c: fc.constant(C),
    r: fc.constantFrom(...RECORDS),
    f: fc.constant('tags'),
    v: fc.constantFrom('wet', 'hot', 'high'),
  }),
  fc.record({ k: fc.constant('del' as const), c: fc.constant(C), r: fc.constantFrom(...RECORDS) }),
);

/** Admitted histories: the two records exist from seq 1 on; a device always knows its own past. */
const history: fc.Arbitrary<readonly Batch[]> = fc
  .array(
    fc.record({
      device: fc.constantFrom(...DEVICES),
      lag: fc.nat(6),
      et: fc.nat(50),
      ops: fc.array(edit, { minLength: 1, maxLength: 3 }),
    }),
    { maxLength: 14 },
  )
  .map((drawn) => {
    const made: Op[] = RECORDS.map((r) => ({
      k: 'new',
      c: C,
      r,
      set: { title: 'A', owner: 'wang', tags: ['wet'] },
    }));
    const batches: Batch[] = [{ seq: 1, device: 'd1', base: 0, et: 1, by: 'wang', v: 3, ops: made }];
    for (const { device, lag, et, ops } of drawn) {
      const seq = batches.length + 1;
      const batch = { seq, device, base: Math.max(1, seq - 1 - lag), et, by: 'wang', v: 3, ops };
      if (isAdmitted(batches, batch)) batches.push(batch);
    }
    return batches;
  });

function isAdmitted(before: readonly Batch[], batch: Batch): boolean {
  try {
    folded([...before, batch]);
    return true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

function folded(batches: readonly Batch[], onto: Records = new Map()): Records {
  for (const { ops, ...at } of batches) fold(onto, ops, at, declarations.kind, version);
  return onto;
}

function text(records: Records): string {
  return canonical(Object.fromEntries(records) as unknown as Value);
}

function knew(writer: Batch, i: number, write: Write): boolean {
  const [seq, index, device] = write;
  return (
    seq <= writer.base ||
    (device === writer.device && (seq < writer.seq || (seq === writer.seq && index < i)))
  );
}

/** An add whose author knew an earlier one stands in its place: who knew the later takes both away. */
function takes(batches: readonly Batch[], remover: Batch, j: number, add: Write): boolean {
  const isLaterOne = (later: Batch, again: Op, k: number): boolean =>
    again.k === 'add' &&
    equal(again.v, add[5]) &&
    (later.seq > add[0] || (later.seq === add[0] && k > add[1])) &&
    knew(later, k, add) &&
    takes(batches, remover, j, [later.seq, k, later.device, later.base, later.et, again.v]);
  return (
    knew(remover, j, add) ||
    batches.some((later) =>
      later.ops.some((again, k) => again.r === recordOf(batches, add) && isLaterOne(later, again, k)),
    )
  );
}

function recordOf(batches: readonly Batch[], [seq, index]: Write): string | undefined {
  return batches.find((batch) => batch.seq === seq)?.ops[index]?.r;
}

const runs = { numRuns: 300 };

describe('merge', () => {
  test('M1 folding twice is folding once', () => {
    fc.assert(
      fc.property(history, (batches) => {
        const once = folded(batches);
        const before = text(once);
        expect(text(folded(batches, once))).toBe(before);
      }),
      runs,
    );
  });

  test('M1 a snapshot at any cut plus the rest is the whole', () => {
    fc.assert(
      fc.property(history, fc.nat(15), (batches, cut) => {
        const snapshot = JSON.parse(text(folded(batches.slice(0, cut)))) as Record<string, never>;
        const resumed = folded(batches.slice(cut), new Map(Object.entries(snapshot)));
        expect(text(resumed)).toBe(text(folded(batches)));
      }),
      runs,
    );
  });

  test('M2 successive edits of one device never conflict', () => {
    fc.assert(
      fc.property(history, (batches) => {
        const alone: Batch[] = [];
        for (const batch of batches) {
          const mine = {
            ...batch,
            seq: alone.length + 1,
            base: Math.min(batch.base, alone.length),
            device: 'd1',
          };
          if (isAdmitted(alone, mine)) alone.push(mine);
        }
        for (const record of folded(alone).values()) expect(conflicts(record, KIND)).toEqual([]);
      }),
      runs,
    );
  });

  test('M3 no live write is one that another live write of the field knew', () => {
    fc.assert(
      fc.property(history, (batches) => {
        const bySeq = new Map(batches.map((batch) => [batch.seq, batch]));
        for (const record of folded(batches).values()) {
          for (const [path, writes] of Object.entries(record.f)) {
            for (const one of writes) {
              for (const other of writes) {
                if (one === other || (path === 'tags' && !equal(one[5], other[5]))) continue;
                const [seq, i] = one;
                expect(knew(bySeq.get(seq) as Batch, i, other), path).toBe(false);
              }
            }
          }
        }
      }),
      runs,
    );
  });

  test('M3 the shown value is the live write that is greatest by (et, seq, i)', () => {
    fc.assert(
      fc.property(history, (batches) => {
        for (const record of folded(batches).values()) {
          const values = shown(record, KIND);
          for (const [path, writes] of Object.entries(record.f)) {
            if (path === 'tags') continue;
            const greatest = [...writes].sort((a, b) => a[4] - b[4] || a[0] - b[0] || a[1] - b[1]).at(-1);
            expect(values[path] ?? null).toEqual(greatest?.[5] ?? null);
          }
        }
      }),
      runs,
    );
  });

  test('M5 an add that no remove knew of is present', () => {
    fc.assert(
      fc.property(history, (batches) => {
        const records = folded(batches);
        for (const batch of batches) {
          batch.ops.forEach((op, i) => {
            if (op.k !== 'add') return;
            const add: Write = [batch.seq, i, batch.device, batch.base, batch.et, op.v];
            const isRemoved = batches.some((other) =>
              other.ops.some(
                (rem, j) =>
                  rem.k === 'rem' && rem.r === op.r && equal(rem.v, op.v) && takes(batches, other, j, add),
              ),
            );
            const record = records.get(op.r);
            const tags = record ? (shown(record, KIND).tags ?? []) : [];
            if (!isRemoved) expect(tags).toContain(op.v);
          });
        }
      }),
      runs,
    );
  });

  test('M7 a write is never earlier than what it replaced', () => {
    fc.assert(
      fc.property(history, (batches) => {
        let before = new Map<string, readonly Write[]>();
        const records: Records = new Map();
        for (const batch of batches) {
          folded([batch], records);
          const now = new Map<string, readonly Write[]>();
          for (const record of records.values()) {
            for (const [path, writes] of Object.entries(record.f)) {
              if (path === 'tags') continue;
              const key = `${record.r} ${path}`;
              now.set(key, writes);
              const mine = writes.find(([seq]) => seq === batch.seq);
              const gone = (before.get(key) ?? []).filter((write) => !writes.includes(write));
              for (const write of gone) if (mine) expect(mine[4]).toBeGreaterThanOrEqual(write[4]);
            }
          }
          before = now;
        }
      }),
      runs,
    );
  });

  test('M8 a deleted record has no live write that its deletion did not know', () => {
    fc.assert(
      fc.property(history, (batches) => {
        for (const record of folded(batches).values()) {
          if (!record.del || !isDeleted(record)) continue;
          const [seq, , device, base] = record.del;
          for (const write of Object.values(record.f).flat()) {
            expect(write[0] <= base || (write[2] === device && write[0] <= seq)).toBe(true);
          }
        }
      }),
      runs,
    );
  });

  test('a copy may be folded further without its original knowing', () => {
    fc.assert(
      fc.property(history, fc.nat(15), (batches, cut) => {
        const original = folded(batches.slice(0, cut));
        const before = text(original);
        folded(batches.slice(cut), new Map([...original].map(([r, record]) => [r, copy(record)])));
        expect(text(original)).toBe(before);
      }),
      runs,
    );
  });
});

describe('values', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/);
  const word = fc.string({ unit: 'grapheme', maxLength: 12 }).map((drawn) => drawn.normalize('NFC'));
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      word.filter((drawn) => !/\p{Surrogate}/u.test(drawn)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }));

  test('V3 canonical text reads back as the same canonical text', () => {
    fc.assert(
      fc.property(value, (drawn) => {
        check(drawn);
        const once = canonical(drawn);
        expect(canonical(parse(once))).toBe(once);
        expect(equal(parse(once), drawn)).toBe(true);
      }),
    );
  });

  test('V1 a number with a point or an exponent is refused wherever it stands', () => {
    fc.assert(
      fc.property(value, fc.constantFrom('1.0', '1e3', '-0.0', '2E-1'), (drawn, token) => {
        expect(() => parse(`[${canonical(drawn)},{"a":${token}}]`)).toThrow('number');
      }),
    );
  });
});
