// The exchange of one open phone with the server: when to send and fetch, what to do when it fails. It
// starts on opening, on a write, on being shown, on coming online, on a poke and on a timer; it never
// gives up by itself, and what it is doing is always in the status.

import { Problem } from '../core/problem.ts';
import { lazily } from '../store/lazily.ts';
import type { Local } from '../store/local.ts';
import type { Project } from '../store/phone.ts';
import type { Environment } from './environment.ts';
import { createLive } from './live.ts';
import type { Net } from './net.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';
import type { Uploads } from './upload.ts';

export interface Me {
  readonly person: { readonly id: string; readonly name: string };
  readonly device: string;
  readonly last_n: number;
  readonly projects: readonly Project[];
  readonly now: number;
}

export interface Exchange {
  /** Sends and fetches now; resolves when done or failed. */
  run(): Promise<void>;
  /** Photos too, over whatever line there is. */
  sendPhotos(): Promise<void>;
  /** The first one, on opening. */
  readonly begun: Promise<void>;
  stop(): void;
}

export const TICK_MS = 60_000;
const ME_MS = 10 * 60_000;
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 5 * 60_000;
/** A lock held for so long belongs to a tab that the system has frozen; sending twice does no harm. */
const LOCK_MS_MAX = 60_000;

export function startExchange(local: Local, net: Net, env: Environment): Exchange {
  const life = new AbortController();
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let isWanted = false;
  let failures = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let notBefore = 0;
  let meAt = Number.NEGATIVE_INFINITY;
  let lockMissedAt: number | null = null;
  const uploads = lazily(async () => (await import('./upload.ts')).startUploads(local, env));
  let uploading: Uploads | null = null;

  /** What a person asks for, a new project too: after the one that is under way, which may have looked too early. */
  function run(): Promise<void> {
    if (!running) {
      meAt = Number.NEGATIVE_INFINITY;
      return begin();
    }
    next ??= running.then(() => {
      next = null;
      meAt = Number.NEGATIVE_INFINITY;
      return begin();
    });
    return next;
  }

  /** By itself it keeps the pause that the server or a failure asked for; a person need not. */
  function kick(): void {
    if (running) isWanted = true;
    else if (env.now() >= notBefore) void begin();
  }

  function begin(): Promise<void> {
    if (life.signal.aborted) return Promise.resolve();
    if (running) return running;
    clearTimeout(retry);
    isWanted = false;
    running = exchange().finally(() => {
      running = null;
      if (isWanted && !next) kick();
    });
    return running;
  }

  async function exchange(): Promise<void> {
    try {
      const isMine = await withLock(exchangeAll);
      if (!isMine) wait(RETRY_MS * 2);
    } catch (error) {
      if (life.signal.aborted) return;
      failed(error instanceof Problem ? error : new Problem({ code: 'broken', message: String(error) }));
    }
  }

  async function exchangeAll(): Promise<void> {
    if (Math.abs(env.now() - meAt) >= ME_MS) await askMe();
    await push(local, net, env.now);
    local.report({ pulling: true });
    try {
      for (const project of [...local.cursors.keys()]) await pullOne(project);
    } finally {
      local.report({ pulling: false });
    }
    await local.synced(env.now());
    succeeded();
    local.photoNews();
    void sendWaitingPhotos();
    for (const project of local.cursors.keys()) await local.tidy(project);
  }

  /** Records are there, bytes follow; they wait for nobody and nobody waits for them. */
  async function sendWaitingPhotos(): Promise<void> {
    if (local.status().photos === 0 || life.signal.aborted) return;
    uploading = await uploads().catch(() => null);
    uploading?.kick();
  }

  async function sendPhotos(): Promise<void> {
    await run();
    uploading = await uploads();
    await uploading.run(true);
  }

  /** A project that says no may be one that the person has left. */
  async function pullOne(project: string): Promise<void> {
    try {
      if (await pull(local, net, project)) await askMe();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'forbidden') throw error;
      await askMe();
      if (local.cursors.has(project)) throw error;
    }
  }

  async function askMe(): Promise<void> {
    const me = await net.call<Me>('GET', '/api/me');
    if (me.person.id !== local.person.id || me.device !== local.device) {
      throw new Problem({ code: 'signed_out', do: 'sign_in' });
    }
    await local.setProjects(me.projects);
    meAt = env.now();
  }

  /** One tab at a time; false if another is at it. */
  async function withLock(work: () => Promise<void>): Promise<boolean> {
    if (!env.locks) return work().then(() => true);
    const isStuck = lockMissedAt !== null && env.now() - lockMissedAt > LOCK_MS_MAX;
    const how = isStuck ? { steal: true } : { ifAvailable: true };
    const isMine = await env.locks.request(`gongbu-exchange-${local.person.id}`, how, async (lock) => {
      if (!lock) return false;
      await work();
      return true;
    });
    lockMissedAt = isMine ? null : (lockMissedAt ?? env.now());
    return isMine;
  }

  function succeeded(): void {
    failures = 0;
    notBefore = 0;
    local.report({ online: true, signedOut: false, updateNeeded: false });
  }

  function failed(problem: Problem): void {
    const { code, trouble } = problem;
    const isMine = trouble.do ?? 'retry';
    const retryIn = waitAfter(problem);
    local.report({
      online: code !== 'offline',
      signedOut: isMine === 'sign_in',
      updateNeeded: code === 'client_too_old',
      lastError: {
        code,
        do: isMine,
        at: env.now(),
        ...(trouble.message !== undefined && { message: trouble.message }),
        ...(retryIn !== null && { retryAt: env.now() + retryIn }),
      },
    });
    if (retryIn !== null) wait(retryIn);
  }

  /** What the server asks for, else doubling with chance, so that a whole site does not come at once. */
  function waitAfter({ code, trouble }: Problem): number | null {
    if (trouble.do === 'sign_in' || code === 'client_too_old') return null;
    if (trouble.retryAfterMs !== undefined) return trouble.retryAfterMs * (1 + env.chance() / 4);
    const most = Math.min(RETRY_MS * 2 ** failures++, RETRY_MS_MAX);
    return most / 2 + (most / 2) * env.chance();
  }

  function wait(ms: number): void {
    clearTimeout(retry);
    notBefore = env.now() + ms;
    retry = setTimeout(() => void begin(), ms);
  }

  const live = createLive(
    env.openEvents,
    local.device,
    (project, head) => {
      if (head > local.head(project)) kick();
      // Nothing new in the log: a photo has arrived.
      else local.photoNews();
    },
    kick,
  );
  const unwatch = local.whenSaved(kick);
  const unchange = env.onChange((change) => {
    if (change === 'offline') local.report({ online: false });
    if (change === 'hidden') live.stop();
    if (change === 'online') notBefore = 0;
    if (change === 'shown' || change === 'online') {
      if (env.isVisible()) live.start();
      kick();
    }
  });
  const ticking = setInterval(kick, TICK_MS);
  if (env.isVisible()) live.start();
  const begun = begin();

  return {
    run,
    sendPhotos,
    begun,
    stop() {
      life.abort();
      uploading?.stop();
      live.stop();
      unwatch();
      unchange();
      clearInterval(ticking);
      clearTimeout(retry);
    },
  };
}
