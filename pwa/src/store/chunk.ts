// Packed chunks: records of one kind in the order of their days, cut into pieces of some hundred, each
// under a key that says which days and which states are inside. So "today" and "what waits for
// approval" read a few chunks, whatever the number of records.

import type { Kind } from '../core/declaration.ts';
import type { MergeRecord } from '../core/merge.ts';
import type { ChunkKey } from './database.ts';
import type { Query } from './phone.ts';

export const CHUNK_RECORDS = 400;
/** Mark of a chunk with late writes that wait for the approver. */
const HELD = '+held';

/** A record as it lies on the phone: its text, and what is asked of it without reading it all. */
export interface Packable {
  readonly record: MergeRecord;
  readonly text: string;
  readonly day: string;
}

export interface Chunk {
  readonly key: ChunkKey;
  readonly text: string;
  readonly ids: string;
}

export function packable(text: string, kinds: (c: string) => Kind | undefined): Packable {
  const record = JSON.parse(text) as MergeRecord;
  return { record, text, day: dayOf(record, kinds(record.c)) };
}

export function dayOf(record: MergeRecord, kind: Kind | undefined): string {
  if (kind?.day === undefined) return '';
  const value = record.f[kind.day]?.at(-1)?.[5] ?? record.set[kind.day];
  return typeof value === 'string' ? value : '';
}

/** `firstId` numbers the chunks; they never change once written. */
export function pack(project: string, packables: readonly Packable[], firstId: number): Chunk[] {
  const byKind = new Map<string, Packable[]>();
  for (const one of packables) {
    const same = byKind.get(one.record.c);
    if (same) same.push(one);
    else byKind.set(one.record.c, [one]);
  }
  const pieces = [...byKind.values()].flatMap(cut);
  return pieces.map((piece, i) => chunkOf(project, piece, firstId + i));
}

/** Even pieces, so that 401 records do not become 400 and 1. */
function cut(packables: Packable[]): Packable[][] {
  packables.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
  const count = Math.ceil(packables.length / CHUNK_RECORDS);
  const size = Math.ceil(packables.length / count);
  return Array.from({ length: count }, (_, i) => packables.slice(i * size, (i + 1) * size)).filter(
    (piece) => piece.length > 0,
  );
}

function chunkOf(project: string, piece: readonly Packable[], id: number): Chunk {
  const first = piece[0] as Packable;
  const last = piece[piece.length - 1] as Packable;
  return {
    key: [project, first.record.c, last.day, first.day, marksOf(piece), id],
    text: `[${piece.map((one) => one.text).join(',')}]`,
    ids: piece.map(({ record }) => `${record.r}@${record.seq}`).join(' '),
  };
}

function marksOf(piece: readonly Packable[]): string {
  const marks = new Set<string>();
  for (const { record } of piece) {
    if (record.state !== null) marks.add(record.state);
    if (record.held.length > 0) marks.add(HELD);
  }
  return [...marks].sort().join(',');
}

/** Whether a chunk can hold what is asked for. */
export function mayHold(key: ChunkKey, query: Query): boolean {
  const [, , dayMax, dayMin, marks] = key;
  if (query.from !== undefined && dayMax < query.from) return false;
  if (query.to !== undefined && dayMin > query.to) return false;
  if (!query.state && !query.held) return true;
  const inside = marks.split(',');
  return query.held
    ? inside.includes(HELD)
    : (query.state as readonly string[]).some((s) => inside.includes(s));
}

/** r → seq of the records in a chunk. */
export function readIds(ids: string, into: Map<string, number>): void {
  for (const one of ids.split(' ')) {
    const at = one.indexOf('@');
    into.set(one.slice(0, at), Number(one.slice(at + 1)));
  }
}
