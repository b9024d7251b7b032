// M10: what the person sees is the server's record with this phone's own unanswered batches folded over
// it, in order, through the same merge. Pure; nothing here is stored.

import type { Op } from '../core/batch.ts';
import type { Kind } from '../core/declaration.ts';
import {
  apply,
  conflicts,
  copy,
  isDeleted,
  type MergeRecord,
  type Records,
  type Stamp,
  shown,
  type VersionOf,
} from '../core/merge.ts';
import { Refused } from '../core/refused.ts';
import type { Entry, Me } from './database.ts';
import type { Pending, Shown } from './phone.ts';

/** Above every head that a server will reach: own batches come last. */
const OWN_SEQ = 2 ** 52;

/** One own batch's ops on one record. */
export interface Own {
  readonly entry: Entry;
  readonly ops: readonly { readonly i: number; readonly op: Op }[];
}

const read = new Map<number, { readonly payload: string; readonly ops: readonly Op[] }>();
const READ_MAX = 1000;

/** The ops of an entry; its text never changes, so they are read once. */
export function opsOf(entry: Entry): readonly Op[] {
  const known = read.get(entry.n);
  if (known?.payload === entry.payload) return known.ops;
  const { ops } = JSON.parse(entry.payload) as { ops: Op[] };
  if (read.size >= READ_MAX) read.clear();
  read.set(entry.n, { payload: entry.payload, ops });
  return ops;
}

/** record id → own batches on it, in order; `c` limits it to a kind. */
export function ownByRecord(entries: readonly Entry[], project: string, c?: string): Map<string, Own[]> {
  const found = new Map<string, Own[]>();
  for (const entry of entries) {
    if (entry.project !== project) continue;
    for (const [r, ops] of opsByRecord(entry, c)) {
      const own = { entry, ops };
      const list = found.get(r);
      if (list) list.push(own);
      else found.set(r, [own]);
    }
  }
  return found;
}

function opsByRecord(entry: Entry, c: string | undefined): Map<string, { i: number; op: Op }[]> {
  const found = new Map<string, { i: number; op: Op }[]>();
  opsOf(entry).forEach((op, i) => {
    if (c !== undefined && op.c !== c) return;
    const list = found.get(op.r);
    if (list) list.push({ i, op });
    else found.set(op.r, [{ i, op }]);
  });
  return found;
}

/** The record with own batches folded over it; undefined if there is none, not even an own one. */
export function withOwn(
  record: MergeRecord | undefined,
  own: readonly Own[],
  kind: Kind | undefined,
  me: Pick<Me, 'id' | 'device'>,
  skew: number,
  versionOf: VersionOf,
): MergeRecord | undefined {
  let current = record;
  for (const { entry, ops } of own) {
    if (!isUnanswered(entry, record)) continue;
    current = tryFold(current, ops, stampOf(entry, me, skew), kind, versionOf);
  }
  return current;
}

/** Refused batches show nowhere; what the server has put into the record already is not done twice. */
function isUnanswered(entry: Entry, record: MergeRecord | undefined): boolean {
  if (entry.status === 'waiting') return true;
  if (entry.status === 'refused') return false;
  return entry.seq !== undefined && (record === undefined || record.seq < entry.seq);
}

function stampOf(entry: Entry, me: Pick<Me, 'id' | 'device'>, skew: number): Stamp {
  return {
    seq: entry.seq ?? OWN_SEQ + entry.n,
    device: me.device,
    base: entry.base,
    et: entry.t + skew,
    by: me.id,
    v: 0,
  };
}

/** What the merge does not admit any more is left out of the view; the server will say so. */
function tryFold(
  record: MergeRecord | undefined,
  ops: Own['ops'],
  at: Stamp,
  kind: Kind | undefined,
  versionOf: VersionOf,
): MergeRecord | undefined {
  const work: Records = new Map();
  if (record) work.set(record.r, copy(record));
  try {
    for (const { i, op } of ops) apply(work, op, i, at, kind, versionOf);
  } catch (error) {
    if (error instanceof Refused) return record;
    throw error;
  }
  return work.values().next().value;
}

export function toShown(
  record: MergeRecord,
  own: readonly Own[],
  kind: Kind | undefined,
  person: string,
): Shown {
  const newest = newestUnsettled(own);
  return {
    r: record.r,
    c: record.c,
    record,
    values: shown(record, kind),
    state: record.state,
    conflicts: conflicts(record, kind),
    pending: pendingOf(record, newest, person),
    deleted: isDeleted(record),
    ...(newest && { n: newest.n }),
    ...(newest?.code !== undefined && { code: newest.code }),
  };
}

/** A refused one needs the person, so it comes before one that only waits. */
function newestUnsettled(own: readonly Own[]): Entry | undefined {
  const last = (status: Entry['status']): Entry | undefined =>
    own.findLast(({ entry }) => entry.status === status)?.entry;
  return last('refused') ?? last('waiting') ?? last('held');
}

function pendingOf(record: MergeRecord, newest: Entry | undefined, person: string): Pending {
  if (newest?.status === 'refused' || newest?.status === 'waiting') return newest.status;
  return newest?.status === 'held' || record.held.some((held) => held.by === person) ? 'held' : 'none';
}
