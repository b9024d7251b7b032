import { describe, expect, test } from 'vitest';
import { reasonAt } from '../../../pwa/src/core/field.ts';
import {
  type Entry,
  guess,
  latePlace,
  methodFor,
  openShift,
  opOf,
  placeValue,
  type Tap,
  workDate,
} from '../../../pwa/src/modules/labour/checkin.ts';
import { crewOps, expected, guessCrew, membersOf } from '../../../pwa/src/modules/labour/crew.ts';
import { circleIn, distance_m, fenceOf } from '../../../pwa/src/modules/labour/fence.ts';
import { manDays, reckon, totalsOf, workDays } from '../../../pwa/src/modules/labour/month.ts';
import { better, fixAt } from '../../../pwa/src/ui/generic/place.ts';
import { readPoster, scanned } from '../../../pwa/src/ui/generic/poster.ts';
import { kindOf, shownFrom } from './fake.ts';

const ZONE = 'Asia/Shanghai';
/** Wall clock in Shanghai on a November day. */
const at = (day: number, hour: number, minute = 0): number => Date.UTC(2026, 10, day, hour - 8, minute);
const entry = (direction: 'in' | 'out', time: number, work_date: string, worker = 'me'): Entry => ({
  r: `${time}`,
  worker,
  direction,
  at: time,
  work_date,
});
const kind = kindOf('labour.checkin');

const tap = (more: Partial<Tap> = {}): Tap => ({
  r: 'r1',
  worker: 'me',
  direction: 'in',
  at: at(23, 8),
  zone: ZONE,
  offset_min: 480,
  team: 't1',
  place: null,
  fence: 'unknown',
  method: 'own',
  skew_ms: null,
  entries: [],
  ...more,
});

describe('the direction is guessed from the open shift', () => {
  test('in on a fresh day, out after an in, in again after an out', () => {
    const morning = entry('in', at(23, 8), '2026-11-23');
    expect(guess([], at(23, 8))).toBe('in');
    expect(guess([morning], at(23, 17))).toBe('out');
    expect(guess([morning, entry('out', at(23, 12), '2026-11-23')], at(23, 13))).toBe('in');
  });
  test('a check-out forgotten yesterday does not make today begin with one', () => {
    expect(guess([entry('in', at(22, 8), '2026-11-22')], at(23, 8))).toBe('in');
    expect(openShift([entry('in', at(22, 20), '2026-11-22')], at(23, 6))?.work_date).toBe('2026-11-22');
  });
});

describe('the work date', () => {
  test('is the day on the site, whatever the phone thinks', () => {
    expect(workDate('in', Date.UTC(2026, 10, 22, 22), ZONE, [])).toBe('2026-11-23');
  });
  test('of a night shift is the day it began', () => {
    const evening = entry('in', at(22, 20), '2026-11-22');
    expect(workDate('out', at(23, 6), ZONE, [evening])).toBe('2026-11-22');
    expect(workDate('out', at(23, 18), ZONE, [evening])).toBe('2026-11-23');
  });
});

describe('one tap', () => {
  test('writes a record that the declaration takes, field by field', () => {
    const op = opOf(
      tap({
        place: placeValue({ lat: 311234567, lng: 1214567890, accuracy_m: 12, fix_age_s: 3 }),
        fence: 'inside',
        skew_ms: -90_000,
        note: ' 早到 ',
      }),
    );
    expect(op.set).toEqual({
      worker: 'me',
      direction: 'in',
      at: at(23, 8),
      offset_min: 480,
      work_date: '2026-11-23',
      fence: 'inside',
      method: 'own',
      team: 't1',
      place: { lat: 311234567, lng: 1214567890, accuracy_m: 12, fix_age_s: 3 },
      note: '早到',
      device_skew_ms: 90_000,
    });
    for (const [path, value] of Object.entries(op.set)) expect(reasonAt(kind, path, value), path).toBeNull();
  });
  test('without a fix, team or known clock error leaves them out', () => {
    expect(Object.keys(opOf(tap({ team: null })).set)).toEqual([
      'worker',
      'direction',
      'at',
      'offset_min',
      'work_date',
      'fence',
      'method',
    ]);
  });
  test('a fix that comes later is put beside it', () => {
    expect(latePlace('r1', { lat: 1, lng: 2 }, 'inside').map((op) => op.k === 'set' && op.f)).toEqual([
      'place',
      'fence',
    ]);
  });
  test('a time set by hand is an entry made later', () => {
    expect([methodFor('crew', at(23, 8), at(23, 8, 4)), methodFor('crew', at(23, 7), at(23, 8))]).toEqual([
      'crew',
      'manual',
    ]);
  });
});

describe('the fence', () => {
  const circle = { lat: 312000000, lng: 1215000000, radius_m: 300 };
  const north = (m: number, accuracy_m: number, fix_age_s = 5) => ({
    lat: circle.lat + Math.round((m / 111_195) * 1e7),
    lng: circle.lng,
    accuracy_m,
    fix_age_s,
  });
  test('inside, outside, and the benefit of the doubt at the edge', () => {
    expect(fenceOf(north(100, 10), circle)).toBe('inside');
    expect(fenceOf(north(310, 30), circle)).toBe('inside');
    expect(fenceOf(north(900, 30), circle)).toBe('outside');
  });
  test('unknown where the fix is missing, coarse or old, or the site has no circle', () => {
    expect(fenceOf(null, circle)).toBe('unknown');
    expect(fenceOf(north(0, 10), null)).toBe('unknown');
    expect(fenceOf(north(600, 2000), circle)).toBe('unknown');
    expect(fenceOf(north(0, 10, 3600), circle)).toBe('unknown');
    expect(fenceOf(north(5000, 10, 3600), circle)).toBe('unknown');
  });
  test('distance is metres on the ground; a project without numbers has no circle', () => {
    expect(Math.round(distance_m(circle, north(1000, 0)))).toBeGreaterThan(995);
    expect(circleIn({ lat: 1, lng: 2 })).toBeNull();
    expect(circleIn(undefined)).toBeNull();
  });
});

describe('a position', () => {
  const position = { latitude: 31.2, longitude: 121.5, accuracy: 11.6, timestamp: 1_000_000 };
  test('is whole numbers with accuracy and age', () => {
    expect(fixAt(position, 1_061_000)).toEqual({
      lat: 312000000,
      lng: 1215000000,
      accuracy_m: 12,
      fix_age_s: 61,
    });
  });
  test('is never 0,0 and never from the future', () => {
    expect(fixAt({ ...position, latitude: 0, longitude: 0 }, 0)).toBeNull();
    expect(fixAt({ ...position, latitude: Number.NaN }, 0)).toBeNull();
    expect(fixAt(position, 0)?.fix_age_s).toBe(0);
  });
  test('the finer one is kept until a much newer one comes', () => {
    const coarse = { ...position, accuracy: 200, timestamp: 1_010_000 };
    expect(better(position, coarse)).toBe(position);
    expect(better(position, { ...coarse, timestamp: 1_040_000 }).accuracy).toBe(200);
  });
});

describe('the crew', () => {
  const teamsOf = { me: ['t1'], a: ['t1'], b: ['t1'], c: ['t2'] };
  const entries = [entry('in', at(23, 7), '2026-11-23', 'a')];
  const members = membersOf(teamsOf, ['t1'], (id) => id, entries, at(23, 8));
  test('is the people of my teams, with who is in', () => {
    expect(members.map((one) => [one.id, one.open !== null])).toEqual([
      ['a', true],
      ['b', false],
      ['me', false],
    ]);
    expect(expected(members, 'in').map((one) => one.id)).toEqual(['b', 'me']);
    expect(expected(members, 'out').map((one) => one.id)).toEqual(['a']);
    expect(guessCrew(members)).toBe('in');
  });
  test('all present but one is one batch, each with a record of its own', () => {
    let n = 0;
    const present = expected(members, 'in').filter((one) => one.id !== 'me');
    const ops = crewOps(
      present,
      'in',
      { ...tap(), at: at(23, 8) },
      at(23, 8),
      () => {
        n += 1;
        return `r${n}`;
      },
      entries,
    );
    expect(ops).toHaveLength(1);
    expect(ops[0]).toMatchObject({
      k: 'new',
      r: 'r1',
      set: { worker: 'b', team: 't1', method: 'crew', direction: 'in' },
    });
  });
  test('a crew check-out at night closes each shift on the day it began', () => {
    const night = [entry('in', at(22, 20), '2026-11-22', 'a')];
    const crew = membersOf(teamsOf, ['t1'], (id) => id, night, at(23, 6));
    const ops = crewOps(
      expected(crew, 'out'),
      'out',
      { ...tap(), at: at(23, 6) },
      at(23, 6),
      () => 'r',
      night,
    );
    expect(ops[0]).toMatchObject({ set: { work_date: '2026-11-22' } });
  });
});

describe('the poster', () => {
  const places = [{ r: 'pl1', name: '东大门', code: 'K7Q2' }];
  test('is read whole or not at all', () => {
    expect(readPoster(' gongbu:place:p1:pl1:K7Q2 ')).toEqual({ project: 'p1', place: 'pl1', code: 'K7Q2' });
    for (const text of [
      '',
      'https://x',
      'gongbu:place:p1:pl1',
      'gongbu:place:p1:pl1:a b',
      'gongbu:place:../x:pl1:K',
    ])
      expect(readPoster(text)).toBeNull();
  });
  test('known, new, of another site, or none', () => {
    expect(scanned('gongbu:place:p1:pl1:K7Q2', 'p1', places)).toMatchObject({
      type: 'place',
      place: { name: '东大门' },
    });
    expect(scanned('gongbu:place:p1:zzz:NEW1', 'p1', places)).toEqual({ type: 'unknown', code: 'NEW1' });
    expect(scanned('gongbu:place:p2:pl1:K7Q2', 'p1', places).type).toBe('other_project');
    expect(scanned('hello', 'p1', places).type).toBe('no_poster');
  });
  test('typed by hand, case and spaces do not matter', () => {
    expect(scanned('k7 q2', 'p1', places).type).toBe('place');
    expect(scanned('', 'p1', places).type).toBe('no_poster');
  });
});

describe('the month', () => {
  const card = (r: string, direction: string, time: number, more = {}) =>
    shownFrom({
      r,
      c: 'labour.checkin',
      values: { worker: 'me', direction, at: time, work_date: '2026-11-23' },
      more,
    });
  const shift = (work_date: string, minutes: number, flags: string[] = []) =>
    shownFrom({
      r: `s${work_date}${minutes}`,
      c: 'labour.shift',
      values: { worker: 'me', work_date, minutes, approved_minutes: minutes, flags },
    });
  test("hours are the server's where it has answered", () => {
    const days = workDays(
      [shift('2026-11-22', 510, ['missing_out']), shift('2026-11-23', 240)],
      [card('a', 'in', at(23, 8))],
    );
    expect(days.get('2026-11-22')).toMatchObject({ minutes: 510, isOwn: false, pending: 0 });
    expect(totalsOf(days)).toEqual({ minutes: 750, approved_minutes: 750, days: 2, flagged: 1, pending: 0 });
  });
  test("and this phone's own where it has not", () => {
    const waiting = { pending: 'waiting' };
    const days = workDays(
      [],
      [
        card('a', 'in', at(23, 8), waiting),
        card('b', 'out', at(23, 12), waiting),
        card('c', 'in', at(23, 13), waiting),
      ],
    );
    expect(days.get('2026-11-23')).toMatchObject({ minutes: 240, isOwn: true, pending: 3 });
  });
  test('an out without an in, or twice an in, adds nothing by itself', () => {
    expect(
      reckon([
        card('a', 'out', at(23, 7)),
        card('b', 'in', at(23, 8)),
        card('c', 'in', at(23, 9)),
        card('d', 'out', at(23, 10)),
      ]),
    ).toBe(120);
  });
  test('工 in hundredths, half up, by the length of the day that the project has', () => {
    expect([manDays(480, 480), manDays(450, 480), manDays(500, 540), manDays(0, 480)]).toEqual([
      100, 94, 93, 0,
    ]);
  });
});
