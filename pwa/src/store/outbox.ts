// The outbox: own batches, signed and numbered, until the server has answered and its records have come
// back. A number is taken in the same transaction that stores the batch (P1), on strict durability: two
// tabs never take the same one, and a saved batch survives the battery.

import type { Op } from '../core/batch.ts';
import type { Value } from '../core/value.ts';
import { change, type Entry, type PersonDb, put, remove, type WriteTx } from './database.ts';

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
 * Signing cannot happen inside a transaction, so it is done for the numbers that should come next
 * (`after` the last one known, which saves looking) and done again if they were taken meanwhile.
 */
export async function save(
  db: PersonDb,
  sign: Sign,
  batches: readonly Unsigned[],
  { after = null, replaces }: { readonly after?: number | null; readonly replaces?: number } = {},
): Promise<readonly number[]> {
  for (let last = after ?? (await db.get('numbers', 'n')) ?? 0; ; ) {
    const first = last + 1;
    const entries = await Promise.all(batches.map((batch, i) => signed(first + i, batch, sign)));
    const taken = await store(db, entries, last, replaces);
    if (taken === last) return entries.map(({ n }) => n);
    last = taken;
  }
}

/** The last number taken: the expected one, or nothing was stored. */
function store(
  db: PersonDb,
  entries: readonly Entry[],
  expected: number,
  replaces?: number,
): Promise<number> {
  const work = async (tx: WriteTx): Promise<number> => {
    const last = (await tx.objectStore('numbers').get('n')) ?? 0;
    if (last !== expected) return last;
    for (const entry of entries) put(tx, 'outbox', entry);
    put(tx, 'numbers', last + entries.length, 'n');
    if (replaces !== undefined) remove(tx, 'outbox', replaces);
    return last;
  };
  return change(db, ['outbox', 'numbers'], work, 'strict');
}

/** The next to send, in order, up to so many; always at least one if any waits. */
export async function nextToSend(db: PersonDb, countMax: number, bytesMax: number): Promise<Entry[]> {
  const next: Entry[] = [];
  let bytes = 0;
  let cursor = await db.transaction('outbox').store.openCursor(NUMBERED());
  for (; cursor; cursor = await cursor.continue()) {
    const entry = cursor.value;
    if (entry.status !== 'waiting') continue;
    // The JSON text in which the payload travels escapes its quotes.
    bytes += JSON.stringify(entry.payload).length + entry.sig.length + 30;
    if (next.length > 0 && (bytes > bytesMax || next.length >= countMax)) break;
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
export function settle(db: PersonDb, answers: readonly Answer[]): Promise<void> {
  const work = async (tx: WriteTx): Promise<void> => {
    for (const answer of answers) {
      const entry = await tx.objectStore('outbox').get(answer.n);
      if (entry?.status !== 'waiting') continue;
      const settled = answered(entry, answer);
      const base = (await tx.objectStore('projects').get(entry.project))?.base ?? 0;
      // Its records may have come down, by another tab, before the answer was heard.
      const isBack = settled.status === 'applied' && (settled.seq ?? 0) <= base;
      if (isBack) remove(tx, 'outbox', entry.n);
      else put(tx, 'outbox', settled);
    }
  };
  return change(db, ['outbox', 'projects'], work, 'strict');
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
 * P1: the server knows no answer from `expected` on, so what waits takes the numbers from there. Batches
 * that it had answered and forgot (a restored backup) go again; what it had refused stays, aside. False
 * if another tab saved one meanwhile (then ask again).
 */
export async function renumber(db: PersonDb, sign: Sign, expected: number): Promise<boolean> {
  const before = (await numbered(db)).filter((entry) => goesAgain(entry, expected));
  const after = await Promise.all(before.map((entry, i) => signAgain(entry, expected + i, sign)));
  const work = async (tx: WriteTx): Promise<boolean> => {
    const now = (await tx.objectStore('outbox').getAll(NUMBERED())).filter((entry) =>
      goesAgain(entry, expected),
    );
    const isSame =
      now.length === before.length && now.every((entry, i) => entry.payload === before[i]?.payload);
    if (!isSame) return false;
    for (const { n } of before) remove(tx, 'outbox', n);
    await moveAside(tx, expected);
    for (const entry of after) put(tx, 'outbox', entry);
    put(tx, 'numbers', expected + after.length - 1, 'n');
    return true;
  };
  return change(db, ['outbox', 'numbers'], work, 'strict');
}

/** What was refused under numbers that are given again keeps one that is never sent. */
async function moveAside(tx: WriteTx, from: number): Promise<void> {
  const left = await tx.objectStore('outbox').getAll();
  let lowest = Math.min(0, ...left.map(({ n }) => n));
  for (const entry of left) {
    if (entry.n < from) continue;
    remove(tx, 'outbox', entry.n);
    put(tx, 'outbox', { ...entry, n: --lowest });
  }
}

/** Batches with a number that the server may know; set aside ones have a number below zero. */
const NUMBERED = (): IDBKeyRange => IDBKeyRange.lowerBound(1);

function goesAgain(entry: Entry, expected: number): boolean {
  return entry.status === 'waiting' || (entry.status !== 'refused' && entry.n >= expected);
}

async function signAgain(entry: Entry, n: number, sign: Sign): Promise<Entry> {
  const { project, base, t, v, ops } = JSON.parse(entry.payload) as Unsigned;
  const again = await signed(n, { project, base, t, v, ops }, sign);
  return { ...again, since: entry.since, ...(entry.memo !== undefined && { memo: entry.memo }) };
}

/** A batch that the server could not even number: refused, and those behind it close the gap. */
export async function setAside(db: PersonDb, sign: Sign, n: number, code: string): Promise<void> {
  const work = async (tx: WriteTx): Promise<void> => {
    const entry = await tx.objectStore('outbox').get(n);
    if (!entry) return;
    const lowest = Math.min(0, ...(await tx.objectStore('outbox').getAllKeys()));
    put(tx, 'outbox', { ...entry, n: lowest - 1, status: 'refused', code });
    remove(tx, 'outbox', n);
  };
  await change(db, ['outbox'], work, 'strict');
  await renumber(db, sign, n);
}

/** Signs what waits once more, with the same numbers. */
export async function resign(db: PersonDb, sign: Sign): Promise<void> {
  const first = (await waiting(db))[0];
  if (first) await renumber(db, sign, first.n);
}

async function numbered(db: PersonDb): Promise<Entry[]> {
  return db.getAll('outbox', NUMBERED());
}

export async function waiting(db: PersonDb): Promise<Entry[]> {
  return (await numbered(db)).filter(({ status }) => status === 'waiting');
}
