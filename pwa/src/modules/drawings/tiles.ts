// The tiles of plans on this phone: from its own disk, else from the server and then kept. Who opens a page
// with a network gets all of it in the background, so that it can be opened in the cellar too.

import type { Kept } from '../../store/kept.ts';
import { Problem } from '../../store/phone.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { allTiles, type PageOfPlan, type PlanFile, tileName } from './page.ts';

/** So many are fetched at once in the background; what a person looks at comes beside them. */
const AT_ONCE = 3;

export interface Tiles {
  /** As the server says now; offline as it said when all was rendered. Throws Problem. */
  file(sha: string): Promise<PlanFile>;
  tile(sha: string, page: number, z: number, x: number, y: number): Promise<Blob>;
  /** Fetches what is missing of a page; tells which share is there, from 0 to 1. */
  keepPage(sha: string, page: PageOfPlan, number: number, told: (share: number) => void): KeepsOn;
  /** Pages of this file that are whole on this phone, and their bytes. */
  kept(sha: string): Promise<{ readonly pages: readonly number[]; readonly bytes: number }>;
  /** Drops what this person may no longer see: all but these files. */
  tidy(shas: ReadonlySet<string>): Promise<void>;
  close(): void;
}

export interface KeepsOn {
  readonly done: Promise<void>;
  stop(): void;
}

export async function openTiles(site: Site): Promise<Tiles> {
  const { openKept } = await import('../../store/kept.ts');
  const kept = await openKept(site.phone.person.id, () => site.now());
  const fetched = async (path: string): Promise<Blob> => (await site.phone.photos()).fetched(path);
  return tilesOf(kept, fetched);
}

export function tilesOf(kept: Kept, fetched: (path: string) => Promise<Blob>): Tiles {
  const coming = new Map<string, Promise<ArrayBuffer>>();

  async function bytes(sha: string, page: number, name: string): Promise<ArrayBuffer> {
    const folder = folderOf(sha, page);
    const there = await kept.get(folder, name);
    if (there) return there;
    const path = `/api/drawings/${sha}/${name}`;
    const found = coming.get(path) ?? fetchAndKeep(path, folder, name);
    coming.set(path, found);
    return found.finally(() => coming.delete(path));
  }

  async function fetchAndKeep(path: string, folder: string, name: string): Promise<ArrayBuffer> {
    const found = await (await fetched(path)).arrayBuffer();
    // A full disk costs the copy, not the sight.
    await kept.put(folder, name, found).catch(() => undefined);
    return found;
  }

  async function file(sha: string): Promise<PlanFile> {
    const known = await kept.note(sha);
    if (isPlanFile(known)) return known;
    const found: unknown = JSON.parse(await (await fetched(`/api/drawings/${sha}`)).text());
    if (!isPlanFile(found)) throw new Problem({ code: 'unavailable', do: 'retry' });
    if (found.state === 'ready') await kept.putNote(sha, found).catch(() => undefined);
    return found;
  }

  function keepPage(sha: string, page: PageOfPlan, number: number, told: (share: number) => void): KeepsOn {
    let isStopped = false;
    const folder = folderOf(sha, number);
    async function all(): Promise<void> {
      await kept.seen(folder);
      if ((await kept.folder(folder))?.isWhole) return told(1);
      const names = allTiles(page, number);
      const there = new Set(await kept.names(folder));
      const missing = names.filter((name) => !there.has(name));
      const next = missing[Symbol.iterator]();
      const worker = async (): Promise<void> => {
        for (const name of next) {
          if (isStopped) return;
          await bytes(sha, number, name);
          there.add(name);
          told(there.size / names.length);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      // What a full disk did not take is not there: the next opening tries again.
      if (!isStopped && (await kept.names(folder)).size >= names.length) await kept.whole(folder);
    }
    return {
      done: all(),
      stop() {
        isStopped = true;
      },
    };
  }

  return {
    file,
    keepPage,
    async tile(sha, page, z, x, y) {
      return new Blob([await bytes(sha, page, tileName(page, z, x, y))], { type: 'image/webp' });
    },
    async kept(sha) {
      const mine = (await kept.folders()).filter(({ id }) => id.startsWith(`${sha}/`));
      return {
        pages: mine.filter(({ isWhole }) => isWhole).map(({ id }) => Number(id.slice(sha.length + 1))),
        bytes: mine.reduce((sum, folder) => sum + folder.bytes, 0),
      };
    },
    async tidy(shas) {
      for (const { id } of await kept.folders()) if (!shas.has(id.split('/')[0] ?? '')) await kept.drop(id);
    },
    close: () => kept.close(),
  };
}

const folderOf = (sha: string, page: number): string => `${sha}/${page}`;

function isPlanFile(found: unknown): found is PlanFile {
  return typeof found === 'object' && found !== null && 'state' in found && 'pages' in found;
}
