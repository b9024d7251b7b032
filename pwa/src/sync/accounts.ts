// Accounts: who is on this phone, signing in and out. Each person has a database and a session of their
// own; the phone's key is one, and a device is a person on a key. Nothing here discards unsent work by
// itself. Opening a database needs no network; what does is loaded beside it (session.ts).

import { deleteDB } from 'idb';
import type { Declarations } from '../core/declaration.ts';
import { Problem } from '../core/problem.ts';
import type { Accounts, PersonHere, SignedOut } from '../store/account.ts';
import type { PhotoServer } from '../store/album.ts';
import { keptDbName, openPersonDb, openPhoneDb, type PersonRow, personDbName } from '../store/database.ts';
import { idle } from '../store/idle.ts';
import { makeKey, type PhoneKey } from '../store/key.ts';
import { lazily } from '../store/lazily.ts';
import { type Local, openLocal, putPerson } from '../store/local.ts';
import type { Phone } from '../store/phone.ts';
import { browserEnvironment, type Environment } from './environment.ts';
import type { Exchange } from './session.ts';

const CURRENT = 'gongbu:current';
/** The first screen has been drawn by then. */
const EXCHANGE_AFTER_MS = 150;
const STRICT = { durability: 'strict' } as const;

interface Opened {
  readonly local: Local;
  exchange(): Promise<Exchange | null>;
  stop(): void;
}

export interface AccountsOptions {
  /** May still be on their way: the database is opened meanwhile. */
  readonly declarations: Declarations | Promise<Declarations>;
  readonly env?: Environment;
}

export function createAccounts({ declarations, env = browserEnvironment() }: AccountsOptions): Accounts {
  const session = lazily(() => import('./session.ts'));
  const phone = lazily(openPhoneDb);
  let opened: Opened | null = null;
  // The database that will be asked for first is opened while the screen is still being built.
  const first = env.usable.ok ? (env.journal?.getItem(CURRENT) ?? null) : null;
  let warm = first === null ? null : { person: first, db: openPersonDb(first) };
  warm?.db.catch(() => undefined);

  function remember(person: string | null): void {
    if (person === null) env.journal?.removeItem(CURRENT);
    else env.journal?.setItem(CURRENT, person);
  }

  async function open(person: string): Promise<Phone> {
    if (opened?.local.person.id === person) return opened.local;
    const [row, local] = await Promise.all([rowOf(person), openPerson(person)]);
    if (!row?.signedIn) {
      local.close();
      throw new Problem({ code: 'signed_out', do: 'sign_in' });
    }
    close();
    opened = attach(local);
    remember(person);
    const { exchange } = opened;
    setTimeout(() => void idle().then(exchange), EXCHANGE_AFTER_MS);
    putRow({ ...row, lastUsed: env.now() }).catch(() => undefined);
    void env.storage?.persisted().then((persisted) => local.report({ persisted }));
    return local;
  }

  function openPerson(person: string): Promise<Local> {
    return openLocal({
      person,
      declarations,
      surroundings: env,
      history: async (...asked) => (await session()).history(env, ...asked),
      photos: photosOf(person),
      ...(warm?.person === person && { db: warm.db }),
    }).finally(() => {
      warm = null;
    });
  }

  /** The device is known once somebody asks: by then the person is open. */
  function photosOf(person: string): PhotoServer {
    const server = async (): Promise<PhotoServer> =>
      (await session()).photosFor(env, (await rowOf(person))?.device ?? '');
    return {
      have: async (...asked) => (await server()).have(...asked),
      fetch: async (...asked) => (await server()).fetch(...asked),
      bytes: async (path) => (await server()).bytes(path),
    };
  }

  async function rowOf(person: string): Promise<PersonRow | undefined> {
    return (await phone()).get('people', person);
  }

  /** The exchange begins once its code is there; where it cannot be loaded the phone works offline. */
  function attach(local: Local): Opened {
    let exchange: Exchange | null = null;
    let isStopped = false;
    return {
      local,
      async exchange() {
        const loaded = await session().catch(() => null);
        if (!loaded) local.report({ online: false });
        if (!loaded || isStopped) return null;
        if (!exchange) {
          exchange = loaded.beginExchange(local, env);
          void exchange.begun.then(sendForOthers).catch(() => undefined);
        }
        return exchange;
      },
      stop() {
        isStopped = true;
        exchange?.stop();
        local.close();
      },
    };
  }

  function close(): void {
    opened?.stop();
    opened = null;
  }

  async function begin(
    path: '/api/login' | '/api/enrol',
    who: Readonly<Record<string, string>>,
  ): Promise<Phone> {
    await payLogoutsOwed();
    const key = await phoneKey();
    const before = env.now();
    const me = await (await session()).signIn(env, path, who, key);
    const skew = Math.round(me.now - (before + env.now()) / 2);
    close();
    const { id, name } = me.person;
    await putPerson({ id, name, device: me.device, sign: key.sign }, me.projects, me.last_n, skew);
    await putRow({ id, name, device: me.device, lastUsed: env.now(), signedIn: true });
    return open(id);
  }

  /** Made once for the phone; the same key signing in again is the same device. */
  async function phoneKey(): Promise<PhoneKey> {
    const db = await phone();
    const known = await db.get('key', 'key');
    if (known) return known;
    const made = await makeKey();
    const tx = db.transaction('key', 'readwrite', STRICT);
    const other = await tx.store.get('key');
    await Promise.all([other ?? tx.store.put(made, 'key'), tx.done]);
    return other ?? made;
  }

  async function putRow(row: PersonRow): Promise<void> {
    const tx = (await phone()).transaction('people', 'readwrite', STRICT);
    await Promise.all([tx.store.put(row), tx.done]);
  }

  async function signOut(person: string, erase: boolean): Promise<SignedOut> {
    const row = await rowOf(person);
    if (!row) return { waiting: 0, kept: false };
    leave(person);
    await (await phone()).put('facts', { device: row.device }, `logout:${row.device}`);
    await payLogoutsOwed();
    const { waiting, unsent } = await unsentOf(person);
    const kept = unsent > 0 || !erase;
    if (kept) await putRow({ ...row, signedIn: false });
    else await forget(person);
    return { waiting, kept };
  }

  function leave(person: string): void {
    if (opened?.local.person.id === person) close();
    if (env.journal?.getItem(CURRENT) === person) remember(null);
  }

  /** Offline a cookie cannot be taken away: the server hears of it as soon as it can. */
  async function payLogoutsOwed(): Promise<void> {
    const db = await phone();
    for (const key of await db.getAllKeys('facts')) {
      const fact = await db.get('facts', key);
      if (typeof fact?.device !== 'string') continue;
      const { signOut } = await session();
      if (await signOut(env, fact.device)) await db.delete('facts', key);
    }
  }

  async function forget(person: string): Promise<void> {
    leave(person);
    await Promise.all([deleteDB(personDbName(person)), deleteDB(keptDbName(person))]);
    for (const key of draftKeys(env.journal, person)) env.journal?.removeItem(key);
    await (await phone()).delete('people', person);
  }

  /** What others of this phone saved goes out too, without asking them for anything. */
  async function sendForOthers(): Promise<void> {
    const current = opened?.local.person.id;
    for (const { id, signedIn } of await (await phone()).getAll('people')) {
      const { waiting, photos } = await unsentOf(id);
      if (!signedIn || id === current || waiting + photos === 0) continue;
      const local = await openPerson(id);
      await (await session()).sendFor(local, env).finally(() => local.close());
    }
  }

  env.onChange((change) => {
    if (change === 'online') void payLogoutsOwed().catch(() => undefined);
    if (change === 'online' || change === 'shown') void opened?.exchange();
  });

  return {
    usable: env.usable,
    async people() {
      const rows = await (await phone()).getAll('people');
      const here = await Promise.all(
        rows.map(async (row) => personHere(row, (await unsentOf(row.id)).waiting)),
      );
      return here.sort((a, b) => b.lastUsed - a.lastUsed);
    },
    current: () => env.journal?.getItem(CURRENT) ?? null,
    open,
    signIn: (name, password) => begin('/api/login', { name, password }),
    enrol: (code, name) => begin('/api/enrol', { code, name }),
    signOut,
    forget,
    async sendNow() {
      await (await opened?.exchange())?.run();
    },
    stop: close,
    async sendPhotos() {
      await (await opened?.exchange())?.sendPhotos();
    },
    async persist() {
      const persisted = (await env.storage?.persist()) ?? false;
      opened?.local.report({ persisted });
      return persisted;
    },
    async estimate() {
      const found = await env.storage?.estimate();
      return found ? { usage: found.usage ?? 0, quota: found.quota ?? 0 } : null;
    },
    async api(method, path, body) {
      const device = opened?.local.device ?? null; // whose it is when it is asked for
      return (await session()).call(env, device, method, path, body);
    },
  };
}

function personHere({ id, name, lastUsed, signedIn }: PersonRow, waiting: number): PersonHere {
  return { id, name, lastUsed, signedIn, waiting };
}

/** Batches that were not answered, and all that would be lost with the database. */
async function unsentOf(person: string): Promise<{ waiting: number; photos: number; unsent: number }> {
  const db = await openPersonDb(person);
  const [entries, drafts, photos] = await Promise.all([
    db.getAll('outbox'),
    db.count('drafts'),
    db.countFromIndex('photos', 'since'),
  ]);
  db.close();
  const waiting = entries.filter(({ status }) => status === 'waiting').length;
  const refused = entries.filter(({ status }) => status === 'refused').length;
  return { waiting, photos, unsent: waiting + refused + photos + drafts };
}

function draftKeys(journal: Environment['journal'], person: string): string[] {
  const keys: string[] = [];
  for (let i = 0; journal && i < journal.length; i++) {
    const key = journal.key(i);
    if (key?.startsWith(`gongbu:draft:${person}:`)) keys.push(key);
  }
  return keys;
}
