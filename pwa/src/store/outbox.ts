// The outbox: own batches, signed and numbered, until the server has answered and its records have come
// back. A number is taken in the same transaction that stores the batch (P1), on strict durability: two
// tabs never take the same one, and a saved batch survives the battery.

import type { Op } from '../core/batch.ts';
import type { Value } from '../core/value.ts';
import type { Entry, PersonDb } from './database.ts';

/** A batch before it has a number. */
export interface Unsigned {
  readonly project: string;
  readonly base: number;
  readonly t: number;
  readonly v: number;
  readonly ops: readonly Op[];
  readonly memo?: Value;
}

export type Sign = (payload: string) => Promise<string>;

const STRICT = { durability: 'strict' } as const;
const encoder = new TextEncoder();

export function payloadOf(n: number, batch: Unsigned): string {
  const { project, base, t, v, ops } = batch;
  return JSON.stringify({ n, project, base, t, v, ops });
}

export function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

async function signed(n: number, batch: Unsigned, sign: Sign): Promise<Entry> {
  const payload = payloadOf(n, batch);
  const { project, base, t, memo } = batch;
  return {
    n,
    project,
    base,
    t,
    payload,
    sig: await sign(payload),
    bytes: bytesOf(payload),
    since: t,
    status: 'waiting',
    ...(memo !== undefined && { memo }),
  };
}

/**
 * Numbers, signs and stores batches in one strict transaction; `replaces` leaves in the same one.
 * Signing cannot happen inside a transaction, so it is done for the numbers that should come next and
 * done again if another tab took them meanwhile.
 */
export async function save(
  db: PersonDb,
  sign: Sign,
  batches: readonly Unsigned[],
  replaces?: number,
): Promise<readonly number[]> {
  for (let last = (await db.get('numbers', 'n')) ?? 0; ; ) {
    const first = last + 1;
    const entries = await Promise.all(batches.map((batch, i) => signed(first + i, batch, sign)));
    const tx = db.transaction(['outbox', 'numbers'], 'readwrite', STRICT);
    const taken = (await tx.objectStore('numbers').get('n')) ?? 0;
    if (taken === last) {
      for (const entry of entries) tx.objectStore('outbox').add(entry);
      tx.objectStore('numbers').put(last + entries.length, 'n');
      if (replaces !== undefined) tx.objectStore('outbox').delete(replaces);
      await tx.done;
      return entries.map(({ n }) => n);
    }
    await tx.done;
    last = taken;
  }
}

/** The next to send, in order, up to so many bytes; always at least one if any waits. */
export async function nextToSend(db: PersonDb, bytesMax: number): Promise<Entry[]> {
  const next: Entry[] = [];
  let bytes = 0;
  let cursor = await db.transaction('outbox').store.openCursor(IDBKeyRange.lowerBound(0));
  for (; cursor; cursor = await cursor.continue()) {
    const entry = cursor.value;
    if (entry.status !== 'waiting') continue;
    // The JSON text in which the payload travels escapes its quotes.
    bytes += JSON.stringify(entry.payload).length + entry.sig.length + 30;
    if (next.length > 0 && bytes > bytesMax) break;
    next.push(entry);
  }
  return next;
}

export type Answer =
  | {
      readonly n: number;
      readonly status: 'applied';
      readonly seq: number;
      readonly held?: readonly number[];
    }
  | {
      readonly n: number;
      readonly status: 'refused';
      readonly code: string;
      readonly op?: number;
      readonly field?: string;
      readonly reason?: string;
      readonly message?: string;
    };

/** The server's answers, all in one transaction. A repeated answer changes nothing. */
export async function settle(
  db: PersonDb,
  answers: readonly Answer[],
  cursors: ReadonlyMap<string, number>,
): Promise<void> {
  const tx = db.transaction('outbox', 'readwrite', STRICT);
  for (const answer of answers) {
    const entry = await tx.store.get(answer.n);
    if (entry?.status !== 'waiting') continue;
    const settled = answered(entry, answer);
    const isBack = settled.status === 'applied' && (settled.seq ?? 0) <= (cursors.get(entry.project) ?? 0);
    if (isBack) tx.store.delete(entry.n);
    else tx.store.put(settled);
  }
  await tx.done;
}

function answered(entry: Entry, answer: Answer): Entry {
  if (answer.status === 'applied') {
    const held = answer.held ?? [];
    return { ...entry, seq: answer.seq, held, status: held.length > 0 ? 'held' : 'applied' };
  }
  const { code, op, field, reason, message } = answer;
  return {
    ...entry,
    status: 'refused',
    code,
    ...(op !== undefined && { op }),
    ...(field !== undefined && { field }),
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  };
}

/**
 * P1: the server knows no answer below `expected`, so what waits takes the numbers from there on. Only
 * unanswered batches move; false if another tab saved one meanwhile (then ask again).
 */
export async function renumber(db: PersonDb, sign: Sign, expected: number): Promise<boolean> {
  const before = await waiting(db);
  const after = await Promise.all(
    before.map(async (entry, i) => {
      const head = JSON.parse(entry.payload) as Unsigned;
      const { payload, sig, bytes } = await signed(expected + i, head, sign);
      return { ...entry, n: expected + i, payload, sig, bytes };
    }),
  );
  const tx = db.transaction(['outbox', 'numbers'], 'readwrite', STRICT);
  const now = (await tx.objectStore('outbox').getAll(IDBKeyRange.lowerBound(0))).filter(
    ({ status }) => status === 'waiting',
  );
  const isSame = now.length === before.length && now.every((entry, i) => entry.n === before[i]?.n);
  if (isSame) {
    const others = new Set(await othersFrom(tx.objectStore('outbox'), before));
    for (const { n } of before) tx.objectStore('outbox').delete(n);
    for (const entry of after) {
      if (others.has(entry.n)) await moveAside(tx.objectStore('outbox'), entry.n);
      tx.objectStore('outbox').put(entry);
    }
    tx.objectStore('numbers').put(expected + after.length - 1, 'n');
  }
  await tx.done;
  return isSame;
}

type OutboxStore = {
  getAllKeys(): Promise<number[]>;
  get(n: number): Promise<Entry | undefined>;
  put(entry: Entry): Promise<number>;
  delete(n: number): Promise<void>;
};

async function othersFrom(store: OutboxStore, moved: readonly Entry[]): Promise<number[]> {
  const own = new Set(moved.map(({ n }) => n));
  return (await store.getAllKeys()).filter((n) => !own.has(n));
}

/** An answered batch whose number the server has forgotten: kept under a number that is never sent. */
async function moveAside(store: OutboxStore, n: number): Promise<void> {
  const entry = await store.get(n);
  const lowest = Math.min(0, ...(await store.getAllKeys()));
  if (entry) await store.put({ ...entry, n: lowest - 1 });
}

/** A batch that the server could not even number: refused, and those behind it close the gap. */
export async function setAside(db: PersonDb, sign: Sign, n: number, code: string): Promise<void> {
  const tx = db.transaction('outbox', 'readwrite', STRICT);
  const entry = await tx.store.get(n);
  if (entry) {
    await moveAside(tx.store, n);
    const aside = Math.min(...(await tx.store.getAllKeys()));
    tx.store.put({ ...entry, n: aside, status: 'refused', code });
    tx.store.delete(n);
  }
  await tx.done;
  await renumber(db, sign, n);
}

export async function waiting(db: PersonDb): Promise<Entry[]> {
  return (await db.getAll('outbox', IDBKeyRange.lowerBound(0))).filter(({ status }) => status === 'waiting');
}
