// Records on the disk of the phone: whatever comes in, in whatever order and size, what is read is what
// a plain map of the newest copies would say.

import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { isDeleted, type MergeRecord, shown } from '../../../pwa/src/core/merge.ts';
import { granted } from '../../../pwa/src/core/person.ts';
import { CHUNK_RECORDS } from '../../../pwa/src/store/chunk.ts';
import { openPersonDb, type PersonDb } from '../../../pwa/src/store/database.ts';
import { makeKey } from '../../../pwa/src/store/key.ts';
import { type Local, openLocal, putPerson } from '../../../pwa/src/store/local.ts';
import type { Query } from '../../../pwa/src/store/phone.ts';
import { loadDeclarations, MemoryJournal, PROJECT, randomFrom, THING } from '../sync/bench-phone.ts';

const declarations = loadDeclarations();
const AUDIENCES = ['all', 'person:*', 'person:me'];
const SITE = { id: PROJECT, name: 'Site', roles: ['supervisor'], teams: [], head: 0, epoch: 1 };
const key = await makeKey();
let journal = new MemoryJournal();

async function openPhone(): Promise<Local> {
  return openLocal({
    person: 'me',
    declarations,
    surroundings: { now: () => 1_790_000_000_000, random: (bytes) => crypto.getRandomValues(bytes), journal },
    history: () => Promise.resolve([]),
    photos: {
      have: async () => ({ have: [] }),
      fetch: async () => new ArrayBuffer(0),
      bytes: async () => new ArrayBuffer(0),
    },
  });
}

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  journal = new MemoryJournal();
  await putPerson({ id: 'me', name: 'Me', device: 'd0', sign: key.sign }, [SITE], 0, 0);
});

function day(n: number): string {
  return `2026-${String(1 + Math.floor(n / 28)).padStart(2, '0')}-${String(1 + (n % 28)).padStart(2, '0')}`;
}

interface Drawn {
  readonly id: number;
  readonly day: number;
  readonly state: string;
  readonly isHeld: boolean;
  readonly isDeleted: boolean;
  readonly owner: string;
}

function recordOf({ id, day: at, state, isHeld, isDeleted: isGone, owner }: Drawn, seq: number): MergeRecord {
  const r = `01980000-0000-7000-8000-${String(id).padStart(12, '0')}`;
  const op = { k: 'set', c: THING, r, f: 'note', v: 'late' } as const;
  return {
    r,
    c: THING,
    seq,
    aud: `person:${owner}`,
    by: owner,
    state,
    v: 3,
    born: [seq, 0, 'd1', 0, id],
    set: { title: `${id}`, owner, day: day(at) },
    f: {},
    seal: null,
    held: isHeld ? [{ of: [seq, 0], op, by: 'x', device: 'd1', base: 0, et: 0 }] : [],
    del: isGone ? [seq, 1, 'd1', seq, 0, 'x'] : null,
  };
}

async function take(phone: Local, records: readonly MergeRecord[], audiences = AUDIENCES): Promise<void> {
  const from = phone.head(PROJECT);
  const cursor = Math.max(from, ...records.map(({ seq }) => seq));
  const lines = records.map((record) => ({ record, text: JSON.stringify(record) }));
  expect(
    await phone.takePage({ project: PROJECT, from, cursor, lines, head: cursor, epoch: 1, audiences }),
  ).toBe(true);
}

function wanted(model: ReadonlyMap<string, MergeRecord>, query: Query): string[] {
  const found = [...model.values()].filter((record) => {
    const at = shown(record, declarations.kind(THING)).day as string;
    if (isDeleted(record) || (query.from && at < query.from) || (query.to && at > query.to)) return false;
    return (
      !(query.state && !query.state.includes(record.state ?? '')) && !(query.held && record.held.length === 0)
    );
  });
  return found.map(({ r, seq }) => `${r}@${seq}`).sort();
}

async function mustAgree(phone: Local, model: ReadonlyMap<string, MergeRecord>): Promise<void> {
  const queries: Query[] = [
    {},
    { from: day(10), to: day(40) },
    { from: day(30) },
    { state: ['draft'] },
    { held: true },
    { from: day(5), to: day(5) },
    { state: ['approved', 'returned'], to: day(20) },
  ];
  const byLimit = await phone.list(PROJECT, THING, { state: ['draft'], limit: 7 });
  expect(byLimit).toEqual((await phone.list(PROJECT, THING, { state: ['draft'] })).slice(0, 7));
  for (const query of queries) {
    expect(await phone.count(PROJECT, THING, query), JSON.stringify(query)).toBe(wanted(model, query).length);
    const found = (await phone.list(PROJECT, THING, query))
      .map(({ r, record }) => `${r}@${record.seq}`)
      .sort();
    expect(found, JSON.stringify(query)).toEqual(wanted(model, query));
  }
  for (const record of [...model.values()].slice(0, 5)) {
    expect((await phone.get(PROJECT, record.r))?.record).toEqual(record);
  }
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  id: fc.nat(400),
  day: fc.nat(60),
  state: fc.constantFrom('draft', 'approved', 'returned'),
  isHeld: fc.boolean(),
  isDeleted: fc.nat(9).map((n) => n === 0),
  owner: fc.constantFrom('me', 'you'),
});

describe('records', () => {
  test('pages of any size, repeats and moves to another day read as the newest copies', async () => {
    const page = fc.array(drawn, { minLength: 1, maxLength: 120, size: 'max' });
    await fc.assert(
      fc.asyncProperty(fc.array(page, { maxLength: 6, size: 'max' }), async (pages) => {
        globalThis.indexedDB = new IDBFactory();
        await putPerson({ id: 'me', name: 'Me', device: 'd0', sign: key.sign }, [SITE], 0, 0);
        const phone = await openPhone();
        const model = new Map<string, MergeRecord>();
        let seq = 0;
        for (const one of pages) {
          const records = new Map<string, MergeRecord>();
          for (const each of one) {
            const record = recordOf(each, ++seq);
            records.set(record.r, record);
          }
          for (const [r, record] of records) model.set(r, record);
          await take(phone, [...records.values()]);
        }
        await mustAgree(phone, model);
        phone.close();
      }),
      { numRuns: 25 },
    );
  });

  async function filled(count: number): Promise<{ phone: Local; model: Map<string, MergeRecord> }> {
    const random = randomFrom(7);
    const phone = await openPhone();
    const model = new Map<string, MergeRecord>();
    for (let at = 0; at < count; at += 1000) {
      const records = Array.from({ length: Math.min(1000, count - at) }, (_, i) => {
        const state = random() < 0.02 ? 'draft' : 'approved';
        const owner = random() < 0.5 ? 'me' : 'you';
        const id = at + i;
        return recordOf(
          { id, day: Math.floor(id / 60), state, isHeld: false, isDeleted: false, owner },
          id + 1,
        );
      });
      for (const record of records) model.set(record.r, record);
      await take(phone, records);
    }
    return { phone, model };
  }

  test('tidying rows into chunks changes nothing that is read', async () => {
    const { phone, model } = await filled(3000);
    for (let round = 0; round < 40; round++) {
      const records = Array.from({ length: 50 }, (_, i) => {
        const id = (round * 97 + i * 61) % 4000;
        return recordOf(
          { id, day: (id * 7) % 60, state: 'returned', isHeld: i === 0, isDeleted: i === 1, owner: 'me' },
          10_000 + round * 50 + i,
        );
      });
      for (const record of records) model.set(record.r, record);
      await take(phone, records);
    }
    const before = await count('rows');
    expect(before).toBeGreaterThan(1000);
    await phone.tidy(PROJECT);
    expect(await count('rows')).toBe(0);
    await mustAgree(phone, model);
    phone.close();
  });

  test('A6 erasing takes what is not granted and nothing else', async () => {
    const { phone, model } = await filled(2000);
    const more = Array.from({ length: 20 }, (_, i) =>
      recordOf(
        {
          id: 90_000 + i,
          day: 3,
          state: 'draft',
          isHeld: false,
          isDeleted: false,
          owner: i % 2 ? 'me' : 'you',
        },
        50_000 + i,
      ),
    );
    for (const record of more) model.set(record.r, record);
    await take(phone, more);
    const labels = ['all', 'person:me'];
    await phone.erase(PROJECT, { cursor: 0, epoch: 2, audiences: labels });
    for (const [r, record] of model) if (!granted(record.aud, new Set(labels))) model.delete(r);
    await mustAgree(phone, model);
    phone.close();
  });

  test('what comes again unchanged after a restart is not written again', async () => {
    const { phone, model } = await filled(1000);
    await phone.erase(PROJECT, { cursor: 0, epoch: 2, audiences: AUDIENCES });
    await take(phone, [...model.values()]);
    expect(await count('rows')).toBe(0);
    await mustAgree(phone, model);
    phone.close();
  });

  test('a day or what waits is read from a few chunks, whatever there is', async () => {
    const { phone } = await filled(8000);
    const read = chunksRead();
    expect(await phone.list(PROJECT, THING, { from: day(60), to: day(60) })).toHaveLength(60);
    expect(read.done()).toBeLessThanOrEqual(3);
    expect(8000 / CHUNK_RECORDS).toBeGreaterThan(15);
    phone.close();
  });

  test('the newest few are read from a few chunks, whatever there is', async () => {
    const { phone } = await filled(8000);
    const read = chunksRead();
    const newest = await phone.list(PROJECT, THING, { limit: 50, where: ({ record }) => record.by === 'me' });
    expect(read.done()).toBeLessThanOrEqual(3);
    const all = await phone.list(PROJECT, THING, { where: ({ record }) => record.by === 'me' });
    expect(newest).toEqual(all.slice(0, 50));
    phone.close();
  });

  test('a number that is asked for again reads only what has come since', async () => {
    const { phone, model } = await filled(8000);
    const query: Query = { state: ['draft'], where: ({ record }) => record.by === 'me' };
    const truth = (): number =>
      [...model.values()].filter(({ state, by }) => state === 'draft' && by === 'me').length;
    expect(await phone.count(PROJECT, THING, query)).toBe(truth());
    for (const [round, size] of [1, 90, 1200].entries()) {
      const records = Array.from({ length: size }, (_, i) => {
        const id = (i * 61) % 9000;
        const state = i % 2 ? 'draft' : 'approved';
        const one = { id, day: i % 60, state, isHeld: false, isDeleted: false, owner: i % 3 ? 'me' : 'you' };
        return recordOf(one, 20_000 + round * 2000 + i);
      });
      for (const record of records) model.set(record.r, record);
      await take(phone, records);
      const read = chunksRead();
      expect(await phone.count(PROJECT, THING, query)).toBe(truth());
      expect(read.done()).toBeLessThanOrEqual(Math.ceil(size / CHUNK_RECORDS) + 1);
    }
    await phone.tidy(PROJECT);
    expect(await phone.count(PROJECT, THING, query)).toBe(truth());
    await phone.erase(PROJECT, { cursor: 0, epoch: 2, audiences: [] });
    expect(await phone.count(PROJECT, THING, query)).toBe(0);
    phone.close();
  });

  test('own entries count at once, and own decisions no more', async () => {
    const { phone, model } = await filled(1000);
    const query: Query = { state: ['draft'] };
    const before = await phone.count(PROJECT, THING, query);
    await phone.write(PROJECT, [
      { k: 'new', c: THING, r: phone.newId(), set: { title: 'A', owner: 'me', day: day(2) } },
    ]);
    expect(await phone.count(PROJECT, THING, query)).toBe(before + 1);
    const draft = [...model.values()].find(({ state }) => state === 'draft') as MergeRecord;
    await phone.write(PROJECT, [{ k: 'del', c: THING, r: draft.r }]);
    expect(await phone.count(PROJECT, THING, query)).toBe(before);
    phone.close();
  });

  /** How many chunks are read from now on. */
  function chunksRead(): { done(): number } {
    let read = 0;
    const real = IDBObjectStore.prototype.get;
    IDBObjectStore.prototype.get = function (this: IDBObjectStore, asked: IDBValidKey): IDBRequest {
      if (this.name === 'chunks') read++;
      return real.call(this, asked);
    };
    return {
      done() {
        IDBObjectStore.prototype.get = real;
        return read;
      },
    };
  }

  async function count(name: 'rows' | 'chunks'): Promise<number> {
    const db: PersonDb = await openPersonDb('me');
    const found = await db.count(name);
    db.close();
    return found;
  }
});

describe('drafts', () => {
  test('what was typed is there after a kill, though nothing was waited for', async () => {
    const phone = await openPhone();
    phone.saveDraft('form', { text: 'half a senten' });
    const again = await openPhone();
    expect(await again.draft('form')).toMatchObject({ value: { text: 'half a senten' } });
    phone.close();
    again.close();
  });

  test('flushed drafts leave the journal and stay in the database', async () => {
    const phone = await openPhone();
    phone.saveDraft('a', 'one');
    phone.saveDraft('a', 'two');
    await phone.flush();
    expect(journal.length).toBe(0);
    phone.close();
    const again = await openPhone();
    expect((await again.drafts()).map(({ key, value }) => [key, value])).toEqual([['a', 'two']]);
    await again.dropDraft('a');
    expect(await again.drafts()).toEqual([]);
    again.close();
  });

  test('a full journal is no loss', async () => {
    journal.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    const phone = await openPhone();
    phone.saveDraft('a', 'kept');
    await phone.flush();
    phone.close();
    expect((await (await openPhone()).draft('a'))?.value).toBe('kept');
  });

  test('an older draft in the journal does not replace a newer one in the database', async () => {
    const phone = await openPhone();
    phone.saveDraft('a', 'new');
    await phone.flush();
    journal.setItem('gongbu:draft:me:a', JSON.stringify({ key: 'a', value: 'old', at: 5 }));
    phone.close();
    expect((await (await openPhone()).draft('a'))?.value).toBe('new');
  });
});

describe('writing', () => {
  test('what no server could take is refused with its field and reason, and nothing is stored', async () => {
    const phone = await openPhone();
    const r = phone.newId();
    const write = (set: Record<string, string | number>): Promise<number> =>
      phone.write(PROJECT, [{ k: 'new', c: THING, r, set }]);
    await expect(write({ owner: 'me' })).rejects.toMatchObject({
      trouble: { code: 'invalid', field: 'title', reason: 'required' },
    });
    await expect(write({ title: 'x'.repeat(41), owner: 'me' })).rejects.toMatchObject({
      trouble: { field: 'title', reason: 'max' },
    });
    await expect(write({ title: 'A', owner: 'me', hours: 1.5 })).rejects.toMatchObject({
      trouble: { code: 'invalid', reason: 'number' },
    });
    expect(await phone.outbox()).toEqual([]);
    phone.close();
  });

  test('a batch that only the server may refuse is saved', async () => {
    const phone = await openPhone();
    const op = { k: 'new', c: THING, r: phone.newId(), set: { title: 'A', owner: 'you' } } as const;
    expect((await phone.check(PROJECT, [op]))?.code).toBe('forbidden');
    expect(await phone.write(PROJECT, [op])).toBe(1);
    phone.close();
  });

  test('sixty batches are one transaction and stand each alone', async () => {
    const phone = await openPhone();
    let notices = 0;
    phone.watch('records', () => notices++);
    const writings = Array.from({ length: 60 }, (_, i) => ({
      ops: [{ k: 'new' as const, c: THING, r: phone.newId(), set: { title: `${i}`, owner: 'me' } }],
      memo: i,
    }));
    expect(await phone.writeEach(PROJECT, writings)).toHaveLength(60);
    await expect.poll(() => notices).toBe(1);
    expect((await phone.outbox()).map(({ memo }) => memo)).toEqual(writings.map(({ memo }) => memo));
    phone.close();
  });

  test('a disk that is full says so, and the words stay with the person', async () => {
    const phone = await openPhone();
    const real = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    try {
      const op = { k: 'new', c: THING, r: phone.newId(), set: { title: 'A', owner: 'me' } } as const;
      await expect(phone.write(PROJECT, [op])).rejects.toMatchObject({ code: 'no_space' });
    } finally {
      IDBObjectStore.prototype.put = real;
    }
    expect(await phone.outbox()).toEqual([]);
    phone.close();
  });
});
