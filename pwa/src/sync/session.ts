// What needs the network: signing in and out at the server, and the exchange of an open phone. Loaded
// after the first screen, which never waits for it.

import { effectiveTime, type Op } from '../core/batch.ts';
import { Problem } from '../core/problem.ts';
import type { PhotoServer } from '../store/album.ts';
import type { PhoneKey } from '../store/key.ts';
import type { Local } from '../store/local.ts';
import type { HistoryEntry } from '../store/phone.ts';
import type { Environment } from './environment.ts';
import { type Exchange, type Me, startExchange } from './exchange.ts';
import { createNet, type Method } from './net.ts';
import { photoServer } from './photos.ts';
import { push } from './push.ts';

export type { Exchange } from './exchange.ts';

export function beginExchange(local: Local, env: Environment): Exchange {
  return startExchange(local, createNet(env.fetch, env.language, local.device), env);
}

/** `who` is a name and password, or an invite's code and a name. */
export function signIn(
  env: Environment,
  path: '/api/login' | '/api/enrol',
  who: Readonly<Record<string, string>>,
  key: PhoneKey,
): Promise<Me> {
  const net = createNet(env.fetch, env.language, null);
  return net.call<Me>('POST', path, { ...who, device: { label: env.deviceLabel(), key: key.jwk } });
}

/** Ends a device's session; false if the server could not be reached. */
export async function signOut(env: Environment, device: string): Promise<boolean> {
  try {
    await createNet(env.fetch, env.language, device).call('POST', '/api/logout');
    return true;
  } catch (error) {
    // Any answer at all is good enough: who is signed out already cannot be signed out more.
    return error instanceof Problem && error.trouble.status !== undefined;
  }
}

export function call<T>(
  env: Environment,
  device: string | null,
  method: Method,
  path: string,
  body?: unknown,
): Promise<T> {
  return createNet(env.fetch, env.language, device).call<T>(method, path, body);
}

export function photosFor(env: Environment, device: string): PhotoServer {
  return photoServer(createNet(env.fetch, env.language, device));
}

/** Only what waits goes out: for a person who shares this phone and is not looking now. */
export async function sendFor(local: Local, env: Environment): Promise<void> {
  const net = createNet(env.fetch, env.language, local.device);
  try {
    await push(local, net, env.now);
    if (local.status().photos > 0) await (await import('./upload.ts')).startUploads(local, env).run(false);
  } catch (error) {
    // It waits on, and its own status will say so.
    if (!(error instanceof Problem)) throw error;
  }
}

export async function history(
  env: Environment,
  device: string,
  project: string,
  c: string,
  r: string,
): Promise<HistoryEntry[]> {
  const asked = new URLSearchParams({ project, c, r });
  const told = await call<{ history: readonly Event[] }>(env, device, 'GET', `/api/history?${asked}`);
  return told.history.map((event) => entryOf(event, c, r));
}

/** As the server tells it. */
interface Event {
  readonly seq: number;
  readonly person: string;
  readonly name: string;
  readonly device: string;
  readonly received: number;
  readonly t: number;
  readonly skew_ms: number;
  /** Of the asked record, which they do not name again. */
  readonly ops: readonly Omit<Op, 'c' | 'r'>[];
  readonly held: readonly number[];
}

function entryOf(event: Event, c: string, r: string): HistoryEntry {
  const { seq, person, name, device, received, t, skew_ms, held } = event;
  const et = effectiveTime(t, received - skew_ms, received);
  const ops = event.ops.map((op) => ({ ...op, c, r }) as Op);
  return { seq, by: person, name, device, et, received, ops, held };
}
