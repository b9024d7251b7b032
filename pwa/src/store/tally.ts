// How many records of a kind match, without reading again what cannot have changed: chunks never change,
// so which of their records matched is remembered; rows and own batches are few and looked at each time.
// Each chunk is read in a pause of its own, so that a thumb never waits for a number.

import type { MergeRecord } from '../core/merge.ts';
import { mayHold } from './chunk.ts';
import type { ChunkKey, PersonDb } from './database.ts';
import type { Query } from './phone.ts';
import { type Cache, findLoose } from './record.ts';
import type { Own } from './view.ts';

export interface Tally {
  readonly project: string;
  readonly c: string;
  /** chunk → how many matched in it */
  readonly sizeByChunk: Map<number, number>;
  /** record → the chunk in which it matched */
  readonly chunkByRecord: Map<string, number>;
}

export type IsMatch = (record: MergeRecord | undefined, own: readonly Own[]) => boolean;

export function newTally(project: string, c: string): Tally {
  return { project, c, sizeByChunk: new Map(), chunkByRecord: new Map() };
}

export async function countKind(
  db: PersonDb,
  cache: Cache,
  tally: Tally,
  query: Query,
  isMatch: IsMatch,
  pause: () => Promise<void>,
): Promise<number> {
  for (;;) {
    const { keys, newer, records, own } = await findLoose(db, cache, tally.project, tally.c, query);
    const asked = keys.filter((key) => mayHold(key, query));
    // A chunk may have been packed anew meanwhile: then what lies loose is another, too.
    if (!(await tallyAll(db, cache, tally, asked, isMatch, pause))) continue;
    const loose = new Set([...records.keys(), ...own.keys()]);
    const matching = [...loose].filter((r) => isMatch(records.get(r), own.get(r) ?? [])).length;
    return matching + packed(tally, asked, new Set([...newer, ...loose]));
  }
}

async function tallyAll(
  db: PersonDb,
  cache: Cache,
  tally: Tally,
  keys: readonly ChunkKey[],
  isMatch: IsMatch,
  pause: () => Promise<void>,
): Promise<boolean> {
  for (const key of keys) {
    const id = key[5];
    if (tally.sizeByChunk.has(id)) continue;
    await pause();
    const records = cache.records.get(id) ?? (await readOnce(db, key));
    if (!records) return false;
    const matching = records.filter((record) => isMatch(record, []));
    for (const { r } of matching) tally.chunkByRecord.set(r, id);
    tally.sizeByChunk.set(id, matching.length);
  }
  return true;
}

/** Not kept: it is counted once, and would drive out what the screens read again and again. */
async function readOnce(db: PersonDb, key: ChunkKey): Promise<readonly MergeRecord[] | undefined> {
  const text = await db.get('chunks', key);
  return text === undefined ? undefined : (JSON.parse(text) as MergeRecord[]);
}

/** What matched in these chunks and has no newer copy elsewhere. */
function packed(tally: Tally, keys: readonly ChunkKey[], elsewhere: ReadonlySet<string>): number {
  const live = new Set(keys.map((key) => key[5]));
  let total = 0;
  for (const id of live) total += tally.sizeByChunk.get(id) ?? 0;
  for (const r of elsewhere) if (live.has(tally.chunkByRecord.get(r) ?? -1)) total -= 1;
  return total;
}
