// What lies on disk. One database per person on this phone (`gongbu-<person>`), and one small one for
// the phone itself (`gongbu`): its key, and who has signed in here.
//
// Records lie in packed chunks of some hundred (written once, never changed) under a key that says
// what is inside, overlaid by single rows that came later. At most one index per store: WebKit makes
// overwriting cost O(N) for two.

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import type { PhotoValue } from '../core/photo.ts';
import { Problem } from '../core/problem.ts';
import type { Value, ValueMap } from '../core/value.ts';
import type { PhoneKey } from './key.ts';
import type { Draft, OutboxStatus, Project } from './phone.ts';
import type { FileValue } from './photo.ts';

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

/** n: last batch number taken · chunk: last chunk id · lastSync, skew: ms · the rest: how photos are kept and sent */
export type NumberName = 'n' | 'chunk' | 'lastSync' | 'skew' | 'photoSide' | 'photoWifiOnly';

/** A photo or document of this phone. Its bytes lie apart, so that a list reads none. */
export interface PhotoRow {
  readonly sha: string;
  readonly project: string;
  readonly c: string;
  readonly r: string;
  readonly path: string;
  readonly key: string;
  readonly value: PhotoValue | FileValue;
  /** Other records that the same bytes were put in: one photo, sent once any of them is. */
  readonly also?: readonly { readonly c: string; readonly r: string }[];
  /** A document: it has no pictures. */
  readonly isFile?: true;
  /** Of the big picture. */
  readonly bytes: number;
  /** Only while the server has not confirmed it: when it was put here, ms. Such a photo is never dropped. */
  readonly since?: number;
  /** Of uploads that began: they are resumed there. */
  readonly url?: string;
  readonly thumbUrl?: string;
  /** The small picture has been confirmed. */
  readonly isThumbSent?: true;
  /** The server does not take it. */
  readonly code?: string;
  /** It stood in a record and was taken off: the record's history names it, so it goes up all the same. */
  readonly isTakenOff?: true;
}

/** A picture that can be fetched again: when it was last looked at, and its size. */
export interface Copy {
  readonly id: string;
  readonly project: string;
  readonly bytes: number;
  readonly seen: number;
}

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
  photos: { key: string; value: PhotoRow; indexes: { since: number } };
  /** `sha size` → the JPEG, as an ArrayBuffer: WebKit has lost Blobs. */
  pictures: { key: string; value: ArrayBuffer };
  copies: { key: string; value: Copy };
  /** Shas that the server is known to have. */
  arrived: { key: string; value: 1 };
}

export type PersonDb = IDBPDatabase<PersonShape>;
export type StoreName =
  | 'me'
  | 'numbers'
  | 'projects'
  | 'chunks'
  | 'ids'
  | 'rows'
  | 'outbox'
  | 'drafts'
  | 'photos'
  | 'pictures'
  | 'copies'
  | 'arrived';
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

const PERSON_VERSION = 2;
const PHONE_VERSION = 1;

export function personDbName(person: string): string {
  return `gongbu-${person}`;
}

/** What was fetched and can be fetched again lies apart from it (kept.ts). */
export function keptDbName(person: string): string {
  return `gongbu-kept-${person}`;
}

export function openPersonDb(person: string): Promise<PersonDb> {
  return openDB<PersonShape>(personDbName(person), PERSON_VERSION, {
    upgrade(db, before) {
      if (before < 1) addRecords(db);
      if (before < 2) addPhotos(db);
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

function addRecords(db: PersonDb): void {
  db.createObjectStore('me');
  db.createObjectStore('numbers');
  db.createObjectStore('projects', { keyPath: 'id' });
  db.createObjectStore('chunks');
  db.createObjectStore('ids');
  db.createObjectStore('rows').createIndex('at', 'at');
  db.createObjectStore('outbox', { keyPath: 'n' });
  db.createObjectStore('drafts', { keyPath: 'key' });
}

function addPhotos(db: PersonDb): void {
  db.createObjectStore('photos', { keyPath: 'sha' }).createIndex('since', 'since');
  db.createObjectStore('pictures');
  db.createObjectStore('copies', { keyPath: 'id' });
  db.createObjectStore('arrived');
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
