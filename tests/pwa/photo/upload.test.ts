// Photos on the phone: on disk before their record, up after it, all small ones first; whatever dies in
// between, each arrives once and nothing that the server has not confirmed is gone (P10, properties 18, 23).

import { createHash } from 'node:crypto';
import { openDB } from 'idb';
import { expect, test } from 'vitest';
import type { PhotoValue } from '../../../pwa/src/core/photo.ts';
import { openPersonDb, personDbName } from '../../../pwa/src/store/database.ts';
import type { Phone, Value } from '../../../pwa/src/store/phone.ts';
import type { PhotoStanding, Photos, Taken } from '../../../pwa/src/store/photo.ts';
import { type Bench, makeBench, newThing, PROJECT, setOp, THING } from '../sync/bench-phone.ts';

const BIG = 100_000;

interface Planned extends Taken {
  readonly value: PhotoValue & { readonly thumb: string };
}

const inRecord = (value: PhotoValue): Value => ({ ...value }) as unknown as Value;

function sha256(bytes: ArrayBuffer): string {
  return createHash('sha256').update(new Uint8Array(bytes)).digest('hex');
}

function photo(r: string, i: number): Planned {
  const big = new Uint8Array(BIG).fill(i + 1).buffer;
  const thumb = new Uint8Array(900).fill(i + 1).buffer;
  const value = {
    sha: sha256(big),
    thumb: sha256(thumb),
    at: 1_790_000_000_000 + i,
    w: 2048,
    h: 1536,
    bytes: BIG,
  };
  return { project: PROJECT, c: THING, r, path: 'photos', key: `p${i}`, value, big, thumb };
}

/** A record with so many photos, as a form saves it: the photos first. */
async function taken(phone: Phone, count: number): Promise<readonly Planned[]> {
  const photos = await phone.photos();
  const op = newThing(phone);
  const all = Array.from({ length: count }, (_, i) => photo(op.r, i));
  for (const one of all) await photos.add(one);
  const values = Object.fromEntries(all.map(({ path, key, value }) => [`${path}.${key}`, inRecord(value)]));
  await phone.write(PROJECT, [{ ...op, set: { ...op.set, ...values } }]);
  return all;
}

async function begin(bench: Bench): Promise<Phone> {
  const accounts = bench.start();
  const phone = await accounts.signIn('wang', 'x');
  await accounts.sendNow();
  return phone;
}

const standings = async (photos: Photos): Promise<readonly PhotoStanding[]> =>
  (await photos.waiting()).map(({ standing }) => standing);

async function allThere(bench: Bench, phone: Phone, all: readonly Planned[]): Promise<void> {
  await expect.poll(() => phone.status().photos, { timeout: 10_000 }).toBe(0);
  expect([...bench.server.uploads.there.keys()].sort()).toEqual(
    all.flatMap(({ value }) => [value.sha, value.thumb]).sort(),
  );
}

test('P10 records go before bytes, and all small pictures before the first big one', async () => {
  const bench = makeBench();
  const phone = await begin(bench);
  const { uploads } = bench.server;
  bench.server.before = () => {
    throw new TypeError('no network');
  };
  const all = await taken(phone, 2);
  const photos = await phone.photos();
  expect(await standings(photos)).toEqual(['record', 'record']);
  await expect.poll(() => phone.status().photos).toBe(2);
  expect(uploads.asked).toEqual([]);
  bench.server.before = () => undefined;
  bench.change('online');
  await allThere(bench, phone, all);
  expect(bench.server.asked.indexOf('POST /api/push')).toBeLessThan(
    bench.server.asked.indexOf('POST /api/photos/have'),
  );
  expect(uploads.order).toEqual([
    ...all.map(({ value }) => value.thumb),
    ...all.map(({ value }) => value.sha),
  ]);
  expect(photos.arrived().has(all[0]?.value.sha ?? '')).toBe(true);
  expect((await photos.picture(PROJECT, (all[0] as Planned).value, 'whole')).size).toBe(BIG);
});

test('an upload that broke off goes on where it stopped', async () => {
  const bench = makeBench();
  const phone = await begin(bench);
  const { uploads } = bench.server;
  uploads.cutAfter = 30_000;
  const all = await taken(phone, 1);
  await expect.poll(() => uploads.received, { timeout: 10_000 }).toBe(900 + 30_000);
  expect(phone.status().photos).toBe(1);
  uploads.cutAfter = Number.POSITIVE_INFINITY;
  // As after a kill: another start of the app on the same phone.
  bench.stop();
  const accounts = bench.start();
  const again = await accounts.open('wang');
  await accounts.sendPhotos();
  await allThere(bench, again, all);
  expect(uploads.received).toBe(900 + BIG);
  expect(uploads.asked.filter((asked) => asked.startsWith('POST')).length).toBe(2);
});

test('killed at any step of taking, saving and sending, each photo arrives once and none is lost', async () => {
  const ends = new Set<string>();
  let at = 0;
  for (let died = true; died; ) {
    const bench = makeBench(++at);
    const accounts = bench.start();
    const phone = await accounts.signIn('wang', 'x');
    await accounts.sendNow();
    const op = newThing(phone);
    const all = [photo(op.r, 0), photo(op.r, 1)];
    const values = Object.fromEntries(all.map(({ key, value }) => [`photos.${key}`, inRecord(value)]));
    let kept = 0;
    let isSaved = false;
    const story = async (): Promise<void> => {
      const photos = await phone.photos();
      for (const one of all) {
        await photos.add(one);
        kept += 1;
      }
      await phone.write(PROJECT, [{ ...op, set: { ...op.set, ...values } }]);
      isSaved = true;
      await accounts.sendPhotos();
    };
    bench.dieAt(at);
    await story().catch(() => undefined);
    died = bench.recharge().died;
    ends.add(await mustBeWhole(bench, op.r, all, { kept, isSaved, at }));
  }
  expect(at).toBeGreaterThan(20);
  expect([...ends].sort()).toEqual(['kept', 'sent']);
});

/** The app starts again: what was kept is here, and once its record is saved it arrives, once. */
async function mustBeWhole(
  bench: Bench,
  r: string,
  all: readonly Planned[],
  { kept, isSaved, at }: { kept: number; isSaved: boolean; at: number },
): Promise<'kept' | 'sent'> {
  const accounts = bench.start();
  const phone = await accounts.open('wang');
  await accounts.sendPhotos();
  const photos = await phone.photos();
  if ((await phone.get(PROJECT, r)) === undefined) {
    expect(isSaved, `died at ${at}`).toBe(false);
    expect((await photos.unsaved(r)).length, `died at ${at}`).toBeGreaterThanOrEqual(kept);
    expect(bench.server.uploads.there.size).toBe(0);
    return 'kept';
  }
  await allThere(bench, phone, all);
  const { order } = bench.server.uploads;
  expect(new Set(order).size, `died at ${at}`).toBe(order.length);
  return 'sent';
}

test('the same bytes in two records are one photo, sent once either of them is', async () => {
  const bench = makeBench();
  const accounts = bench.start();
  const phone = await accounts.signIn('wang', 'x');
  await accounts.sendNow();
  const all = await taken(phone, 1);
  const photos = await phone.photos();
  // Picked for another entry too, which is never saved.
  await photos.add(photo(phone.newId(), 0));
  await accounts.sendPhotos();
  await allThere(bench, phone, all);
});

test('photos taken before it was known of which kind their record would be go up with it', async () => {
  const bench = makeBench();
  const phone = await begin(bench);
  const photos = await phone.photos();
  const op = newThing(phone);
  const one = photo(op.r, 0);
  await photos.add({ ...one, c: 'safety.hazard' });
  await photos.fileUnder(op.r, THING);
  expect((await photos.waiting()).map(({ c, standing }) => [c, standing])).toEqual([[THING, 'unsaved']]);
  await phone.write(PROJECT, [{ ...op, set: { ...op.set, 'photos.p0': inRecord(one.value) } }]);
  await allThere(bench, phone, [one]);
});

test('signing out and changing the person keep photos, and they go up at the next sign-in', async () => {
  const bench = makeBench();
  const accounts = bench.start();
  const phone = await accounts.signIn('wang', 'x');
  await accounts.sendNow();
  bench.server.uploads.cutAfter = 0;
  const all = await taken(phone, 2);
  await expect.poll(() => phone.status().waiting).toBe(0);
  expect(await accounts.signOut('wang', true)).toMatchObject({ kept: true });
  await accounts.signIn('fan', 'x');
  bench.server.uploads.cutAfter = Number.POSITIVE_INFINITY;
  const again = await accounts.signIn('wang', 'x');
  expect(again.status().photos).toBe(2);
  await accounts.sendPhotos();
  await allThere(bench, again, all);
});

test('over Wi-Fi only: nothing goes by itself over another line, and a person can send all the same', async () => {
  const bench = makeBench();
  const accounts = bench.start();
  const phone = await accounts.signIn('wang', 'x');
  const photos = await phone.photos();
  await photos.choose({ wifiOnly: true });
  const all = await taken(phone, 2);
  for (const wifi of [null, false]) {
    bench.line.wifi = wifi;
    await accounts.sendNow();
    await expect.poll(() => standings(photos)).toEqual(['waiting', 'waiting']);
    expect(bench.server.uploads.asked).toEqual([]);
  }
  await accounts.sendPhotos();
  await allThere(bench, phone, all);
});

test('a photo that the server does not take stays, with the reason, and lets the others pass', async () => {
  const bench = makeBench();
  const accounts = bench.start();
  const phone = await accounts.signIn('wang', 'x');
  await accounts.sendNow();
  const bad = photo('x', 0).value.sha;
  bench.server.uploads.refuses.set(bad, { status: 415, code: 'unsupported_file' });
  await taken(phone, 2);
  await accounts.sendPhotos();
  const photos = await phone.photos();
  await expect
    .poll(async () => (await photos.waiting()).map(({ code }) => code))
    .toEqual(['unsupported_file']);
  expect(bench.server.uploads.there.size).toBe(3);
  bench.server.uploads.refuses.clear();
  await accounts.sendPhotos();
  await expect.poll(() => phone.status().photos).toBe(0);
});

test('what was taken off before it was saved is gone; what a record has named goes up for its history', async () => {
  const bench = makeBench();
  const phone = await begin(bench);
  const photos = await phone.photos();
  bench.server.before = () => {
    throw new TypeError('no network');
  };
  const early = photo(phone.newId(), 7);
  await photos.add(early);
  await photos.discard(early.value.sha);
  await expect.poll(() => phone.status().photos).toBe(0);
  const [one] = (await taken(phone, 1)) as [Planned];
  await photos.discard(one.value.sha);
  await phone.write(PROJECT, [setOp(one.r, `photos.${one.key}`, null)]);
  expect(await photos.unsaved(one.r)).toEqual([]);
  bench.server.before = () => undefined;
  bench.change('online');
  await allThere(bench, phone, [one]);
});

test('room is made of copies that the server has, the longest unseen first, and of nothing else', async () => {
  const bench = makeBench();
  const accounts = bench.start();
  const phone = await accounts.signIn('wang', 'x');
  const photos = await phone.photos();
  const all = (await taken(phone, 2)) as [Planned, Planned];
  await accounts.sendPhotos();
  await allThere(bench, phone, all);
  bench.clock.ms += 3 * 60 * 60_000;
  await photos.picture(PROJECT, all[0].value, 'whole');
  bench.server.before = () => {
    throw new TypeError('no network');
  };
  const [unsent] = (await taken(phone, 1).then(() => photos.waiting())) as readonly { sha: string }[];
  // The same bytes as the first: one photo, and the server has it.
  expect(unsent).toBeUndefined();
  const fresh = photo(phone.newId(), 9);
  await photos.add(fresh);
  await expect.poll(async () => (await photos.room()).copies).toBe(2 * BIG);
  expect(await photos.makeRoom(BIG)).toBe(BIG);
  const isHere = async ({ value }: Planned): Promise<boolean> =>
    photos.picture(PROJECT, value, 'whole').then(
      () => true,
      () => false,
    );
  expect(await Promise.all([...all, fresh].map(isHere))).toEqual([true, false, true]);
  expect(await photos.makeRoom(1e9)).toBe(BIG);
  expect(await isHere(fresh)).toBe(true);
});

test('a phone with the database of before photos gets room for them and loses nothing', async () => {
  const bench = makeBench();
  const phone = await begin(bench);
  const name = personDbName(phone.person.id);
  await phone.write(PROJECT, [newThing(phone)]);
  const before = await (await openPersonDb(phone.person.id)).getAll('outbox');
  bench.stop();
  const old = await openDB(`${name}-old`, 1, {
    upgrade(db) {
      for (const store of ['me', 'numbers', 'chunks', 'ids']) db.createObjectStore(store);
      db.createObjectStore('projects', { keyPath: 'id' });
      db.createObjectStore('rows').createIndex('at', 'at');
      db.createObjectStore('outbox', { keyPath: 'n' });
      db.createObjectStore('drafts', { keyPath: 'key' });
    },
  });
  for (const entry of before) await old.put('outbox', entry);
  old.close();
  const now = await openPersonDb(`${phone.person.id}-old`);
  expect(await now.getAll('outbox')).toEqual(before);
  expect(await now.count('photos')).toBe(0);
});

test('shas that came with records are asked about once they are shown, and again after a poke', async () => {
  const bench = makeBench();
  const phone = await begin(bench);
  const op = newThing(phone);
  const one = photo(op.r, 3);
  // A colleague's record: its bytes are still on his phone.
  await phone.write(PROJECT, [{ ...op, set: { ...op.set, 'photos.k1': inRecord(one.value) } }]);
  const photos = await phone.photos();
  photos.ask(PROJECT, [one.value.sha]);
  await expect.poll(() => bench.server.asked.includes('POST /api/photos/have')).toBe(true);
  expect(photos.arrived().has(one.value.sha)).toBe(false);
  bench.server.uploads.there.set(one.value.sha, new Uint8Array(one.big));
  bench.change('online');
  await expect.poll(() => photos.arrived().has(one.value.sha), { timeout: 5_000 }).toBe(true);
});
