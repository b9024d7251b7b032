// A phone on the test bench: the real store and sync on an IndexedDB in memory, the network a
// FakeServer, and a battery that dies at a chosen step: from there on nothing reaches the disk or the
// network, what was not committed is gone, and the app must start again.

import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { IDBFactory, IDBObjectStore } from 'fake-indexeddb';
import type { NewOp, SetOp } from '../../../pwa/src/core/batch.ts';
import { type Declarations, readDeclarations } from '../../../pwa/src/core/declaration.ts';
import type { Value } from '../../../pwa/src/core/value.ts';
import type { Accounts } from '../../../pwa/src/store/account.ts';
import type { Journal } from '../../../pwa/src/store/draft.ts';
import type { Phone } from '../../../pwa/src/store/phone.ts';
import { createAccounts } from '../../../pwa/src/sync/accounts.ts';
import type { Environment } from '../../../pwa/src/sync/environment.ts';
import { stackOver } from '../photo/fake-uploads.ts';
import { FakeServer } from './fake-server.ts';

export const PROJECT = 'site';
export const THING = 'vec.thing';

export function loadDeclarations(): Declarations {
  const read = (path: string): unknown =>
    JSON.parse(readFileSync(new URL(`../../../shared/${path}`, import.meta.url), 'utf-8'));
  return readDeclarations([read('modules/core.json'), read('vectors/declaration.json')]);
}

/** localStorage, as small as it can be. */
export class MemoryJournal implements Journal {
  readonly #items = new Map<string, string>();
  get length(): number {
    return this.#items.size;
  }
  key(i: number): string | null {
    return [...this.#items.keys()][i] ?? null;
  }
  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }
  removeItem(key: string): void {
    this.#items.delete(key);
  }
}

export interface Bench {
  readonly server: FakeServer;
  readonly declarations: Declarations;
  readonly journal: MemoryJournal;
  clock: { ms: number };
  /** Whether the phone is on Wi-Fi; null where it cannot tell. */
  line: { wifi: boolean | null };
  change: (change: 'shown' | 'hidden' | 'online' | 'offline') => void;
  /** The app started (again) on this phone; another start beside it is another tab. */
  start(): Accounts;
  /** Every app that was started here ends. */
  stop(): void;
  /** It dies at the so-manieth step from now. */
  dieAt(step: number): void;
  /** A new battery; answers how many steps there were before the old one died, if it did. */
  recharge(): { steps: number; died: boolean };
}

interface Battery {
  steps: number;
  last: number;
  readonly isFlat: boolean;
}

/** One bench at a time: the one before is switched off. */
let stopBefore = (): void => undefined;
let battery = charged(Number.POSITIVE_INFINITY);

function charged(last: number): Battery {
  return {
    steps: 0,
    last,
    get isFlat() {
      return this.steps >= this.last;
    },
  };
}

function hasPower(from: Battery): boolean {
  return !from.isFlat && ++from.steps < from.last;
}

/** Every write to the disk is a step; the transaction that it was part of dies with it. */
for (const name of ['put', 'add', 'delete'] as const) {
  const real = IDBObjectStore.prototype[name] as (...given: unknown[]) => IDBRequest;
  IDBObjectStore.prototype[name] = function (this: IDBObjectStore, ...given: unknown[]): never {
    const request = real.apply(this, given);
    if (!hasPower(battery)) this.transaction.abort();
    return request as never;
  };
}

/** A phone as new, with a site and its people. */
export function makeBench(seed = 1): Bench {
  stopBefore();
  globalThis.indexedDB = new IDBFactory();
  const declarations = loadDeclarations();
  const server = new FakeServer(declarations);
  server.addSite(PROJECT);
  server.addPerson('wang', PROJECT, ['worker'], ['t1']);
  server.addPerson('fan', PROJECT, ['foreman'], ['t1']);
  server.addPerson('boss', PROJECT, ['supervisor', 'office'], []);
  const journal = new MemoryJournal();
  const clock = { ms: server.now };
  const line: Bench['line'] = { wifi: null };
  const started: Accounts[] = [];
  const stop = (): void => {
    for (const accounts of started.splice(0)) accounts.stop();
  };
  stopBefore = stop;
  const random = randomFrom(seed);
  const hearers = new Set<(change: 'shown' | 'hidden' | 'online' | 'offline') => void>();
  const envOf = (own: Battery): Environment => ({
    now: () => clock.ms++,
    random: (bytes) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256);
    },
    journal,
    // Before it is sent, and before the answer is heard.
    fetch: async (input, init) => {
      if (!hasPower(own)) throw new TypeError('the battery is flat');
      const response = await server.fetch(input, init);
      if (!hasPower(own)) throw new TypeError('the battery is flat');
      return response;
    },
    chance: random,
    locks: null,
    openEvents: null,
    storage: null,
    isWifi: () => line.wifi,
    tusStack: stackOver(server.uploads, () => hasPower(own)),
    language: () => 'en',
    deviceLabel: () => 'bench',
    isVisible: () => true,
    onChange: (fn) => {
      hearers.add(fn);
      return () => hearers.delete(fn);
    },
    usable: { ok: true },
  });
  battery = charged(Number.POSITIVE_INFINITY);
  return {
    server,
    declarations,
    journal,
    clock,
    line,
    change: (change) => {
      for (const fn of hearers) fn(change);
    },
    start() {
      const accounts = createAccounts({ declarations, env: envOf(battery) });
      started.push(accounts);
      return accounts;
    },
    stop,
    dieAt(at) {
      battery.steps = 0;
      battery.last = at;
    },
    recharge() {
      const { steps, isFlat } = battery;
      // What the dead app still holds stays dead: its battery is not the new one.
      battery.last = 0;
      stop();
      battery = charged(Number.POSITIVE_INFINITY);
      hearers.clear();
      return { steps, died: isFlat };
    },
  };
}

/** mulberry32: a seed in, the same numbers out. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function newThing(phone: Phone, values: Readonly<Record<string, Value>> = {}): NewOp {
  const set = { title: 'A', owner: phone.person.id, day: '2026-11-23', ...values };
  return { k: 'new', c: THING, r: phone.newId(), set };
}

export function setOp(r: string, f: string, v: Value): SetOp {
  return { k: 'set', c: THING, r, f, v };
}
