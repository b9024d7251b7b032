// What lies on disk. One database per person on this phone (`gongbu-<person>`), and one small one for
// the phone itself (`gongbu`): its key, and who has signed in here.
//
// Records lie in packed chunks of some hundred (written once, never changed) under a key that says
// what is inside, overlaid by single rows that came later. At most one index per store: WebKit makes
// overwriting cost O(N) for two.

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { Problem } from '../core/problem.ts';
import type { Value, ValueMap } from '../core/value.ts';
import type { PhoneKey } from './key.ts';
import type { Draft, OutboxStatus, Project } from './phone.ts';

/** Days are '' for kinds without one; `marks` are the states inside, joined by commas. */
export type ChunkKey = [
  project: string,
  c: string,
  dayMax: string,
  dayMin: string,
  marks: string,
  id: number,
];

export interface Row {
  /** project, kind, day */
  readonly at: [string, string, string];
  /** The record as it came. */
  readonly text: string;
}

/** One own batch: from saving until the server's record has come back with it inside. */
export interface Entry {
  readonly n: number;
  readonly project: string;
  readonly base: number;
  readonly t: number;
  /** The exact text that is signed and sent. */
  readonly payload: string;
  readonly sig: string;
  readonly bytes: number;
  readonly since: number;
  readonly status: Exclude<OutboxStatus, 'sending'>;
  readonly seq?: number;
  readonly held?: readonly number[];
  readonly code?: string;
  readonly message?: string;
  readonly op?: number;
  readonly field?: string;
  readonly reason?: string;
  readonly memo?: Value;
}

export interface ProjectRow extends Project {
  /** Everything up to this seq is on the phone. */
  readonly cursor: number;
  /**
   * The head when last everything was on the phone: what a person writes knew all up to here (M2).
   * Half-way through a pull the cursor is further, and a record may still lack what came before it.
   */
  readonly base: number;
  /** The epoch of the last pull; null before the first. */
  readonly pulled: number | null;
  readonly audiences: readonly string[];
}

export interface Me {
  readonly id: string;
  readonly name: string;
  readonly device: string;
  readonly sign: CryptoKey;
}

/** n: last batch number taken · chunk: last chunk id · lastSync, skew: ms */
export type NumberName = 'n' | 'chunk' | 'lastSync' | 'skew';

interface PersonShape extends DBSchema {
  me: { key: 'me'; value: Me };
  numbers: { key: NumberName; value: number };
  projects: { key: string; value: ProjectRow };
  chunks: { key: ChunkKey; value: string };
  /** Under a chunk's key: `r@seq` of its records, joined by spaces. */
  ids: { key: ChunkKey; value: string };
  rows: { key: [string, string]; value: Row; indexes: { at: [string, string, string] } };
  outbox: { key: number; value: Entry };
  drafts: { key: string; value: Draft };
}

export type PersonDb = IDBPDatabase<PersonShape>;
export type StoreName = 'me' | 'numbers' | 'projects' | 'chunks' | 'ids' | 'rows' | 'outbox' | 'drafts';
export type ReadTx = IDBPTransaction<PersonShape, StoreName[], 'readonly'>;
export type WriteTx = IDBPTransaction<PersonShape, StoreName[], 'readwrite'>;

export interface PersonRow {
  readonly id: string;
  readonly name: string;
  readonly device: string;
  readonly lastUsed: number;
  readonly signedIn: boolean;
}

interface PhoneShape extends DBSchema {
  key: { key: 'key'; value: PhoneKey };
  people: { key: string; value: PersonRow };
  /** Facts about the phone itself, such as a sign-out that the server has not heard of yet. */
  facts: { key: string; value: ValueMap };
}

export type PhoneDb = IDBPDatabase<PhoneShape>;

const PERSON_VERSION = 1;
const PHONE_VERSION = 1;

export function personDbName(person: string): string {
  return `gongbu-${person}`;
}

export function openPersonDb(person: string): Promise<PersonDb> {
  return openDB<PersonShape>(personDbName(person), PERSON_VERSION, {
    upgrade(db) {
      db.createObjectStore('me');
      db.createObjectStore('numbers');
      db.createObjectStore('projects', { keyPath: 'id' });
      db.createObjectStore('chunks');
      db.createObjectStore('ids');
      db.createObjectStore('rows').createIndex('at', 'at');
      db.createObjectStore('outbox', { keyPath: 'n' });
      db.createObjectStore('drafts', { keyPath: 'key' });
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

export function openPhoneDb(): Promise<PhoneDb> {
  return openDB<PhoneShape>('gongbu', PHONE_VERSION, {
    upgrade(db) {
      db.createObjectStore('key');
      db.createObjectStore('people', { keyPath: 'id' });
      db.createObjectStore('facts');
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

/**
 * One transaction, whole or not at all: what throws inside takes everything back. `strict` is on the
 * disk when it resolves, whatever happens to the battery.
 */
export async function change<T>(
  db: PersonDb,
  names: StoreName[],
  work: (tx: WriteTx) => Promise<T>,
  durability: IDBTransactionDurability = 'default',
): Promise<T> {
  const tx = db.transaction(names, 'readwrite', { durability });
  tx.done.catch(toldBelow);
  try {
    const answer = await work(tx);
    await tx.done;
    return answer;
  } catch (error) {
    abort(tx);
    throw isFull(error) || isFull(tx.error) ? new Problem({ code: 'no_space', do: 'ask' }) : error;
  }
}

/** Not waited for: if it fails, so does its transaction, which is waited for. */
export function put<N extends StoreName>(
  tx: WriteTx,
  name: N,
  value: PersonShape[N]['value'],
  key?: PersonShape[N]['key'],
): void {
  const store = tx.objectStore(name) as unknown as { put(value: unknown, key?: unknown): Promise<unknown> };
  store.put(value, key).catch(toldBelow);
}

export function remove<N extends StoreName>(
  tx: WriteTx,
  name: N,
  key: PersonShape[N]['key'] | IDBKeyRange,
): void {
  const store = tx.objectStore(name) as unknown as { delete(key: unknown): Promise<void> };
  store.delete(key).catch(toldBelow);
}

function toldBelow(): void {
  // The transaction's own end tells it to whoever waits.
}

function abort(tx: WriteTx): void {
  try {
    tx.abort();
  } catch {
    // It has ended already.
  }
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}

/** Every key that begins with these parts. In IndexedDB an array sorts after every text. */
export function prefix(...parts: readonly string[]): IDBKeyRange {
  return IDBKeyRange.bound([...parts], [...parts, []]);
}
