// Uploads: photos go up after their records, over tus 1.0, by its own client library, so that what broke
// off goes on where it stopped (P10). One file at a time, in one tab, under a Web Lock; small pictures of
// all photos first. A photo counts as sent only when the server says that it has it. What the server will
// never take is set aside with its reason and does not block the others.

import { type DetailedError, Upload } from 'tus-js-client';
import { Problem, type Trouble } from '../core/problem.ts';
import { type Album, type Due, HAVE_MAX } from '../store/album.ts';
import type { Local } from '../store/local.ts';
import type { Environment } from './environment.ts';

export interface Uploads {
  /** Sends what may go; the setting "Wi-Fi only" does not hold for who asks by hand. */
  run(byHand: boolean): Promise<void>;
  /** By itself it keeps the pause that a failure asked for. */
  kick(): void;
  stop(): void;
}

const ENDPOINT = '/api/uploads';
/** So small goes with the request that makes the upload; larger ones must be able to go on after a kill. */
const WITH_CREATION_BYTES_MAX = 64 * 1024;
/** An upload that moves no byte for so long has gone where phones go in a lift. */
const STALL_MS = 45_000;
const PROGRESS_EVERY_MS = 200;
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 5 * 60_000;
/** The server heard all bytes and does not have the photo: it may still be looking at it. */
const LOOKS_MAX = 5;
/** Answers after which the same bytes would be refused again; those that came over damaged would not. */
const FOR_GOOD: ReadonlySet<number> = new Set([400, 403, 413, 415, 422]);
const DAMAGED_ON_THE_WAY = 'wrong_hash';

export function startUploads(local: Local, env: Environment): Uploads {
  let running: Promise<void> | null = null;
  let isStopped = false;
  let failures = 0;
  let notBefore = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let current: Upload | null = null;
  const looks = new Map<string, number>();

  function run(byHand: boolean): Promise<void> {
    clearTimeout(retry);
    const before = running ?? Promise.resolve();
    const mine = byHand ? before.then(() => go(true)) : (running ?? go(false));
    return mine;
  }

  function go(byHand: boolean): Promise<void> {
    if (isStopped) return Promise.resolve();
    const one = withLock(() => sendAll(byHand))
      .then(() => {
        failures = 0;
        notBefore = 0;
      }, failed)
      .finally(() => {
        if (running === one) running = null;
      });
    running = one;
    return one;
  }

  function kick(): void {
    if (running === null && env.now() >= notBefore) void run(false);
  }

  async function withLock(work: () => Promise<void>): Promise<void> {
    if (!env.locks) return work();
    await env.locks.request(`gongbu-upload-${local.person.id}`, { ifAvailable: true }, async (lock) => {
      if (lock) await work();
      else wait(RETRY_MS * 5);
    });
  }

  async function sendAll(byHand: boolean): Promise<void> {
    const album = await local.album();
    if (byHand) await album.retryRefused();
    try {
      await confirmAll(album, await album.due());
      for (;;) {
        const [next] = await album.due();
        if (!next || isStopped || !(byHand || (await mayGo(album)))) return;
        await send(album, next);
      }
    } finally {
      album.paused();
    }
  }

  async function mayGo(album: Album): Promise<boolean> {
    return !(await album.settings()).wifiOnly || env.isWifi() === true;
  }

  /** What got through before a kill, or came from another phone, is not sent again. */
  async function confirmAll(album: Album, due: readonly Due[]): Promise<void> {
    for (const project of new Set(due.map(({ row }) => row.project))) {
      const its = due.filter(({ row }) => row.project === project);
      for (let i = 0; i < its.length; i += HAVE_MAX) await confirm(album, its.slice(i, i + HAVE_MAX));
    }
  }

  async function confirm(album: Album, due: readonly Due[]): Promise<boolean> {
    const project = due[0]?.row.project ?? '';
    const there = await album.confirm(
      project,
      due.map(({ sha }) => sha),
    );
    for (const { part, sha, row } of due)
      if (part === 'thumb' && there.has(sha)) await album.thumbSent(row.sha);
    return there.size > 0;
  }

  async function send(album: Album, due: Due): Promise<void> {
    const bytes = await album.bytes(due);
    if (!bytes) return album.refused(due.row.sha, 'not_found');
    try {
      await upload(album, due, bytes);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === DAMAGED_ON_THE_WAY) return notThere(album, due);
      if (!FOR_GOOD.has(error.trouble.status ?? 0)) throw error;
      return album.refused(due.row.sha, error.code);
    }
    if (!(await confirm(album, [due]))) await notThere(album, due);
  }

  /** Its upload is over, and yet it is not there: made anew next time, and not for ever. */
  async function notThere(album: Album, due: Due): Promise<void> {
    await album.began(due, null);
    const looked = (looks.get(due.sha) ?? 0) + 1;
    looks.set(due.sha, looked);
    if (looked >= LOOKS_MAX) await album.refused(due.row.sha, 'not_found');
    else throw new Problem({ code: 'unavailable', do: 'retry' });
  }

  function upload(album: Album, due: Due, bytes: ArrayBuffer): Promise<void> {
    return new Promise((resolve, reject) => {
      let heard = env.now();
      let told = 0;
      const stalled = setInterval(() => {
        if (env.now() - heard < STALL_MS) return;
        void one.abort();
        end(() => reject(new Problem({ code: 'offline', do: 'retry' })));
      }, STALL_MS / 3);
      const end = (then: () => void): void => {
        clearInterval(stalled);
        current = null;
        then();
      };
      const { row } = due;
      const one = new Upload(new Blob([bytes]), {
        endpoint: ENDPOINT,
        uploadUrl: due.url ?? null,
        uploadDataDuringCreation: bytes.byteLength <= WITH_CREATION_BYTES_MAX,
        metadata: {
          sha256: due.sha,
          project: row.project,
          ...(row.isFile ? fileMetadata(row.value) : PHOTO),
        },
        headers: {
          'X-Device': local.device,
          'X-Requested-With': 'gongbu',
          'Accept-Language': env.language(),
        },
        // Pausing and trying again is the queue's own: it also decides whether the photo may still go.
        retryDelays: null,
        storeFingerprintForResuming: false,
        ...(env.tusStack && { httpStack: env.tusStack }),
        onUploadUrlAvailable: () => {
          if (one.url !== due.url) album.began(due, one.url).catch(() => undefined);
        },
        onProgress: (sent) => {
          heard = env.now();
          if (due.part !== 'whole' || heard - told < PROGRESS_EVERY_MS) return;
          told = heard;
          album.progress(row.sha, sent);
        },
        onSuccess: () => end(resolve),
        onError: (error) => end(() => reject(problemOf(error))),
      });
      current = one;
      one.start();
    });
  }

  function failed(error: unknown): void {
    if (isStopped) return;
    // The database closes or fails under it: tried again, like a line that broke.
    if (!(error instanceof Problem || error instanceof DOMException)) throw error;
    const trouble: Partial<Trouble> = error instanceof Problem ? error.trouble : {};
    if (trouble.do === 'sign_in') return;
    const most = Math.min(RETRY_MS * 2 ** failures++, RETRY_MS_MAX);
    wait(trouble.retryAfterMs ?? most / 2 + (most / 2) * env.chance());
  }

  function wait(ms: number): void {
    clearTimeout(retry);
    notBefore = env.now() + ms;
    retry = setTimeout(() => void run(false), ms);
  }

  return {
    run,
    kick,
    stop() {
      isStopped = true;
      clearTimeout(retry);
      void current?.abort();
    },
  };
}

const PHOTO = { type: 'image/jpeg' };

function fileMetadata(value: Due['row']['value']): Record<string, string> {
  const { type, name } = 'name' in value ? value : { type: '', name: '' };
  return { as: 'file', type, name };
}

function problemOf(error: Error | DetailedError): Problem {
  const answer = 'originalResponse' in error ? error.originalResponse : null;
  if (!answer) return new Problem({ code: 'offline', do: 'retry' });
  const status = answer.getStatus();
  const told = troubleIn(answer.getBody());
  const seconds = Number(answer.getHeader('Retry-After') ?? Number.NaN);
  return new Problem({
    code: status === 401 ? 'signed_out' : 'unavailable',
    ...told,
    status,
    ...(status === 401 && { do: 'sign_in' as const }),
    ...(seconds >= 0 && { retryAfterMs: seconds * 1000 }),
  });
}

function troubleIn(body: string): Trouble | null {
  try {
    const told: unknown = JSON.parse(body);
    const isTrouble = typeof told === 'object' && told !== null && typeof (told as Trouble).code === 'string';
    return isTrouble ? (told as Trouble) : null;
  } catch {
    return null;
  }
}
