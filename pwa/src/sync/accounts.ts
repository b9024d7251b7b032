// Accounts: who is on this phone, signing in and out. Each person has a database of their own; the
// phone's key is one, and a device is a person on a key. Nothing here discards unsent work by itself.

import { deleteDB } from 'idb';
import { effectiveTime, type Op } from '../core/batch.ts';
import type { Declarations } from '../core/declaration.ts';
import { Problem } from '../core/problem.ts';
import type { Accounts, PersonHere, SignedOut } from '../store/account.ts';
import { openPersonDb, openPhoneDb, type PersonRow, type PhoneDb, personDbName } from '../store/database.ts';
import { makeKey, type PhoneKey } from '../store/key.ts';
import { type History, type Local, openLocal, putPerson } from '../store/local.ts';
import type { HistoryEntry, Phone } from '../store/phone.ts';
import { browserEnvironment, type Environment } from './environment.ts';
import { type Exchange, type Me, startExchange } from './exchange.ts';
import { createNet } from './net.ts';

const CURRENT = 'gongbu:current';
const SESSION = 'gongbu:session';
const STRICT = { durability: 'strict' } as const;

interface Opened {
  readonly local: Local;
  readonly exchange: Exchange;
}

export function createAccounts({
  declarations,
  env = browserEnvironment(),
}: {
  readonly declarations: Declarations;
  readonly env?: Environment;
}): Accounts {
  const net = createNet(env.fetch, env.language);
  let phoneDb: Promise<PhoneDb> | null = null;
  let opened: Opened | null = null;

  const phone = (): Promise<PhoneDb> => {
    phoneDb ??= openPhoneDb();
    return phoneDb;
  };
  const note = {
    read: (key: string) => env.journal?.getItem(key) ?? null,
    write: (key: string, value: string | null) =>
      value === null ? env.journal?.removeItem(key) : env.journal?.setItem(key, value),
  };

  async function open(person: string): Promise<Phone> {
    if (opened?.local.person.id === person) return opened.local;
    const row = await (await phone()).get('people', person);
    if (!row?.signedIn) throw new Problem({ code: 'signed_out', do: 'sign_in' });
    close();
    const local = await openLocal({ person, declarations, surroundings: env, history });
    const exchange = startExchange(local, net, env, () => note.read(SESSION) === person);
    opened = { local, exchange };
    note.write(CURRENT, person);
    void putRow({ ...row, lastUsed: env.now() });
    void env.storage?.persisted().then((persisted) => local.report({ persisted }));
    return local;
  }

  function close(): void {
    opened?.exchange.stop();
    opened?.local.close();
    opened = null;
  }

  async function begin(path: string, who: Readonly<Record<string, string>>): Promise<Phone> {
    await payLogoutOwed();
    const key = await phoneKey();
    const me = await net.call<Me>('POST', path, {
      ...who,
      device: { label: env.deviceLabel(), key: key.jwk },
    });
    close();
    const { id, name } = me.person;
    await putPerson({ id, name, device: me.device, sign: key.sign }, me.projects, me.last_n);
    await putRow({ id, name, device: me.device, lastUsed: env.now(), signedIn: true });
    note.write(SESSION, id);
    return open(id);
  }

  /** Made once for the phone; the same key signing in again is the same device. */
  async function phoneKey(): Promise<PhoneKey> {
    const known = await (await phone()).get('key', 'key');
    if (known) return known;
    const made = await makeKey();
    const tx = (await phone()).transaction('key', 'readwrite', STRICT);
    const other = await tx.store.get('key');
    if (!other) tx.store.put(made, 'key');
    await tx.done;
    return other ?? made;
  }

  async function putRow(row: PersonRow): Promise<void> {
    const tx = (await phone()).transaction('people', 'readwrite', STRICT);
    tx.store.put(row);
    await tx.done;
  }

  async function signOut(person: string, erase: boolean): Promise<SignedOut> {
    const row = await (await phone()).get('people', person);
    if (opened?.local.person.id === person) close();
    if (note.read(CURRENT) === person) note.write(CURRENT, null);
    if (note.read(SESSION) === person) await endSession();
    const { waiting, unsent } = await unsentOf(person);
    const kept = unsent > 0 || !erase;
    if (!kept) await forget(person);
    else if (row) await putRow({ ...row, signedIn: false });
    return { waiting, kept };
  }

  /** Offline the cookie cannot be taken away: the server hears of it as soon as it can. */
  async function endSession(): Promise<void> {
    note.write(SESSION, null);
    await (await phone()).put('facts', {}, 'logout_owed');
    await payLogoutOwed();
  }

  async function payLogoutOwed(): Promise<void> {
    const db = await phone();
    if (!(await db.get('facts', 'logout_owed'))) return;
    try {
      await net.call('POST', '/api/logout');
    } catch (error) {
      if (error instanceof Problem && error.trouble.status === undefined) return;
    }
    await db.delete('facts', 'logout_owed');
  }

  async function forget(person: string): Promise<void> {
    if (opened?.local.person.id === person) close();
    if (note.read(CURRENT) === person) note.write(CURRENT, null);
    await deleteDB(personDbName(person));
    for (const key of draftKeys(env.journal, person)) note.write(key, null);
    await (await phone()).delete('people', person);
  }

  const history: History = async (project, c, r) => {
    const asked = new URLSearchParams({ project, c, r });
    const { history: events } = await net.call<{ history: readonly Event[] }>('GET', `/api/history?${asked}`);
    return events.map(entryOf);
  };

  const paysWhenOnline = env.onChange((change) => {
    if (change === 'online') void payLogoutOwed();
  });
  void paysWhenOnline;

  return {
    usable: env.usable,
    async people() {
      const rows = await (await phone()).getAll('people');
      const here = await Promise.all(
        rows.map(async (row) => personHere(row, (await unsentOf(row.id)).waiting)),
      );
      return here.sort((a, b) => b.lastUsed - a.lastUsed);
    },
    current: () => note.read(CURRENT),
    open,
    signIn: (name, password) => begin('/api/login', { name, password }),
    enrol: (code, name) => begin('/api/enrol', { code, name }),
    signOut,
    forget,
    sendNow: () => opened?.exchange.run() ?? Promise.resolve(),
    async persist() {
      const persisted = (await env.storage?.persist()) ?? false;
      opened?.local.report({ persisted });
      return persisted;
    },
    async estimate() {
      const found = await env.storage?.estimate();
      return found ? { usage: found.usage ?? 0, quota: found.quota ?? 0 } : null;
    },
    api: (method, path, body) => net.call(method, path, body),
  };
}

function personHere({ id, name, lastUsed, signedIn }: PersonRow, waiting: number): PersonHere {
  return { id, name, lastUsed, signedIn, waiting };
}

/** Batches that were not answered, and all that would be lost with the database. */
async function unsentOf(person: string): Promise<{ waiting: number; unsent: number }> {
  const db = await openPersonDb(person);
  const [entries, drafts] = await Promise.all([db.getAll('outbox'), db.count('drafts')]);
  db.close();
  const waiting = entries.filter(({ status }) => status === 'waiting').length;
  const refused = entries.filter(({ status }) => status === 'refused').length;
  return { waiting, unsent: waiting + refused + drafts };
}

function draftKeys(journal: Environment['journal'], person: string): string[] {
  const keys: string[] = [];
  for (let i = 0; journal && i < journal.length; i++) {
    const key = journal.key(i);
    if (key?.startsWith(`gongbu:draft:${person}:`)) keys.push(key);
  }
  return keys;
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
  readonly ops: readonly Op[];
  readonly held: readonly number[];
}

function entryOf({ seq, person, name, device, received, t, skew_ms, ops, held }: Event): HistoryEntry {
  const et = effectiveTime(t, received - skew_ms, received);
  return { seq, by: person, name, device, et, received, ops, held };
}
