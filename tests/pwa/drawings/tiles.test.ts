// Tiles on the phone: fetched once, there without a network, each person's own, and bounded.

import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, expect, test } from 'vitest';
import {
  allTiles,
  levelOf,
  type PageOfPlan,
  type PlanFile,
  TILE,
} from '../../../pwa/src/modules/drawings/page.ts';
import { type Tiles, tilesOf } from '../../../pwa/src/modules/drawings/tiles.ts';
import { openKept } from '../../../pwa/src/store/kept.ts';
import { Problem } from '../../../pwa/src/store/phone.ts';

const PAGE: PageOfPlan = { w: 1500, h: 1100, zooms: 3, ready: true };
const READY: PlanFile = { state: 'ready', pages: [PAGE], percent: 100, reason: null };
const TILE_BYTES = 100;

/** Answers as the server does, counts, and can be cut off. */
class Line {
  asked: string[] = [];
  isCut = false;
  file: PlanFile = READY;

  readonly fetched = async (path: string): Promise<Blob> => {
    if (this.isCut) throw new Problem({ code: 'offline', do: 'retry' });
    this.asked.push(path);
    if (!path.endsWith('.webp')) return new Blob([JSON.stringify(this.file)]);
    return new Blob([new Uint8Array(TILE_BYTES)]);
  };
}

let now = 1000;
let line = new Line();

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  line = new Line();
});

async function tiles(person = 'me', bytesMax?: number): Promise<Tiles> {
  return tilesOf(await openKept(person, () => now, bytesMax), line.fetched);
}
async function keep(on: Tiles, sha: string): Promise<readonly number[]> {
  const told: number[] = [];
  await on.keepPage(sha, PAGE, 1, (share) => told.push(share)).done;
  return told;
}

test('a page has a tile for every part of every level', () => {
  expect(allTiles(PAGE, 2).slice(0, 2)).toEqual(['2/0/0/0.webp', '2/1/0/0.webp']);
  expect(allTiles(PAGE, 1)).toHaveLength(1 + 4 + 9);
  expect(levelOf(PAGE, 0)).toEqual({ w: 375, h: 275, across: 1, down: 1 });
  expect(levelOf(PAGE, 2)).toEqual({ w: 1500, h: 1100, across: 3, down: 3 });
  expect(Math.max(...[0, 1, 2].map((z) => levelOf(PAGE, z).across * TILE))).toBeGreaterThanOrEqual(PAGE.w);
});

test('what was opened once opens without a network, and nothing is fetched twice', async () => {
  const on = await tiles();
  await on.file('a');
  const told = await keep(on, 'a');
  expect(told.at(-1)).toBe(1);
  expect(line.asked).toHaveLength(1 + 14);
  line.isCut = true;
  expect(await on.file('a')).toEqual(READY);
  expect((await on.tile('a', 1, 2, 2, 2)).size).toBe(TILE_BYTES);
  expect(await keep(on, 'a')).toEqual([1]);
  expect(await on.kept('a')).toEqual({ pages: [1], bytes: 14 * TILE_BYTES });
});

test('a page that broke off goes on where it was, and is not called whole before', async () => {
  const on = await tiles();
  const first = on.keepPage('a', PAGE, 1, (share) => {
    if (share > 0.4) line.isCut = true;
  });
  await expect(first.done).rejects.toThrow();
  expect((await on.kept('a')).pages).toEqual([]);
  const before = line.asked.length;
  line.isCut = false;
  await keep(on, 'a');
  expect(line.asked.length).toBe(14);
  expect(before).toBeGreaterThan(4);
  expect((await on.kept('a')).pages).toEqual([1]);
});

test('a plan that is still being rendered is asked for again', async () => {
  const on = await tiles();
  line.file = { ...READY, state: 'rendering', percent: 40 };
  expect((await on.file('a')).percent).toBe(40);
  line.file = READY;
  expect((await on.file('a')).state).toBe('ready');
  expect(line.asked).toHaveLength(2);
});

test('the next person on the phone reads nothing of it', async () => {
  await keep(await tiles('me'), 'a');
  line.isCut = true;
  const other = await tiles('other');
  await expect(other.tile('a', 1, 0, 0, 0)).rejects.toThrow();
  await expect(other.file('a')).rejects.toThrow();
});

test('what the person may no longer see goes', async () => {
  const on = await tiles();
  await keep(on, 'a');
  await keep(on, 'b');
  await on.tidy(new Set(['b']));
  expect((await on.kept('a')).bytes).toBe(0);
  expect((await on.kept('b')).pages).toEqual([1]);
  line.isCut = true;
  await expect(on.tile('a', 1, 0, 0, 0)).rejects.toThrow();
});

test('the plan opened longest ago makes room for the next', async () => {
  const on = await tiles('me', 2.5 * 14 * TILE_BYTES);
  for (const sha of ['a', 'b']) {
    now += 1000;
    await keep(on, sha);
  }
  now += 1000;
  await keep(on, 'a');
  await keep(on, 'c');
  expect((await on.kept('a')).pages).toEqual([1]);
  expect((await on.kept('b')).pages).toEqual([]);
  expect((await on.kept('c')).pages).toEqual([1]);
});
