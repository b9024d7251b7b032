// What was fetched from the server and never changes, in folders that go as a whole: tiles of plans.
//
// It lies in a small database of each person's own (`gongbu-kept-<person>`), not in the browser's cache:
// on a shared phone nobody reads there what he may not see, and it is erased with the person. Beside his
// records rather than among them, so that a full disk or a broken file here costs nothing but a fetch.

import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { keptDbName } from './database.ts';

/** A folder: when it was last opened, and what it holds. `isWhole`: everything that belongs in it. */
export interface Folder {
  readonly id: string;
  readonly bytes: number;
  readonly count: number;
  readonly seen: number;
  readonly isWhole: boolean;
}

export interface Kept {
  /** A small answer of the server by itself, as JSON. */
  note(id: string): Promise<unknown>;
  putNote(id: string, note: unknown): Promise<void>;
  get(folder: string, name: string): Promise<ArrayBuffer | undefined>;
  names(folder: string): Promise<ReadonlySet<string>>;
  /** Makes room by itself: the folders opened longest ago go. */
  put(folder: string, name: string, bytes: ArrayBuffer): Promise<void>;
  whole(folder: string): Promise<void>;
  folder(id: string): Promise<Folder | undefined>;
  folders(): Promise<readonly Folder[]>;
  /** It was opened now: it goes last. */
  seen(id: string): Promise<void>;
  drop(id: string): Promise<void>;
  close(): void;
}

interface Shape extends DBSchema {
  notes: { key: string; value: unknown };
  folders: { key: string; value: Folder };
  files: { key: [string, string]; value: ArrayBuffer };
}

/** A phone of 32 GB has more to do than to carry plans. */
export const KEPT_BYTES_MAX = 300e6;

export async function openKept(person: string, now: () => number, bytesMax = KEPT_BYTES_MAX): Promise<Kept> {
  const db = await openDB<Shape>(keptDbName(person), 1, {
    upgrade(db) {
      db.createObjectStore('notes');
      db.createObjectStore('folders', { keyPath: 'id' });
      db.createObjectStore('files');
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  return new KeptDb(db, now, bytesMax);
}

class KeptDb implements Kept {
  readonly #db: IDBPDatabase<Shape>;
  readonly #now: () => number;
  readonly #bytesMax: number;

  constructor(db: IDBPDatabase<Shape>, now: () => number, bytesMax: number) {
    this.#db = db;
    this.#now = now;
    this.#bytesMax = bytesMax;
  }

  note(id: string): Promise<unknown> {
    return this.#db.get('notes', id);
  }
  async putNote(id: string, note: unknown): Promise<void> {
    await this.#db.put('notes', note, id);
  }
  get(folder: string, name: string): Promise<ArrayBuffer | undefined> {
    return this.#db.get('files', [folder, name]);
  }
  async names(folder: string): Promise<ReadonlySet<string>> {
    return new Set((await this.#db.getAllKeys('files', allOf(folder))).map(([, name]) => name));
  }
  folder(id: string): Promise<Folder | undefined> {
    return this.#db.get('folders', id);
  }
  folders(): Promise<readonly Folder[]> {
    return this.#db.getAll('folders');
  }

  async put(folder: string, name: string, bytes: ArrayBuffer): Promise<void> {
    const tx = this.#db.transaction(['folders', 'files'], 'readwrite');
    const files = tx.objectStore('files');
    if ((await files.count([folder, name])) === 0) {
      const before = await tx.objectStore('folders').get(folder);
      void files.put(bytes, [folder, name]);
      void tx.objectStore('folders').put({
        id: folder,
        bytes: (before?.bytes ?? 0) + bytes.byteLength,
        count: (before?.count ?? 0) + 1,
        seen: before?.seen ?? this.#now(),
        isWhole: before?.isWhole ?? false,
      });
    }
    await tx.done;
    await this.#makeRoom(folder);
  }

  async #makeRoom(except: string): Promise<void> {
    const folders = [...(await this.folders())].sort((a, b) => a.seen - b.seen);
    let over = folders.reduce((sum, { bytes }) => sum + bytes, 0) - this.#bytesMax;
    for (const { id, bytes } of folders) {
      if (over <= 0) return;
      if (id === except) continue;
      await this.drop(id);
      over -= bytes;
    }
  }

  whole(id: string): Promise<void> {
    return this.#change(id, { isWhole: true });
  }
  seen(id: string): Promise<void> {
    return this.#change(id, { seen: this.#now() });
  }
  async #change(id: string, part: Partial<Folder>): Promise<void> {
    const tx = this.#db.transaction('folders', 'readwrite');
    const folder = await tx.store.get(id);
    if (folder) void tx.store.put({ ...folder, ...part });
    await tx.done;
  }

  async drop(id: string): Promise<void> {
    const tx = this.#db.transaction(['folders', 'files'], 'readwrite');
    void tx.objectStore('files').delete(allOf(id));
    void tx.objectStore('folders').delete(id);
    await tx.done;
  }

  close(): void {
    this.#db.close();
  }
}

/** In IndexedDB an array sorts after every text. */
function allOf(folder: string): IDBKeyRange {
  return IDBKeyRange.bound([folder], [folder, []]);
}
