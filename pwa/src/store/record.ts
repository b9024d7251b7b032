// The server's records on this phone: reading them by kind and day, by state, by id; taking in a page
// of a pull; erasing what is no longer granted; tidying rows into chunks. Every function is one
// transaction, so a phone that is killed has all of it or nothing.

import type { Kind } from '../core/declaration.ts';
import type { MergeRecord } from '../core/merge.ts';
import { granted } from '../core/person.ts';
import { dayOf, mayHold, type Packable, pack, packable, readIds } from './chunk.ts';
import {
  type ChunkKey,
  change,
  type Entry,
  type PersonDb,
  type ProjectRow,
  prefix,
  put,
  type ReadTx,
  type Row,
  remove,
  type StoreName,
  type WriteTx,
} from './database.ts';
import type { Query } from './phone.ts';
import { type Own, opsOf, ownByRecord } from './view.ts';

type AnyTx = ReadTx | WriteTx;
export type Kinds = (c: string) => Kind | undefined;

/** From this many records on, new ones are packed instead of being rows of their own. */
export const PACK_FROM = 64;
/** More rows than this are tidied into chunks. */
export const ROWS_MAX = 1000;
const TIDY_CHUNKS_MAX = 24;
const CHUNKS_KEPT = 32;

const READ: StoreName[] = ['chunks', 'ids', 'rows', 'outbox'];
const STORED: StoreName[] = ['chunks', 'ids', 'rows', 'outbox', 'projects', 'numbers'];

/** Chunks never change, so what was read of one stays true. */
export interface Cache {
  readonly records: Map<number, readonly MergeRecord[]>;
  readonly ids: Map<number, string>;
}

export function newCache(): Cache {
  return { records: new Map(), ids: new Map() };
}

export interface Found {
  /** The server's records, by id. */
  readonly records: Map<string, MergeRecord>;
  readonly own: Map<string, Own[]>;
}

/** The day of a record that matches as it lies here, else null. */
export type Hit = (record: MergeRecord) => string | null;

/**
 * The server's records of a kind that may match the query, and all that own batches touch. With a limit
 * no further back than its newest so many hits go.
 */
export async function findKind(
  db: PersonDb,
  cache: Cache,
  project: string,
  c: string,
  query: Query,
  hit: Hit,
): Promise<Found> {
  const tx = db.transaction(READ);
  const { keys, newer, records, own } = await loose(tx, cache, project, c, query);
  const asked = keys.filter((key) => mayHold(key, query));
  const take = (chunk: readonly MergeRecord[]): void => {
    for (const record of chunk) if (!newer.has(record.r)) records.set(record.r, record);
  };
  if (query.limit === undefined) {
    for (const chunk of await Promise.all(asked.map((key) => readChunk(tx, cache, key)))) take(chunk);
    return { records, own };
  }
  const days: string[] = [];
  for (const key of asked.sort(newestDayFirst)) {
    if (days.filter((day) => day > key[2]).length >= query.limit) break;
    const chunk = await readChunk(tx, cache, key);
    take(chunk);
    for (const record of chunk) {
      const day = newer.has(record.r) || own.has(record.r) ? null : hit(record);
      if (day !== null) days.push(day);
    }
  }
  return { records, own };
}

function newestDayFirst(a: ChunkKey, b: ChunkKey): number {
  return a[2] === b[2] ? 0 : a[2] < b[2] ? 1 : -1;
}

/** All of a kind but what lies in chunks alone: its rows, and what own batches touch. */
export interface Loose extends Found {
  readonly keys: ChunkKey[];
  /** Every record that is newer than its copy in a chunk, of whatever day. */
  readonly newer: ReadonlySet<string>;
}

export function findLoose(
  db: PersonDb,
  cache: Cache,
  project: string,
  c: string,
  query: Query,
): Promise<Loose> {
  return loose(db.transaction(READ), cache, project, c, query);
}

async function loose(tx: ReadTx, cache: Cache, project: string, c: string, query: Query): Promise<Loose> {
  const [keys, overlaid, rows, entries] = await Promise.all([
    tx.objectStore('chunks').getAllKeys(prefix(project, c)),
    tx.objectStore('rows').index('at').getAllKeys(prefix(project, c)),
    tx
      .objectStore('rows')
      .index('at')
      .getAll(dayRange(project, c, query)),
    tx.objectStore('outbox').getAll(),
  ]);
  const records = new Map<string, MergeRecord>();
  for (const row of rows) {
    const record = recordIn(row);
    records.set(record.r, record);
  }
  const own = ownByRecord(entries, project, c);
  await addTouched(tx, cache, project, keys, own, records);
  return { keys, newer: new Set(overlaid.map(([, r]) => r)), records, own };
}

export interface InProject {
  readonly project: string;
  readonly record: MergeRecord;
}

/** All of some small kinds that are never written here. */
export async function readKinds(
  tx: ReadTx,
  projects: readonly string[],
  kinds: readonly string[],
): Promise<readonly InProject[]> {
  const ranges = projects.flatMap((project) => kinds.map((c) => [project, prefix(project, c)] as const));
  const read = await Promise.all(
    ranges.map(async ([project, range]) => {
      const [chunks, rows] = await Promise.all([
        tx.objectStore('chunks').getAll(range),
        tx.objectStore('rows').index('at').getAll(range),
      ]);
      // A row is newer than the same record in a chunk, so it comes after it.
      const packed = chunks.flatMap((text) => JSON.parse(text) as MergeRecord[]);
      const single = rows.map(recordIn);
      return [...packed, ...single].map((record) => ({ project, record }));
    }),
  );
  const newest = new Map<string, InProject>();
  for (const one of read.flat()) newest.set(`${one.project} ${one.record.r}`, one);
  return [...newest.values()];
}

/** One record by its id; knowing its kind saves looking through the others. */
export async function findOne(
  db: PersonDb,
  cache: Cache,
  project: string,
  r: string,
  c?: string,
): Promise<{ record: MergeRecord | undefined; own: readonly Own[] }> {
  const tx = db.transaction(READ);
  const [row, entries, keys] = await Promise.all([
    tx.objectStore('rows').get([project, r]),
    tx.objectStore('outbox').getAll(),
    tx.objectStore('chunks').getAllKeys(c === undefined ? prefix(project) : prefix(project, c)),
  ]);
  const record = row ? recordIn(row) : await unpack(tx, cache, keys, r);
  return { record, own: ownByRecord(entries, project).get(r) ?? [] };
}

/** Several records by id in one transaction. */
export async function findSome(
  db: PersonDb,
  cache: Cache,
  project: string,
  ids: ReadonlySet<string>,
): Promise<Found> {
  const tx = db.transaction(READ);
  const [entries, keys] = await Promise.all([
    tx.objectStore('outbox').getAll(),
    tx.objectStore('chunks').getAllKeys(prefix(project)),
  ]);
  const records = new Map<string, MergeRecord>();
  for (const r of ids) {
    const record = await locate(tx, cache, project, keys, r);
    if (record) records.set(r, record);
  }
  return { records, own: ownByRecord(entries, project) };
}

function dayRange(project: string, c: string, { from, to }: Query): IDBKeyRange {
  if (from === undefined && to === undefined) return prefix(project, c);
  return IDBKeyRange.bound([project, c, from ?? ''], to === undefined ? [project, c, []] : [project, c, to]);
}

async function readChunk(tx: AnyTx, cache: Cache, key: ChunkKey): Promise<readonly MergeRecord[]> {
  const id = key[5];
  const known = cache.records.get(id);
  if (known) return known;
  const text = await tx.objectStore('chunks').get(key);
  const records = text === undefined ? [] : (JSON.parse(text) as MergeRecord[]);
  if (cache.records.size >= CHUNKS_KEPT) cache.records.delete(cache.records.keys().next().value as number);
  cache.records.set(id, records);
  return records;
}

/** What the cache lacks, in one request: fifty small ones would keep a slow phone for a third of a second. */
async function readAllIds(tx: AnyTx, cache: Cache, keys: readonly ChunkKey[]): Promise<void> {
  const first = keys.findIndex((key) => !cache.ids.has(key[5]));
  if (first < 0) return;
  const asked = keys.slice(first, keys.findLastIndex((key) => !cache.ids.has(key[5])) + 1);
  const range = IDBKeyRange.bound(asked[0], asked.at(-1));
  const found = await tx.objectStore('ids').getAll(range);
  for (const [i, key] of asked.entries()) cache.ids.set(key[5], found[i] ?? '');
}

async function addTouched(
  tx: AnyTx,
  cache: Cache,
  project: string,
  keys: readonly ChunkKey[],
  own: ReadonlyMap<string, readonly Own[]>,
  records: Map<string, MergeRecord>,
): Promise<void> {
  for (const r of own.keys()) {
    if (records.has(r)) continue;
    const record = await locate(tx, cache, project, keys, r);
    if (record) records.set(r, record);
  }
}

async function locate(
  tx: AnyTx,
  cache: Cache,
  project: string,
  keys: readonly ChunkKey[],
  r: string,
): Promise<MergeRecord | undefined> {
  const row = await tx.objectStore('rows').get([project, r]);
  return row ? recordIn(row) : unpack(tx, cache, keys, r);
}

const recordIn = ({ text }: Row): MergeRecord => JSON.parse(text) as MergeRecord;

async function unpack(
  tx: AnyTx,
  cache: Cache,
  keys: readonly ChunkKey[],
  r: string,
): Promise<MergeRecord | undefined> {
  await readAllIds(tx, cache, keys);
  for (const key of keys) {
    if (!cache.ids.get(key[5])?.includes(r)) continue;
    return (await readChunk(tx, cache, key)).find((record) => record.r === r);
  }
  return undefined;
}

/** A record as it came: its text, and what it says. */
export interface Line {
  readonly text: string;
  readonly record: MergeRecord;
}

/** A piece of a pull: whole batches, in order of seq. */
export interface Page {
  readonly project: string;
  /** The cursor it was asked from. */
  readonly from: number;
  /** Everything up to this seq is in hand once it is stored. */
  readonly cursor: number;
  readonly lines: readonly Line[];
  readonly head: number;
  readonly epoch: number;
  readonly audiences: readonly string[];
}

/** Stores a page; false if another tab was faster and nothing was done. */
export async function takePage(db: PersonDb, kinds: Kinds, page: Page): Promise<boolean> {
  const incoming = page.lines.map(({ text, record }) => ({
    text,
    record,
    day: dayOf(record, kinds(record.c)),
  }));
  return change(db, STORED, async (tx) => {
    const project = await tx.objectStore('projects').get(page.project);
    if (!project || project.cursor !== page.from) return false;
    await storeRecords(tx, page.project, incoming);
    const { cursor, head, epoch, audiences } = page;
    const base = cursor >= head ? cursor : project.base;
    await settleOutbox(tx, page.project, base, new Map(incoming.map(({ record }) => [record.r, record])));
    put(tx, 'projects', { ...project, cursor, base, head, epoch, pulled: epoch, audiences });
    return true;
  });
}

async function storeRecords(tx: WriteTx, project: string, incoming: readonly Packable[]): Promise<void> {
  if (incoming.length < PACK_FROM) {
    for (const one of incoming) putRow(tx, project, one);
    return;
  }
  const known = await knownRecords(tx, project, new Set(incoming.map(({ record }) => record.c)));
  const fresh: Packable[] = [];
  for (const one of incoming) {
    const seq = known.get(one.record.r);
    if (seq === undefined) fresh.push(one);
    else if (seq < one.record.seq) putRow(tx, project, one);
  }
  await putChunks(tx, project, fresh);
}

/** r → seq of what is stored; a row counts as older than anything, so that it is written again. */
async function knownRecords(
  tx: AnyTx,
  project: string,
  kinds: ReadonlySet<string>,
): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  for (const c of kinds) {
    for (const ids of await tx.objectStore('ids').getAll(prefix(project, c))) readIds(ids, known);
    for (const [, r] of await tx.objectStore('rows').index('at').getAllKeys(prefix(project, c)))
      known.set(r, -1);
  }
  return known;
}

function putRow(tx: WriteTx, project: string, { record, text, day }: Packable): void {
  put(tx, 'rows', { at: [project, record.c, day], text }, [project, record.r]);
}

async function putChunks(tx: WriteTx, project: string, packables: readonly Packable[]): Promise<void> {
  if (packables.length === 0) return;
  const last = (await tx.objectStore('numbers').get('chunk')) ?? 0;
  const chunks = pack(project, packables, last + 1);
  put(tx, 'numbers', last + chunks.length, 'chunk');
  for (const { key, text, ids } of chunks) {
    put(tx, 'chunks', text, key);
    put(tx, 'ids', ids, key);
  }
}

/**
 * Own batches that have come back inside the records leave the outbox; held ones when decided. Half-way
 * through a pull a record may still lack what the cursor has passed, so `base` decides.
 */
async function settleOutbox(
  tx: WriteTx,
  project: string,
  base: number,
  records: ReadonlyMap<string, MergeRecord>,
): Promise<void> {
  for (const entry of await tx.objectStore('outbox').getAll()) {
    if (entry.project !== project || entry.seq === undefined) continue;
    const held = stillHeld(entry, records);
    if (held.length === 0 && entry.seq <= base) remove(tx, 'outbox', entry.n);
    else if (held.length !== (entry.held ?? []).length) put(tx, 'outbox', { ...entry, held });
  }
}

function stillHeld(entry: Entry, records: ReadonlyMap<string, MergeRecord>): readonly number[] {
  return (entry.held ?? []).filter((i) => {
    const record = records.get(opsOf(entry)[i]?.r ?? '');
    if (!record || record.seq < (entry.seq ?? 0)) return true;
    return record.held.some(({ of }) => of[0] === entry.seq && of[1] === i);
  });
}

/** Where the next pull starts, and what is granted from now on. */
export interface Restart {
  readonly cursor: number;
  readonly epoch: number;
  readonly audiences: readonly string[];
}

/** A6: erases what these labels do not grant, and nothing else; the next pull starts at `cursor`. */
export async function erase(
  db: PersonDb,
  kinds: Kinds,
  project: ProjectRow,
  restart: Restart,
): Promise<void> {
  const labels = new Set(restart.audiences);
  const stays = (record: MergeRecord): boolean => granted(record.aud, labels);
  await change(db, STORED, async (tx) => {
    for (const key of await tx.objectStore('chunks').getAllKeys(prefix(project.id))) {
      await filterChunk(tx, kinds, key, stays);
    }
    for (const key of await tx.objectStore('rows').getAllKeys(prefix(project.id))) {
      const row = await tx.objectStore('rows').get(key);
      if (row && !stays(recordIn(row))) remove(tx, 'rows', key);
    }
    put(tx, 'projects', { ...project, ...restart, base: 0, pulled: restart.epoch });
  });
}

async function filterChunk(
  tx: WriteTx,
  kinds: Kinds,
  key: ChunkKey,
  stays: (record: MergeRecord) => boolean,
): Promise<void> {
  const records = JSON.parse((await tx.objectStore('chunks').get(key)) ?? '[]') as MergeRecord[];
  const staying = records.filter(stays);
  if (staying.length === records.length) return;
  dropChunk(tx, key);
  await putChunks(tx, key[0], repack(staying, kinds));
}

function repack(records: readonly MergeRecord[], kinds: Kinds): Packable[] {
  return records.map((record) => ({
    record,
    text: JSON.stringify(record),
    day: dayOf(record, kinds(record.c)),
  }));
}

function dropChunk(tx: WriteTx, key: ChunkKey): void {
  remove(tx, 'chunks', key);
  remove(tx, 'ids', key);
}

/** Everything of a project that the person has left; own batches stay. */
export async function eraseProject(db: PersonDb, project: string): Promise<void> {
  await change(db, STORED, async (tx) => {
    for (const name of ['chunks', 'ids', 'rows'] as const) remove(tx, name, prefix(project));
    remove(tx, 'projects', project);
  });
}

/** Packs rows into chunks, a bounded piece at a time; answers whether there is more to do. */
export async function tidy(db: PersonDb, kinds: Kinds, project: string): Promise<boolean> {
  if ((await db.count('rows', prefix(project))) <= ROWS_MAX) return false;
  return change(db, STORED, async (tx) => {
    const packing = new Map<string, Packable>();
    for (const row of await tx.objectStore('rows').getAll(prefix(project))) {
      const one = packable(row.text, kinds);
      packing.set(one.record.r, one);
    }
    const { remaining, more } = await makeRoom(tx, kinds, project, packing);
    for (const r of packing.keys()) remove(tx, 'rows', [project, r]);
    await putChunks(tx, project, [...packing.values(), ...remaining]);
    return more;
  });
}

/** Takes older copies out of their chunks; rows whose chunk must wait its turn leave `packing`. */
async function makeRoom(
  tx: WriteTx,
  kinds: Kinds,
  project: string,
  packing: Map<string, Packable>,
): Promise<{ remaining: Packable[]; more: boolean }> {
  const remaining: Packable[] = [];
  let opened = 0;
  for (const key of await tx.objectStore('chunks').getAllKeys(prefix(project))) {
    const inside = new Map<string, number>();
    readIds((await tx.objectStore('ids').get(key)) ?? '', inside);
    const older = [...inside.keys()].filter((r) => packing.has(r));
    if (older.length === 0) continue;
    if (++opened > TIDY_CHUNKS_MAX) {
      for (const r of older) packing.delete(r);
      continue;
    }
    const records = JSON.parse((await tx.objectStore('chunks').get(key)) ?? '[]') as MergeRecord[];
    remaining.push(
      ...repack(
        records.filter(({ r }) => !inside.has(r) || !packing.has(r)),
        kinds,
      ),
    );
    dropChunk(tx, key);
  }
  return { remaining, more: opened > TIDY_CHUNKS_MAX };
}
