// Pins: found from what is declared, filtered, and put together where they would lie on each other.

import { expect, test } from 'vitest';
import { readDeclarations } from '../../../pwa/src/core/declaration.ts';
import {
  clustersOf,
  EVERYTHING,
  type Pin,
  passes,
  pinKinds,
  pinValue,
  stateKey,
} from '../../../pwa/src/modules/drawings/pin.ts';
import { after, byPlace, fileOf, revisions } from '../../../pwa/src/modules/drawings/plan.ts';
import type { Shown, Value } from '../../../pwa/src/store/phone.ts';
import type { Site } from '../../../pwa/src/ui/site.svelte.ts';
import core from '../../../shared/modules/core.json';
import drawings from '../../../shared/modules/drawings.json';
import inspections from '../../../shared/modules/inspections.json';
import quality from '../../../shared/modules/quality.json';
import { the } from '../ui/fake.ts';

const declarations = readDeclarations([core, drawings, inspections, quality]);
const site = { declarations, lang: 'zh', t: (key: string) => key } as unknown as Site;
const DEFECT = the(declarations.kind('quality.defect'));

function entry(r: string, values: Readonly<Record<string, Value>>, more: Partial<Shown> = {}): Shown {
  return { r, c: DEFECT.c, values, state: 'open', record: { by: 'author' }, ...more } as Shown;
}
function pin(id: string, x: number, y: number, more: Partial<Pin> = {}): Pin {
  return {
    id,
    at: { plan: 'p', page: 1, x, y },
    shown: entry(id, {}),
    kind: DEFECT,
    title: id,
    standing: { key: 'state', tone: 'needs_you', text: '' },
    isOlder: false,
    ...more,
  };
}

test('every kind with a pin field stands on plans, whatever its name', () => {
  expect(pinKinds(site).map(({ kind, path }) => `${kind.c} ${path}`)).toEqual([
    'drawings.photo pin',
    'inspections.inspection pin',
    'quality.defect pin',
  ]);
});

test('what is no pin is none', () => {
  expect(pinValue({ plan: 'p', page: 1, x: 0, y: 1 })).toEqual({ plan: 'p', page: 1, x: 0, y: 1 });
  for (const value of [undefined, null, 'B2', 7, [], { plan: 'p' }, { plan: 1, page: 1, x: 0, y: 0 }])
    expect(pinValue(value as Value | undefined)).toBeNull();
});

test('kinds, states, other people and older revisions can be left out', () => {
  const mine = pin('a', 0, 0, { shown: entry('a', { person: 'me' }) });
  const others = pin('b', 0, 0, { isOlder: true });
  expect(passes(EVERYTHING, mine, 'me')).toBe(true);
  expect(passes({ ...EVERYTHING, hidden: new Set([DEFECT.c]) }, mine, 'me')).toBe(false);
  expect(passes({ ...EVERYTHING, hidden: new Set([stateKey(mine)]) }, mine, 'me')).toBe(false);
  expect(passes({ ...EVERYTHING, mine: true }, mine, 'me')).toBe(true);
  expect(passes({ ...EVERYTHING, mine: true }, others, 'me')).toBe(false);
  expect(passes({ ...EVERYTHING, mine: true }, others, 'author')).toBe(true);
  expect(passes({ ...EVERYTHING, older: false }, others, 'me')).toBe(false);
});

test('pins nearer than a thumb are one, none is lost, and far ones stay apart', () => {
  const seed = Date.now() % 1_000_000;
  let state = seed;
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const pins = Array.from({ length: 800 }, (_, i) => pin(`${i}`, random() * 2000, random() * 1500));
  const heaps = clustersOf(pins, ({ at }) => at, 44);
  expect(heaps.flatMap((heap) => heap.pins).length, `seed ${seed}`).toBe(pins.length);
  for (const [i, one] of heaps.entries()) {
    for (const other of heaps.slice(i + 1))
      expect(Math.hypot(one.x - other.x, one.y - other.y), `seed ${seed}`).toBeGreaterThanOrEqual(44);
    for (const { at } of one.pins)
      expect(Math.hypot(at.x - one.x, at.y - one.y), `seed ${seed}`).toBeLessThan(44);
  }
});

test('plans stand by place, those without one last, numbers counted as numbers', () => {
  const plan = (r: string, name: string, place: string | null): Shown =>
    entry(r, { name, ...(place !== null && { place }) });
  const groups = byPlace(
    [plan('1', '一层', null), plan('2', '10 层', 'B'), plan('3', '2 层', 'B'), plan('4', 'x', 'A')],
    site,
  );
  expect(groups.map(({ place, plans }) => [place, plans.map(({ r }) => r)])).toEqual([
    ['A', ['4']],
    ['B', ['3', '2']],
    ['', ['1']],
  ]);
});

test('a plan knows the revisions behind it and the one that took its place, even in a ring', () => {
  const a = entry('a', {});
  const b = entry('b', { replaces: 'a' });
  const c = entry('c', { replaces: 'b' });
  expect(revisions(c, [a, b, c]).map(({ r }) => r)).toEqual(['c', 'b', 'a']);
  expect(after(a, [a, b, c])?.r).toBe('b');
  expect(after(c, [a, b, c])).toBeUndefined();
  const x = entry('x', { replaces: 'y' });
  const y = entry('y', { replaces: 'x' });
  expect(revisions(x, [x, y]).map(({ r }) => r)).toEqual(['x', 'y']);
});

test('the file of a plan is found under whatever key it has', () => {
  const file = { sha: 'a'.repeat(64), name: 'A-101.pdf', bytes: 9, type: 'application/pdf' };
  expect(fileOf({ name: 'x', 'file.k3j': file })).toEqual(file);
  expect(fileOf({ 'file.k3j': null, name: 'file' })).toBeNull();
});
