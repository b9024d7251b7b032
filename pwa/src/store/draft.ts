// Drafts: what is being typed. Each change is in a small journal (localStorage) before the call returns
// and in the database a moment later, so neither a kill nor a full journal loses it. Nothing is started
// when the page is being hidden: WebKit would lose it or hang the next page.

import type { Value } from '../core/value.ts';
import { change, type PersonDb, put } from './database.ts';
import type { Draft } from './phone.ts';

export const SAVE_AFTER_MS = 300;

export type Journal = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

export interface Drafts {
  get(key: string): Promise<Draft | undefined>;
  save(key: string, value: Value): void;
  drop(key: string): Promise<void>;
  all(): Promise<readonly Draft[]>;
  flush(): Promise<void>;
  close(): void;
}

export async function openDrafts(
  db: PersonDb,
  journal: Journal | null,
  person: string,
  now: () => number,
  changed: () => void,
): Promise<Drafts> {
  const prefix = `gongbu:draft:${person}:`;
  const unsaved = new Map<string, Draft>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const saving = [...unsaved.values()];
    if (saving.length === 0) return;
    await putNewer(db, saving);
    for (const draft of saving) {
      if (unsaved.get(draft.key) !== draft) continue;
      unsaved.delete(draft.key);
      journal?.removeItem(prefix + draft.key);
    }
    changed();
  }

  await putNewer(db, readJournal(journal, prefix));

  return {
    get: async (key) => unsaved.get(key) ?? (await db.get('drafts', key)),
    save(key, value) {
      const draft = { key, value, at: now() };
      unsaved.set(key, draft);
      const isSafe = write(journal, prefix + key, JSON.stringify(draft));
      if (!isSafe) void flush();
      else timer ??= setTimeout(() => void flush(), SAVE_AFTER_MS);
    },
    async drop(key) {
      unsaved.delete(key);
      journal?.removeItem(prefix + key);
      await db.delete('drafts', key);
      changed();
    },
    async all() {
      const found = new Map((await db.getAll('drafts')).map((draft) => [draft.key, draft]));
      for (const draft of unsaved.values()) found.set(draft.key, draft);
      return [...found.values()].sort((a, b) => b.at - a.at);
    },
    flush,
    close: () => clearTimeout(timer),
  };
}

async function putNewer(db: PersonDb, drafts: readonly Draft[]): Promise<void> {
  if (drafts.length === 0) return;
  await change(db, ['drafts'], async (tx) => {
    for (const draft of drafts) {
      const stored = await tx.objectStore('drafts').get(draft.key);
      if (!stored || stored.at <= draft.at) put(tx, 'drafts', draft);
    }
  });
}

function readJournal(journal: Journal | null, prefix: string): Draft[] {
  const drafts: Draft[] = [];
  for (let i = 0; journal && i < journal.length; i++) {
    const key = journal.key(i);
    const text = key?.startsWith(prefix) ? journal.getItem(key) : null;
    if (text) drafts.push(JSON.parse(text) as Draft);
  }
  return drafts;
}

/** False where the journal is full or forbidden. */
function write(journal: Journal | null, key: string, text: string): boolean {
  try {
    journal?.setItem(key, text);
    return journal !== null;
  } catch {
    return false;
  }
}
