// Every vector of shared/vectors, answered by the phone's side; the server's suite runs the same.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { admit } from '../../../pwa/src/core/admit.ts';
import { type Batch, effectiveTime, Malformed, Refused, read } from '../../../pwa/src/core/batch.ts';
import { type Kind, readDeclarations } from '../../../pwa/src/core/declaration.ts';
import { checkElement, checkField, checkKeyed, type Field } from '../../../pwa/src/core/field.ts';
import { answer, dataOf } from '../../../pwa/src/core/logic.ts';
import {
  conflicts,
  fold,
  isDeleted,
  type MergeRecord,
  type Records,
  shown,
  version,
} from '../../../pwa/src/core/merge.ts';
import { type Actor, granted, labels, may } from '../../../pwa/src/core/person.ts';
import { BadValue, canonical, parse, type Value } from '../../../pwa/src/core/value.ts';
import { after, workedOn, worktimeOf } from '../../../pwa/src/core/worktime.ts';

/** What the server alone decides, so that there is nothing on the phone to run it against. */
const SERVER_ONLY: Readonly<Record<string, string>> = {
  P1: 'the server sees gaps in the numbers; the phone only obeys `expected`',
  P6: 'the server cuts the pages of a pull; the phone takes what comes',
};

// biome-ignore lint/suspicious/noExplicitAny: the vectors are JSON of many shapes
type Case = any;

function load(name: string): Case {
  return JSON.parse(readFileSync(new URL(`../../../shared/vectors/${name}`, import.meta.url), 'utf-8'));
}

const declarations = readDeclarations([load('declaration.json')]);

function each(name: string, run: (one: Case) => void | Promise<void>): void {
  for (const one of load(name).cases) test(`${one.rule} ${one.name}`, () => run(one));
}

describe('a value has these bytes or is refused', () => {
  each('values.json', (one) => {
    const text = one.text ?? `"${(one.repeat[0] as string).repeat(one.repeat[1])}"`;
    if (one.refused === undefined) expect(canonical(parse(text))).toBe(one.canonical ?? text);
    else expect(reasonOf(() => parse(text))).toBe(one.refused);
  });
});

function reasonOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof BadValue) return error.reason;
    throw error;
  }
  return undefined;
}

describe('a value fits a field or the reason is this', () => {
  each('fields.json', (one) => {
    const field = declared(one.field);
    const reason = one.element
      ? checkElement(field, one.value)
      : one.path === undefined
        ? checkField(field, one.value)
        : checkKeyed(field, one.path.split('.'), one.value);
    expect(reason).toBe(one.reason ?? null);
  });
});

function declared(field: Case): Field {
  const file = {
    module: 'one',
    version: 1,
    label: {},
    kinds: { kind: { audience: 'all', fields: { field } } },
  };
  return readDeclarations([file]).kind('one.kind')?.fields.field as Field;
}

describe('a history comes to these records', () => {
  const people = load('merge.json').people as Record<string, string[]>;
  each('merge.json', (one) => {
    const records: Records = new Map();
    const results = one.batches.map((batch: Case) => judged(batch, records, people));
    expect(results).toEqual(one.results);
    expectRecords(records, one);
  });
});

describe('M1 folding the admitted batches twice is folding them once', () => {
  each('merge.json', (one) => {
    const records: Records = new Map();
    one.batches.forEach((batch: Case, i: number) => {
      if (one.results[i].status !== 'applied') return;
      const { seq, device, base, by, v } = batch;
      const et = effectiveTime(batch.t, batch.sent, batch.received);
      for (const _ of [1, 2])
        fold(records, batch.ops, { seq, device, base, et, by, v }, declarations.kind, version);
    });
    expectRecords(records, one);
  });
});

function expectRecords(records: Records, one: Case): void {
  expect(canonical(Object.fromEntries(records) as unknown as Value)).toBe(canonical(one.records));
  for (const [r, record] of records) {
    const kind = declarations.kind(record.c);
    expect(shown(record, kind)).toEqual(one.shown[r]);
    expect(conflicts(record, kind)).toEqual(one.conflicts[r]);
    expect(version(record, kind)).toBe(one.versions[r]);
    expect(isDeleted(record)).toBe(one.deleted.includes(r));
  }
}

function judged(batch: Case, records: Map<string, MergeRecord>, people: Record<string, string[]>): Case {
  const actor = {
    person: batch.by,
    device: batch.device,
    roles: batch.roles,
    teams: batch.teams,
    teamsOf: people,
  };
  const { base, t, v, ops } = batch;
  const et = effectiveTime(t, batch.sent, batch.received);
  try {
    const whole: Batch = read(JSON.stringify({ n: 1, project: 'p', base, t, v, ops }));
    const admitted = admit(whole, actor, records, declarations, batch.seq, et);
    for (const [r, record] of admitted.records) records.set(r, record);
    return { status: 'applied', held: admitted.held };
  } catch (error) {
    if (error instanceof Refused)
      return { status: 'refused', code: error.code, op: error.op, ...where(error) };
    throw error;
  }
}

function where({ field, reason }: Refused): Case {
  return { ...(field && { field }), ...(reason && { reason }) };
}

function actorOf(one: Case, teamsOf: Actor['teamsOf']): Actor {
  return { person: one.person, device: 'd', roles: one.roles, teams: one.teams, teamsOf };
}

describe("a declaration's words name a person or not", () => {
  const { people } = load('may.json');
  each('may.json', (one) => expect(may(one.who, actorOf(one, people), one.author, one.values)).toBe(one.may));
});

describe('a person is granted these audiences', () => {
  const { people } = load('audience.json');
  each('audience.json', (one) => {
    const found = labels(actorOf(one, people));
    expect([...found].sort()).toEqual(one.audiences);
    for (const label of one.sees) expect(granted(label, found), label).toBe(true);
    for (const label of one.hidden) expect(granted(label, found), label).toBe(false);
  });
});

describe('protocol', () => {
  const left = new Set<string>();
  each('protocol.json', async (one) => {
    if (one.effective_time) {
      const { t, sent, received } = one.effective_time;
      expect(effectiveTime(t, sent, received)).toBe(one.answer);
    } else if (one.sig !== undefined) expect(await isSignedBy(one.key, one.payload, one.sig)).toBe(one.good);
    else if (one.payload !== undefined) expect(opened(one.payload)).toEqual(one.answer);
    else left.add(one.rule);
  });
  test('only what the server alone decides is left out', () => {
    expect([...left].sort()).toEqual(Object.keys(SERVER_ONLY));
  });
});

function opened(payload: string): Case {
  try {
    const batch = read(payload);
    return { n: batch.n, ops: batch.ops.length };
  } catch (error) {
    if (error instanceof Malformed) return { malformed: true };
    if (error instanceof Refused) return { refused: error.code, op: error.op, ...where(error) };
    throw error;
  }
}

async function isSignedBy(jwk: JsonWebKey, payload: string, sig: string): Promise<boolean> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('jwk', jwk, curve, false, ['verify']);
  if (!/^[A-Za-z0-9_-]*$/.test(sig)) return false;
  return crypto.subtle.verify(curve, key, Buffer.from(sig, 'base64url'), new TextEncoder().encode(payload));
}

describe('V4 JsonLogic answers the tables', () => {
  test.each(['jsonlogic.json', 'logic.json'])('%s', (name) => {
    for (const one of load(name).cases) {
      const found = finite(answer(one.rule, one.data));
      expect(canonicalNumber(found), JSON.stringify(one)).toBe(canonicalNumber(one.answer));
    }
  });
});

function finite(value: unknown): unknown {
  return value === undefined || (typeof value === 'number' && !Number.isFinite(value)) ? null : value;
}

function canonicalNumber(value: unknown): string {
  return JSON.stringify(value);
}

describe('V4 a rule sees scaled numbers', () => {
  each('data.json', (one) => {
    expect(dataOf(declarations.kind(one.c) as Kind, one.values, one.state)).toEqual(one.data);
  });
});

describe('working time leads here', () => {
  each('worktime.json', (one) => {
    const worktime = worktimeOf(one.week, one.days);
    if (one.rule === 'after') expect(after(worktime, one.from, one.minutes)).toBe(one.gives);
    else expect(workedOn(worktime, one.from)).toBe(one.gives);
  });
});
