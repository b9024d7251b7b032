// The pure pieces of photos: what a value says, geometry of marks, fingers, groups, the watermark's time.

import { describe, expect, test } from 'vitest';
import { checkKeyed, type Field } from '../../../pwa/src/core/field.ts';
import { allPhotos, newPhotoKey, photosIn, readMarks, type Shape } from '../../../pwa/src/core/photo.ts';
import type { Value } from '../../../pwa/src/store/phone.ts';
import { type Item, idOf, inOrder, rowsOf } from '../../../pwa/src/ui/photo/gallery.ts';
import { extended, isDrawn, MILLION, marksValue, shapePath } from '../../../pwa/src/ui/photo/marks.ts';
import { moved, SCALE_MAX, swiped, WHOLE, zoomed } from '../../../pwa/src/ui/photo/zoom.ts';

const SHA = 'a'.repeat(64);
const value = (at: number, more: Record<string, Value> = {}): Value => ({
  sha: SHA,
  at,
  w: 4,
  h: 3,
  ...more,
});

describe('values', () => {
  test('photos stand oldest first, each with its marks; an item’s alone; what is none is left out', () => {
    const values = {
      'photos.b': value(2, { item: 'x1' }),
      'photos.a': value(1),
      'photos.c': null,
      'photos.d': { sha: 'no', at: 1, w: 1, h: 1 },
      'after.e': value(3),
      'marks.b': { shapes: [{ t: 'arrow', c: 'red', p: [0, 0, 5, 5] }] },
      note: 'x',
    };
    expect(photosIn(values, 'photos').map(({ key }) => key)).toEqual(['a', 'b']);
    expect(photosIn(values, 'photos', 'x1').map(({ key, marks }) => [key, marks?.shapes.length])).toEqual([
      ['b', 1],
    ]);
    expect(allPhotos(values).map(({ path, key }) => `${path}.${key}`)).toEqual([
      'photos.a',
      'photos.b',
      'after.e',
    ]);
  });

  test('marks of a newer app keep the shapes that this one knows', () => {
    const known = { t: 'text', c: 'blue', p: [1, 2], s: '裂缝' };
    expect(readMarks({ shapes: [known, { t: 'spiral', c: 'red', p: [1] }, 7] })).toEqual({ shapes: [known] });
    expect(readMarks({ shapes: [] })).toBeNull();
    expect(readMarks('x')).toBeNull();
  });

  test('a new key is one that a path takes, and differs from the last', () => {
    const keys = Array.from({ length: 200 }, () => newPhotoKey((bytes) => crypto.getRandomValues(bytes)));
    expect(new Set(keys).size).toBe(200);
    for (const key of keys) expect(key).toMatch(/^[a-z][a-z0-9]{9}$/);
  });
});

describe('marks', () => {
  const draw = (t: Shape['t'], points: readonly (readonly [number, number])[]): Shape =>
    points.slice(1).reduce((shape, [x, y]) => extended(shape, x, y, 4 / 3), {
      t,
      c: 'red',
      p: (points[0] ?? [0, 0]).map((n) => n * MILLION),
    } as Shape);

  test('what is drawn is what the server takes, and lies inside the photo', () => {
    const shapes = [
      draw('arrow', [
        [0.1, 0.1],
        [0.5, 0.4],
        [1.4, -2],
      ]),
      draw('free', [
        [0, 0],
        [0.1, 0.1],
        [0.1001, 0.1],
        [0.9, 0.2],
      ]),
      { t: 'text', c: 'black', p: [1, 2], s: '露筋' } as Shape,
    ];
    expect(shapes[0]?.p).toEqual([0.1 * MILLION, 0.1 * MILLION, MILLION, 0]);
    // The third point says nothing new.
    expect(shapes[1]?.p.length).toBe(6);
    expect(checkKeyed({ type: 'photos' } as Field, ['marks', 'k1'], marksValue(shapes))).toBeNull();
    expect(marksValue([])).toBeNull();
  });

  test('a tap that slipped is no mark; every shape has a path on its sheet', () => {
    expect(
      isDrawn(
        draw('circle', [
          [0.5, 0.5],
          [0.501, 0.5],
        ]),
      ),
    ).toBe(false);
    expect(isDrawn({ t: 'text', c: 'red', p: [1, 1], s: ' ' })).toBe(false);
    const sheet = { w: 1000, h: 500 };
    for (const t of ['arrow', 'circle', 'rect', 'free'] as const) {
      const shape = draw(t, [
        [0.1, 0.2],
        [0.6, 0.8],
      ]);
      expect(isDrawn(shape)).toBe(true);
      expect(shapePath(shape, sheet)).toMatch(/^M[\d.]+ [\d.]+/);
      expect(shapePath(shape, sheet)).not.toContain('NaN');
    }
    expect(
      shapePath(
        draw('rect', [
          [0.1, 0.2],
          [0.6, 0.8],
        ]),
        sheet,
      ),
    ).toBe('M100 100H600V400H100Z');
  });
});

describe('fingers', () => {
  const box = { w: 360, h: 600 };
  test('the point under the fingers stays there, and the picture never leaves its box', () => {
    const at = { x: 60, y: -90 };
    const view = zoomed(WHOLE, 3, at, box);
    // Where the point was of the picture, it is of the picture still.
    expect((at.x - view.x) / view.scale).toBeCloseTo(at.x);
    expect(moved(view, 9999, -9999, box)).toEqual({ scale: 3, x: 360, y: -600 });
    expect(zoomed(view, 0.01, at, box)).toEqual(WHOLE);
    expect(zoomed(view, 99, at, box).scale).toBe(SCALE_MAX);
  });

  test('a swipe leads on, back or out; a short or crooked one nowhere', () => {
    expect([swiped(-80, 10), swiped(80, 0), swiped(5, 120), swiped(30, 0), swiped(70, 65)]).toEqual([
      1,
      -1,
      0,
      null,
      null,
    ]);
  });
});

test('the gallery groups by what is asked, newest first, in rows of so many; keys may repeat in other records', () => {
  const item = (r: string, at: number, day: string): Item => ({
    ...{ r, at, day, path: 'photos', key: 'k1', marks: null, place: '', person: '', record: '打卡' },
    photo: { sha: SHA, at, w: 1, h: 1 },
  });
  const items = [
    item('r1', 1, 'mon'),
    item('r2', 5, 'tue'),
    item('r3', 3, 'mon'),
    item('r4', 4, 'tue'),
    item('r5', 2, 'mon'),
  ];
  const rows = rowsOf(inOrder(items, 'day'), 'day', 2);
  const told = rows.map((row) =>
    row.type === 'group' ? `${row.label} ${row.count}` : row.items.map(({ r }) => r).join(' '),
  );
  expect(told).toEqual(['tue 2', 'r2 r4', 'mon 3', 'r3 r5', 'r1']);
  expect(new Set(items.map(idOf)).size).toBe(5);
  // Two records of the same title are two groups.
  expect(rowsOf(inOrder(items, 'record'), 'record', 2).filter(({ type }) => type === 'group').length).toBe(5);
});
