// The album: the photos on this phone's disk. Own ones stay until the server has confirmed them; copies
// of what the server has make room, least recently seen first. What is asked of the server goes through
// `PhotoServer`; sending is the exchange's part (sync/upload.ts). Loaded when the first photo is needed.

import { isSha, type PhotoValue } from '../core/photo.ts';
import { Problem } from '../core/problem.ts';
import { type Copy, change, type PersonDb, type PhotoRow, put, remove, type WriteTx } from './database.ts';
import type { Notices } from './notice.ts';
import type { Shown } from './phone.ts';
import type {
  Filed,
  FileValue,
  PhotoRoom,
  PhotoSettings,
  PhotoSize,
  PhotoStanding,
  Photos,
  Taken,
  Unsaved,
  WaitingPhoto,
} from './photo.ts';

/** What the album asks the server. Throws Problem. */
export interface PhotoServer {
  /** Of these, those that have arrived and may be seen. */
  have(project: string, shas: readonly string[]): Promise<Have>;
  fetch(project: string, sha: string, width: 320 | 1280 | null): Promise<ArrayBuffer>;
  /** Any address of the server, with this person's session. */
  bytes(path: string): Promise<ArrayBuffer>;
}

export interface Have {
  readonly have: readonly string[];
  /** Arrived whole and could not be decoded: sha → code. */
  readonly refused?: Readonly<Record<string, string>>;
}

export interface AlbumOptions {
  readonly db: PersonDb;
  readonly notices: Notices;
  readonly now: () => number;
  readonly server: PhotoServer;
  readonly estimate: () => Promise<{ readonly usage?: number; readonly quota?: number } | null>;
  readonly get: (project: string, r: string, c: string) => Promise<Shown | undefined>;
  /** How many wait has changed: the status says so. */
  readonly counted: () => Promise<void>;
}

/** Which of a photo's two files. */
export type Part = 'thumb' | 'whole';

/** A file that may go up now. */
export interface Due {
  readonly row: PhotoRow;
  readonly part: Part;
  readonly sha: string;
  /** Where its upload began. */
  readonly url: string | undefined;
}

export const SIDE = 2048;
/** So many shas are asked about at once. */
export const HAVE_MAX = 500;
const ASK_AFTER_MS = 250;
/** Nobody looks at more photos than that between two answers. */
const WANTED_MAX = 5000;
const SEEN_AGAIN_MS = 60 * 60_000;
/** Copies of colleagues' photos are no reason to fill a phone. */
const COPY_BYTES_MAX = 300e6;
const WIDTH = { thumb: 320, view: 1280, whole: null } as const;

const STORES = ['photos', 'pictures', 'copies', 'arrived'] as const;

export class Album implements Photos {
  readonly #its: AlbumOptions;
  #arrived: Set<string>;
  /** Bytes of the upload under way, by sha; told by the tab that sends. */
  readonly #sent = new Map<string, number>();
  /** Own ones that were put here or seen waiting: nobody asks whether they have arrived, sending tells. */
  readonly #own = new Set<string>();
  readonly #wanted = new Map<string, Set<string>>();
  readonly #fetching = new Map<string, Promise<Blob>>();
  #asking: ReturnType<typeof setTimeout> | undefined;

  constructor(options: AlbumOptions, arrived: readonly string[]) {
    this.#its = options;
    this.#arrived = new Set(arrived);
    options.notices.watch('photos', ({ isOther, report }) => {
      if (!isOther) return;
      if (isProgress(report)) this.#sent.set(report.sha, report.sent);
      else void this.#readArrived();
    });
  }

  // --- keeping -----------------------------------------------------------------------------------

  async add(taken: Taken): Promise<void> {
    const { project, c, r, path, key, value, big, thumb } = taken;
    const { sha } = value;
    await this.#keep({ sha, project, c, r, path, key, value, bytes: big.byteLength }, big, thumb);
  }

  async addFile({ project, c, r, path, key, file, name }: Filed): Promise<FileValue> {
    const bytes = await file.arrayBuffer();
    const sha = hex(await crypto.subtle.digest('SHA-256', bytes));
    const type = file.type || 'application/octet-stream';
    const value: FileValue = { sha, name: name.normalize('NFC'), bytes: bytes.byteLength, type };
    await this.#keep({ sha, project, c, r, path, key, value, bytes: bytes.byteLength, isFile: true }, bytes);
    return value;
  }

  /** The same bytes twice are one photo; what the server has already need not wait here. */
  async #keep(row: PhotoRow, whole: ArrayBuffer, thumb?: ArrayBuffer): Promise<void> {
    const { sha, project, bytes } = row;
    const work = async (tx: WriteTx): Promise<void> => {
      const now = this.#its.now();
      if (this.#arrived.has(sha)) {
        put(tx, 'photos', row);
        put(tx, 'copies', { id: `${sha} whole`, project, bytes, seen: now });
      } else {
        this.#own.add(sha);
        const before = await tx.objectStore('photos').get(sha);
        put(tx, 'photos', { ...row, ...alsoIn(before, row), since: before?.since ?? now });
      }
      put(tx, 'pictures', whole, `${sha} whole`);
      if (thumb) put(tx, 'pictures', thumb, `${sha} thumb`);
    };
    const keep = (): Promise<void> => change(this.#its.db, [...STORES], work, 'strict');
    await keep().catch(async (error: unknown) => {
      const isFull = error instanceof Problem && error.code === 'no_space';
      if (!isFull || (await this.makeRoom(4 * bytes)) === 0) throw error;
      await keep();
    });
    this.#tell();
  }

  async fileUnder(r: string, c: string): Promise<void> {
    const rows = (await this.#waitingRows()).filter((row) => row.r === r && row.c !== c);
    const work = async (tx: WriteTx): Promise<void> => {
      for (const row of rows) put(tx, 'photos', { ...row, c });
    };
    if (rows.length > 0) await change(this.#its.db, ['photos'], work, 'strict');
  }

  async discard(sha: string): Promise<void> {
    const row = await this.#its.db.get('photos', sha);
    if (row?.since === undefined) return;
    const [standing] = await this.#standings([row]);
    if (standing === 'unsaved') await this.#erase(sha);
    else await this.#update(sha, (now) => ({ ...now, isTakenOff: true }));
    this.#tell();
  }

  async #erase(sha: string): Promise<void> {
    await change(this.#its.db, [...STORES], async (tx) => {
      remove(tx, 'photos', sha);
      for (const size of ['whole', 'thumb']) remove(tx, 'pictures', `${sha} ${size}`);
    });
  }

  async unsaved(r: string): Promise<readonly Unsaved[]> {
    const rows = (await this.#waitingRows()).filter((row) => row.r === r);
    const standings = await this.#standings(rows);
    return rows.flatMap(({ path, key, value, isFile }, i) =>
      standings[i] === 'unsaved' && !isFile ? [{ path, key, value: value as PhotoValue }] : [],
    );
  }

  // --- looking -----------------------------------------------------------------------------------

  picture(project: string, photo: PhotoValue, size: PhotoSize): Promise<Blob> {
    const id = `${photo.sha} ${size}`;
    const found = this.#fetching.get(id) ?? this.#find(project, photo, size);
    this.#fetching.set(id, found);
    return found.finally(() => this.#fetching.delete(id));
  }

  async file(project: string, sha: string): Promise<Blob> {
    const id = `${sha} whole`;
    const bytes = await this.#its.db.get('pictures', id);
    if (bytes) return new Blob([bytes]);
    const fetched = await this.#its.server.bytes(`/api/files/${sha}`);
    await this.#keepCopy(project, id, fetched).catch(() => undefined);
    return new Blob([fetched]);
  }

  async fetched(path: string): Promise<Blob> {
    return new Blob([await this.#its.server.bytes(path)]);
  }

  async #find(project: string, photo: PhotoValue, size: PhotoSize): Promise<Blob> {
    for (const one of size === 'view' ? (['whole', 'view'] as const) : [size]) {
      const id = `${photo.sha} ${one}`;
      const bytes = await this.#its.db.get('pictures', id);
      if (bytes) {
        void this.#look(id).catch(() => undefined);
        return blobOf(bytes);
      }
    }
    const bytes = await this.#fetch(project, photo, size);
    await this.#keepCopy(project, `${photo.sha} ${size}`, bytes).catch(() => undefined);
    return blobOf(bytes);
  }

  /** The small picture went ahead of the big one, so it may be there alone. */
  async #fetch(project: string, photo: PhotoValue, size: PhotoSize): Promise<ArrayBuffer> {
    const { server } = this.#its;
    const ahead = size === 'thumb' && isSha(photo.thumb) ? photo.thumb : null;
    if (ahead === null || this.#arrived.has(photo.sha)) return server.fetch(project, photo.sha, WIDTH[size]);
    return server.fetch(project, ahead, null).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
      return server.fetch(project, photo.sha, WIDTH.thumb);
    });
  }

  async #keepCopy(project: string, id: string, bytes: ArrayBuffer): Promise<void> {
    const copies = await this.#its.db.getAll('copies');
    const size = copies.reduce((sum, copy) => sum + copy.bytes, 0);
    if (size + bytes.byteLength > COPY_BYTES_MAX) await this.makeRoom(COPY_BYTES_MAX / 10);
    const copy: Copy = { id, project, bytes: bytes.byteLength, seen: this.#its.now() };
    await change(this.#its.db, ['pictures', 'copies'], async (tx) => {
      put(tx, 'pictures', bytes, id);
      put(tx, 'copies', copy);
    });
  }

  async #look(id: string): Promise<void> {
    const copy = await this.#its.db.get('copies', id);
    const seen = this.#its.now();
    if (copy && seen - copy.seen > SEEN_AGAIN_MS) await this.#its.db.put('copies', { ...copy, seen });
  }

  // --- what has arrived --------------------------------------------------------------------------

  arrived(): ReadonlySet<string> {
    return this.#arrived;
  }

  ask(project: string, shas: readonly string[]): void {
    const wanted = this.#wanted.get(project) ?? new Set();
    this.#wanted.set(project, wanted);
    const before = wanted.size;
    for (const sha of shas)
      if (!this.#arrived.has(sha) && !this.#own.has(sha) && wanted.size < WANTED_MAX) wanted.add(sha);
    if (wanted.size > before) this.#askSoon();
  }

  /** The network is back, or the server said that something is new. */
  askAgain(): void {
    if ([...this.#wanted.values()].some(({ size }) => size > 0)) this.#askSoon();
  }

  #askSoon(): void {
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      // Offline: it is asked again when the exchange works again.
      this.#askNow().catch(() => undefined);
    }, ASK_AFTER_MS);
  }

  async #askNow(): Promise<void> {
    for (const [project, wanted] of this.#wanted) {
      for (const shas of inParts([...wanted], HAVE_MAX)) await this.confirm(project, shas);
    }
  }

  /** Asks about these and notes those that are there; own ones need not be kept for the server's sake. */
  async confirm(project: string, shas: readonly string[]): Promise<ReadonlySet<string>> {
    if (shas.length === 0) return new Set();
    const { have, refused = {} } = await this.#its.server.have(project, shas);
    const there = have.filter((sha) => shas.includes(sha));
    for (const [sha, code] of Object.entries(refused)) await this.refused(sha, code);
    const isNews = there.some((sha) => !this.#arrived.has(sha));
    for (const sha of there) this.#wanted.get(project)?.delete(sha);
    if (there.length > 0) await this.#confirmed(there);
    if (isNews) this.#tell();
    return new Set(there);
  }

  async #confirmed(shas: readonly string[]): Promise<void> {
    const seen = this.#its.now();
    await change(
      this.#its.db,
      [...STORES],
      async (tx) => {
        for (const sha of shas) {
          put(tx, 'arrived', 1, sha);
          const row = await tx.objectStore('photos').get(sha);
          if (!row || row.since === undefined) continue;
          const { since: _since, code: _code, url: _url, thumbUrl: _thumb, ...rest } = row;
          put(tx, 'photos', rest);
          put(tx, 'copies', { id: `${sha} whole`, project: row.project, bytes: row.bytes, seen });
        }
      },
      'strict',
    );
    for (const sha of shas) {
      this.#arrived.add(sha);
      this.#sent.delete(sha);
    }
  }

  /**
   * The server began anew, or grants other things now: what was confirmed may not be so any more. Copies of
   * others go; own photos that are still here are asked about again, and sent if they are missing.
   */
  async doubt(project: string): Promise<void> {
    const { db, now } = this.#its;
    const own = (await db.getAll('photos')).filter((row) => row.project === project);
    const mine = new Set(own.map(({ sha }) => sha));
    const copies = (await db.getAll('copies')).filter((copy) => copy.project === project);
    await change(db, [...STORES], async (tx) => {
      tx.objectStore('arrived')
        .clear()
        .catch(() => undefined);
      for (const { id } of copies) {
        if (!mine.has(shaOf(id))) remove(tx, 'pictures', id);
        if (!mine.has(shaOf(id)) || id.endsWith(' whole')) remove(tx, 'copies', id);
      }
      for (const row of own) {
        const isHere = (await tx.objectStore('pictures').getKey(`${row.sha} whole`)) !== undefined;
        if (row.since === undefined && isHere) put(tx, 'photos', { ...row, since: now() });
      }
    });
    this.#arrived = new Set();
    this.#tell();
  }

  async #readArrived(): Promise<void> {
    this.#arrived = new Set(await this.#its.db.getAllKeys('arrived').catch(() => [...this.#arrived]));
  }

  // --- sending -----------------------------------------------------------------------------------

  async waiting(): Promise<readonly WaitingPhoto[]> {
    const rows = await this.#waitingRows();
    const standings = await this.#standings(rows);
    return rows.map(({ sha, project, c, r, key, value, bytes, code }, i): WaitingPhoto => {
      const sent = this.#sent.get(sha);
      const standing = standings[i] as PhotoStanding;
      return {
        ...{ sha, project, c, r, key, value, bytes },
        sent: sent ?? 0,
        standing: standing === 'waiting' && sent !== undefined ? 'sending' : standing,
        ...(code !== undefined && { code }),
      };
    });
  }

  /**
   * What may go up now: photos whose record's batch was answered. All small pictures first, so that
   * colleagues see every photo within seconds, then the big ones in the order they were taken.
   */
  async due(): Promise<readonly Due[]> {
    const rows = await this.#waitingRows();
    const standings = await this.#standings(rows);
    const ready = rows.filter((_row, i) => standings[i] === 'waiting');
    const thumbs = ready.flatMap((row): Due[] =>
      row.isThumbSent || !('thumb' in row.value) || !isSha(row.value.thumb)
        ? []
        : [{ row, part: 'thumb', sha: row.value.thumb, url: row.thumbUrl }],
    );
    return [...thumbs, ...ready.map((row): Due => ({ row, part: 'whole', sha: row.sha, url: row.url }))];
  }

  bytes({ row, part }: Due): Promise<ArrayBuffer | undefined> {
    return this.#its.db.get('pictures', `${row.sha} ${part}`);
  }

  /** Its upload has an address now, kept so that it goes on there after a kill. */
  async began({ row, part }: Due, url: string | null): Promise<void> {
    await this.#update(row.sha, (now) => {
      const { [part === 'whole' ? 'url' : 'thumbUrl']: _before, ...rest } = now;
      return url === null ? rest : { ...rest, [part === 'whole' ? 'url' : 'thumbUrl']: url };
    });
  }

  progress(sha: string, sent: number): void {
    this.#sent.set(sha, sent);
    this.#its.notices.tell({ topic: 'photos', report: { sha, sent } });
  }

  /** Nothing goes up just now. */
  paused(): void {
    if (this.#sent.size === 0) return;
    this.#sent.clear();
    this.#tell();
  }

  async thumbSent(sha: string): Promise<void> {
    await this.#update(sha, ({ thumbUrl: _url, ...row }) => ({ ...row, isThumbSent: true }));
  }

  /** The server will never take it; the person is told, and it stays. */
  async refused(sha: string, code: string): Promise<void> {
    await this.#update(sha, ({ url: _url, ...row }) => ({ ...row, code }));
    this.#sent.delete(sha);
    this.#tell();
  }

  /** What was refused is tried once more: a person asked for it. */
  async retryRefused(): Promise<void> {
    for (const { sha, code } of await this.#waitingRows())
      if (code !== undefined) await this.#update(sha, ({ code: _code, ...row }) => row);
  }

  async #update(sha: string, next: (row: PhotoRow) => PhotoRow): Promise<void> {
    await change(this.#its.db, ['photos'], async (tx) => {
      const row = await tx.objectStore('photos').get(sha);
      if (row) put(tx, 'photos', next(row));
    });
  }

  #waitingRows(): Promise<PhotoRow[]> {
    return this.#its.db.getAllFromIndex('photos', 'since');
  }

  /** Records first (P10): worked out from what lies on disk, so that no kill can leave it wrong. */
  async #standings(rows: readonly PhotoRow[]): Promise<readonly PhotoStanding[]> {
    if (rows.length === 0) return [];
    const unanswered = (await this.#its.db.getAll('outbox'))
      .filter(({ status }) => status === 'waiting' || status === 'refused')
      .map(({ payload }) => payload);
    const texts = new Map<string, string>();
    const standings: PhotoStanding[] = [];
    const names = async (project: string, sha: string, r: string, c: string): Promise<boolean> => {
      if (!texts.has(r)) texts.set(r, JSON.stringify((await this.#its.get(project, r, c))?.record ?? ''));
      return texts.get(r)?.includes(sha) ?? false;
    };
    for (const { sha, project, r, c, code, isTakenOff, also = [] } of rows) {
      let isNamed = isTakenOff ?? false;
      for (const one of [{ r, c }, ...also]) isNamed ||= await names(project, sha, one.r, one.c);
      if (code !== undefined) standings.push('refused');
      else if (unanswered.some((payload) => payload.includes(sha))) standings.push('record');
      else standings.push(isNamed ? 'waiting' : 'unsaved');
    }
    return standings;
  }

  // --- room --------------------------------------------------------------------------------------

  async settings(): Promise<PhotoSettings> {
    const [side, wifi] = await Promise.all([
      this.#its.db.get('numbers', 'photoSide'),
      this.#its.db.get('numbers', 'photoWifiOnly'),
    ]);
    return { side: side ?? SIDE, wifiOnly: wifi === 1 };
  }

  async choose({ side, wifiOnly }: Partial<PhotoSettings>): Promise<void> {
    if (side !== undefined) await this.#its.db.put('numbers', side, 'photoSide');
    if (wifiOnly !== undefined) await this.#its.db.put('numbers', wifiOnly ? 1 : 0, 'photoWifiOnly');
    this.#tell();
  }

  async room(): Promise<PhotoRoom> {
    const [rows, copies, estimate] = await Promise.all([
      this.#waitingRows(),
      this.#its.db.getAll('copies'),
      this.#its.estimate(),
    ]);
    return {
      waiting: rows.reduce((sum, { bytes }) => sum + bytes, 0),
      copies: copies.reduce((sum, { bytes }) => sum + bytes, 0),
      usage: estimate?.usage ?? null,
      quota: estimate?.quota ?? null,
    };
  }

  async makeRoom(bytes: number): Promise<number> {
    const copies = (await this.#its.db.getAll('copies')).sort((a, b) => a.seen - b.seen);
    let won = 0;
    const going = copies.filter((copy) => {
      const goes = won < bytes;
      if (goes) won += copy.bytes;
      return goes;
    });
    await change(this.#its.db, ['pictures', 'copies'], async (tx) => {
      for (const { id } of going) {
        remove(tx, 'pictures', id);
        remove(tx, 'copies', id);
      }
    });
    return won;
  }

  #tell(): void {
    this.#its.notices.tell({ topic: 'photos' });
    this.#its.counted().catch(() => undefined);
  }
}

export async function openAlbum(options: AlbumOptions): Promise<Album> {
  return new Album(options, await options.db.getAllKeys('arrived'));
}

/** The records that the same bytes stand in already. */
function alsoIn(before: PhotoRow | undefined, { r }: PhotoRow): Pick<PhotoRow, 'also'> {
  if (!before || before.r === r) return before?.also ? { also: before.also } : {};
  return { also: [{ c: before.c, r: before.r }, ...(before.also ?? [])] };
}

function isProgress(report: unknown): report is { readonly sha: string; readonly sent: number } {
  return typeof report === 'object' && report !== null && 'sha' in report;
}

export function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const shaOf = (id: string): string => id.slice(0, id.indexOf(' '));

/** What the server serves is WebP, what a phone made is JPEG. */
function blobOf(bytes: ArrayBuffer): Blob {
  const first = new Uint8Array(bytes, 0, Math.min(4, bytes.byteLength));
  return new Blob([bytes], { type: first[0] === 0x52 ? 'image/webp' : 'image/jpeg' });
}

function inParts<T>(all: readonly T[], most: number): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let i = 0; i < all.length; i += most) parts.push(all.slice(i, i + most));
  return parts;
}
