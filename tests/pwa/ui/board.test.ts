import { expect, test } from 'vitest';
import { type By, boardOf, cutOf, type Eye, inCut } from '../../../pwa/src/modules/safety/board.ts';
import type { Shown } from '../../../pwa/src/store/phone.ts';
import { shownFrom } from './fake.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-23T12:00:00Z'); // a Monday, eight in the evening on the site
const eye: Eye = { now: NOW, zone: 'Asia/Shanghai', placeOf: ({ values }) => String(values.place ?? '') };

interface Told {
  readonly level?: string;
  readonly team?: string;
  readonly place?: string;
  readonly due?: number;
  readonly hoursAgo: number;
  readonly closedHoursAgo?: number;
  readonly page?: number;
}
const hazard = (r: string, state: string, { hoursAgo, closedHoursAgo, page, ...values }: Told) => {
  const made = shownFrom({
    r,
    c: 'safety.hazard',
    state,
    values: { ...values, ...(page !== undefined && { pin: { plan: 'plan1', page, x: 1, y: 1 } }) },
  });
  const born = made.record.born.with(4, NOW - hoursAgo * HOUR);
  const act = closedHoursAgo === undefined ? null : [1, 0, 'd', 1, NOW - closedHoursAgo * HOUR, 'close', 'p'];
  return { ...made, record: { ...made.record, born, act } } as unknown as Shown;
};
const all = [
  hazard('fresh', 'reported', { hoursAgo: 2, level: 'general', place: '3 层', page: 2 }),
  hazard('late', 'issued', {
    hoursAgo: 50,
    level: 'major',
    team: 't1',
    place: '3 层',
    due: NOW - 1,
    page: 2,
  }),
  hazard('old', 'fixing', { hoursAgo: 400, level: 'general', team: 't1', due: NOW + 1 }),
  hazard('quick', 'closed', { hoursAgo: 60, closedHoursAgo: 50, level: 'general', team: 't1' }),
  hazard('slow', 'closed', { hoursAgo: 330, closedHoursAgo: 300, level: 'major', place: '3 层' }),
];
const board = boardOf(all, eye);
const cut = (by: By, key = ''): string[] => inCut(all, { by, key }, eye).map(({ r }) => r);

test('each number of the board is as many hazards as its list holds', () => {
  expect(board.open).toBe(cut('open').length);
  expect(board.late).toBe(cut('late').length);
  expect(board.major).toBe(cut('level', 'major').length);
  const bars = { level: board.levels, age: board.ages, team: board.teams, place: board.places };
  for (const [by, found] of Object.entries(bars)) {
    expect(found.length).toBeGreaterThan(1);
    for (const { key, n } of found) expect(cut(by as By, key), `${by} ${key}`).toHaveLength(n);
    expect(found.reduce((sum, { n }) => sum + n, 0)).toBe(board.open);
  }
});

test('open, late, old and closed are told apart', () => {
  expect(cut('open')).toEqual(['fresh', 'late', 'old']);
  expect(cut('late')).toEqual(['late']);
  expect(cut('closed')).toEqual(['quick', 'slow']);
  expect(board.ages.map(({ n }) => n)).toEqual([1, 1, 0, 1]);
  expect(board.hours).toBe(20);
  expect(board.plans).toEqual([{ r: 'plan1', page: 2, n: 2 }]);
});

test('a week begins on Monday on the site, and its list holds what was found or closed in it', () => {
  const [last] = board.weeks.slice(-1);
  expect(last).toEqual({ from: '2026-11-23', found: 1, closed: 0 });
  expect(board.weeks).toHaveLength(8);
  expect(cut('week', '2026-11-16')).toEqual(['late', 'quick']);
  expect(cut('week', '2026-11-09')).toEqual(['slow']);
});

test('an address names a cut that there is, or none', () => {
  expect(cutOf(new URLSearchParams('by=team&key=t1'))).toEqual({ by: 'team', key: 't1' });
  expect(cutOf(new URLSearchParams('by=late'))).toEqual({ by: 'late', key: '' });
  expect(cutOf(new URLSearchParams('by=anything'))).toBeNull();
});
