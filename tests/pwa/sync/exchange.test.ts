// The whole way there and back, on a bench: what is saved arrives once, what is there comes down once.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Accounts } from '../../../pwa/src/store/account.ts';
import type { Phone } from '../../../pwa/src/store/phone.ts';
import { type Bench, makeBench, newThing, PROJECT, setOp, THING } from './bench-phone.ts';
import { problem } from './fake-server.ts';

let bench: Bench;
let accounts: Accounts;
let phone: Phone;

beforeEach(async () => {
  bench = makeBench();
  accounts = bench.start();
  phone = await accounts.signIn('wang', 'x');
  await accounts.sendNow();
});

afterEach(() => bench.stop());

const offline = (): never => {
  throw new TypeError('no network');
};

describe('sending', () => {
  test('a batch saved offline is shown at once and arrives once when the network does', async () => {
    bench.server.before = offline;
    const op = newThing(phone);
    expect(await phone.write(PROJECT, [op])).toBe(1);
    expect((await phone.get(PROJECT, op.r))?.pending).toBe('waiting');
    await accounts.sendNow();
    expect(phone.status()).toMatchObject({ online: false, waiting: 1, lastError: { code: 'offline' } });
    bench.server.before = () => undefined;
    await accounts.sendNow();
    expect(phone.status()).toMatchObject({ online: true, waiting: 0, lastError: null });
    expect(bench.server.site(PROJECT).records.get(op.r)?.set.title).toBe('A');
    expect((await phone.get(PROJECT, op.r))?.pending).toBe('none');
    expect(await phone.outbox()).toEqual([]);
  });

  test('P1 an answer that is lost is asked for again and given again', async () => {
    const op = newThing(phone);
    let lost = 0;
    bench.server.after = (path, response) => {
      if (path === '/api/push' && lost++ === 0) offline();
      return response;
    };
    await phone.write(PROJECT, [op]);
    await accounts.sendNow();
    await accounts.sendNow();
    expect(bench.server.site(PROJECT).head).toBe(1);
    expect(phone.status().waiting).toBe(0);
  });

  test('P3 a refused batch needs attention and those behind it go on', async () => {
    const good = newThing(phone);
    const bad = newThing(phone, { owner: 'fan' });
    await phone.write(PROJECT, [bad]);
    await phone.write(PROJECT, [good]);
    await accounts.sendNow();
    expect(phone.status()).toMatchObject({ waiting: 0, refused: 1 });
    expect((await phone.outbox()).map(({ n, status, code }) => [n, status, code])).toEqual([
      [1, 'refused', 'forbidden'],
    ]);
    expect(await phone.get(PROJECT, bad.r)).toBeUndefined();
    expect((await phone.get(PROJECT, good.r))?.values.title).toBe('A');
  });

  test('a refused batch is repaired as a new one', async () => {
    const bad = newThing(phone, { owner: 'fan' });
    await phone.write(PROJECT, [bad]);
    await accounts.sendNow();
    const repaired = { ...bad, set: { ...bad.set, owner: 'wang' } };
    expect(await phone.repair(1, [repaired])).toBe(2);
    await accounts.sendNow();
    expect(phone.status()).toMatchObject({ waiting: 0, refused: 0 });
    expect(bench.server.site(PROJECT).records.has(bad.r)).toBe(true);
  });

  test('a refused batch is dropped for good, and a waiting one cannot be', async () => {
    bench.server.before = offline;
    await phone.write(PROJECT, [newThing(phone)]);
    await expect(phone.drop(1)).rejects.toThrow();
    bench.server.before = () => undefined;
    await phone.write(PROJECT, [newThing(phone, { owner: 'fan' })]);
    await accounts.sendNow();
    await phone.drop(2);
    expect(await phone.outbox()).toEqual([]);
  });

  test('P1 a server that forgot answers gets them again under the numbers it expects', async () => {
    for (const _ of [1, 2, 3]) await phone.write(PROJECT, [newThing(phone)]);
    await accounts.sendNow();
    const device = bench.server.devices.get(phone.device);
    if (device) device.last = 1;
    device?.answers.delete(2);
    device?.answers.delete(3);
    const op = newThing(phone);
    await phone.write(PROJECT, [op]);
    await accounts.sendNow();
    expect(phone.status().waiting).toBe(0);
    expect(device?.last).toBe(2);
    expect(bench.server.site(PROJECT).records.has(op.r)).toBe(true);
  });

  test('many batches go in bounded requests, in order', async () => {
    bench.server.before = offline;
    const ops = Array.from({ length: 250 }, () => newThing(phone));
    await phone.writeEach(
      PROJECT,
      ops.map((op) => ({ ops: [op] })),
    );
    const sizes: number[] = [];
    bench.server.before = (path, body) => {
      if (path === '/api/push') sizes.push((body as { batches: unknown[] }).batches.length);
      return undefined;
    };
    await accounts.sendNow();
    expect(sizes).toEqual([100, 100, 50]);
    expect(bench.server.site(PROJECT).head).toBe(250);
  });

  test('signed out: nothing is lost, nothing is sent, and signing in again goes on', async () => {
    bench.server.sessions.clear();
    await phone.write(PROJECT, [newThing(phone)]);
    await accounts.sendNow();
    expect(phone.status()).toMatchObject({ signedOut: true, waiting: 1 });
    phone = await accounts.signIn('wang', 'x');
    await accounts.sendNow();
    expect(phone.status()).toMatchObject({ signedOut: false, waiting: 0 });
    expect(bench.server.site(PROJECT).head).toBe(1);
  });

  test('503 with Retry-After is obeyed by itself and told in the status', async () => {
    bench.server.before = () => problem(503, 'unavailable', 'retry', {}, { 'Retry-After': '30' });
    await phone.write(PROJECT, [newThing(phone)]);
    await accounts.sendNow();
    const { lastError } = phone.status();
    expect(lastError).toMatchObject({ code: 'unavailable', do: 'retry' });
    expect((lastError?.retryAt ?? 0) - (lastError?.at ?? 0)).toBeGreaterThanOrEqual(29_000);
  });

  test('a captive portal that answers HTML is no answer', async () => {
    bench.server.before = () => new Response('<html>pay</html>', { status: 200 });
    await phone.write(PROJECT, [newThing(phone)]);
    await accounts.sendNow();
    expect(phone.status()).toMatchObject({ waiting: 1, lastError: { code: 'unavailable' } });
  });
});

describe('fetching', () => {
  test("another's record comes down, and only what this person may see", async () => {
    bench.server.put(PROJECT, [{ c: 'core.team', r: phone.newId(), set: { name: 'Crew' } }]);
    const office = { c: 'vec.thing', r: phone.newId(), set: { title: 'Other', owner: 'fan' } };
    bench.server.put(PROJECT, [office]);
    await accounts.sendNow();
    expect(await phone.list(PROJECT, 'core.team')).toHaveLength(1);
    expect(await phone.get(PROJECT, office.r)).toBeUndefined();
  });

  test('names come from the mirrored records', async () => {
    const r = phone.newId();
    bench.server.put(PROJECT, [
      { c: 'core.person', r, set: { name: '李强', devices: ['d9'], teams: ['t1'] } },
    ]);
    await accounts.sendNow();
    expect(phone.nameOf(r)).toBe('李强');
    expect(phone.personOfDevice('d9')).toBe(r);
    expect(phone.teamsOf(PROJECT, r)).toEqual(['t1']);
  });

  test('A6 a role taken away erases what it opened, and nothing else', async () => {
    phone = await accounts.signIn('fan', 'x');
    await accounts.sendNow();
    const [mine, crews] = [phone.newId(), phone.newId()];
    bench.server.put(PROJECT, [{ c: THING, r: mine, set: { title: 'mine', owner: 'fan' } }]);
    bench.server.put(PROJECT, [{ c: THING, r: crews, set: { title: 'crew', owner: 'wang' } }]);
    await accounts.sendNow();
    expect((await phone.list(PROJECT, THING)).length).toBe(2);
    bench.server.before = offline;
    const draft = newThing(phone);
    await phone.write(PROJECT, [draft]);
    const member = bench.server.site(PROJECT).members.get('fan');
    if (member) Object.assign(member, { roles: ['worker'], epoch: 2 });
    bench.server.before = () => undefined;
    await accounts.sendNow();
    expect((await phone.list(PROJECT, THING)).map(({ r }) => r).sort()).toEqual([mine, draft.r].sort());
    expect(phone.actor(PROJECT).roles).toEqual(['worker']);
  });

  test('a project that the person has left is erased', async () => {
    await phone.write(PROJECT, [newThing(phone)]);
    await accounts.sendNow();
    bench.server.site(PROJECT).members.delete('wang');
    await accounts.sendNow();
    expect(phone.projects).toEqual([]);
    expect(await phone.list(PROJECT, THING)).toEqual([]);
  });
});

describe('two persons on one phone', () => {
  test('each has a database of their own, and unsent work outlives signing out', async () => {
    bench.server.before = offline;
    await phone.write(PROJECT, [newThing(phone)]);
    expect(await accounts.signOut('wang', true)).toEqual({ waiting: 1, kept: true });
    bench.server.before = () => undefined;
    const other = await accounts.signIn('fan', 'x');
    await accounts.sendNow();
    expect(await other.list(PROJECT, THING)).toEqual([]);
    expect((await accounts.people()).map(({ id, waiting, signedIn }) => [id, waiting, signedIn])).toEqual([
      ['fan', 0, true],
      ['wang', 1, false],
    ]);
    await expect(accounts.open('wang')).rejects.toThrow('signed_out');
    phone = await accounts.signIn('wang', 'x');
    await accounts.sendNow();
    expect(phone.status().waiting).toBe(0);
  });

  test('what was saved by one who is not looking goes out while the other works', async () => {
    bench.server.before = offline;
    await phone.write(PROJECT, [newThing(phone)]);
    await accounts.sendNow();
    bench.server.before = () => undefined;
    await accounts.signIn('fan', 'x');
    await expect.poll(() => bench.server.site(PROJECT).head).toBe(1);
    phone = await accounts.open('wang');
    expect(phone.status().waiting).toBe(0);
  });

  test("another's session fetches nothing into this person's database", async () => {
    const boss = await accounts.signIn('boss', 'x');
    phone = await accounts.signIn('wang', 'x');
    await accounts.sendNow();
    bench.server.put(PROJECT, [{ c: THING, r: phone.newId(), set: { title: 'crew', owner: 'fan' } }]);
    bench.server.mistaken = boss.device;
    await accounts.sendNow();
    expect(await phone.list(PROJECT, THING)).toEqual([]);
    expect(phone.status().signedOut).toBe(true);
  });

  test('with nothing unsent the database goes when asked', async () => {
    expect(await accounts.signOut('wang', true)).toEqual({ waiting: 0, kept: false });
    expect(await accounts.people()).toEqual([]);
    expect(bench.server.sessions.size).toBe(0);
  });

  test('signing out offline is told to the server later', async () => {
    bench.server.before = offline;
    await accounts.signOut('wang', false);
    expect(bench.server.sessions.size).toBe(1);
    bench.server.before = () => undefined;
    bench.change('online');
    await expect.poll(() => bench.server.sessions.size).toBe(0);
  });

  test('the clock is known to be wrong from signing in on', async () => {
    bench.clock.ms += 3 * 3_600_000;
    const other = await accounts.signIn('fan', 'x');
    expect(Math.round((other.status().skew_ms ?? 0) / 60_000)).toBe(-180);
  });
});

describe('approval', () => {
  /** wang's record, approved by boss; wang's phone has not heard of it when it writes again. */
  async function lateWrite(): Promise<string> {
    const op = newThing(phone);
    await phone.write(PROJECT, [op]);
    await accounts.sendNow();
    const slow = phone.device;
    bench.server.before = (path, body) =>
      path === '/api/push' && (body as { device: string }).device === slow ? offline() : undefined;
    await phone.write(PROJECT, [setOp(op.r, 'note', 'late')]);
    await accounts.sendNow();
    const boss = await as('boss');
    const seen = await boss.get(PROJECT, op.r);
    if (!seen) throw new Error('not there');
    await boss.write(PROJECT, [
      { k: 'act', c: THING, r: op.r, act: 'approve', ver: await boss.version(seen) },
    ]);
    expect((await boss.get(PROJECT, op.r))?.state).toBe('approved');
    await accounts.sendNow();
    bench.server.before = () => undefined;
    return op.r;
  }

  async function as(person: string): Promise<Phone> {
    const other = await accounts.signIn(person, 'x');
    await accounts.sendNow();
    return other;
  }

  test('A3 a late write is held and shown as such, and gone from the outbox when it was accepted', async () => {
    const r = await lateWrite();
    phone = await as('wang');
    expect(await phone.get(PROJECT, r)).toMatchObject({ state: 'approved', pending: 'held' });
    expect((await phone.outbox()).map(({ status }) => status)).toEqual(['held']);
    expect(await phone.list(PROJECT, THING, { held: true })).toHaveLength(1);

    const boss = await as('boss');
    const [seen] = await boss.list(PROJECT, THING, { held: true });
    const of = seen?.record.held[0]?.of;
    if (!seen || !of) throw new Error('nothing held');
    await boss.write(PROJECT, [{ k: 'amend', c: THING, r, of, ver: await boss.amendVersion(seen, of) }]);
    await accounts.sendNow();
    expect(bench.server.site(PROJECT).records.get(r)?.held).toEqual([]);

    phone = await as('wang');
    expect(await phone.get(PROJECT, r)).toMatchObject({
      state: 'approved',
      pending: 'none',
      values: { note: 'late' },
    });
    expect(await phone.outbox()).toEqual([]);
  });

  test('A2 a stale approval is refused with what was seen kept beside it', async () => {
    const op = newThing(phone);
    await phone.write(PROJECT, [op]);
    await accounts.sendNow();
    const boss = await as('boss');
    const seen = await boss.get(PROJECT, op.r);
    if (!seen) throw new Error('not there');
    const ver = await boss.version(seen);
    phone = await as('wang');
    await phone.write(PROJECT, [setOp(op.r, 'note', 'changed')]);
    await accounts.sendNow();
    const approver = await accounts.signIn('boss', 'x');
    bench.server.before = offline;
    const act = { k: 'act', c: THING, r: op.r, act: 'approve', ver } as const;
    await approver.write(PROJECT, [act], seen.record.seq, { ...seen.values });
    await accounts.sendNow();
    bench.server.before = () => undefined;
    await accounts.sendNow();
    expect(await approver.outbox()).toMatchObject([
      { status: 'refused', code: 'stale_approval', memo: { title: 'A' } },
    ]);
    expect(await approver.get(PROJECT, op.r)).toMatchObject({ state: 'draft', pending: 'refused' });
  });
});
