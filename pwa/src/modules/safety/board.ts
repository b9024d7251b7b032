/** What the board counts: open hazards by level, age, team and place, the last eight weeks, time to close. Pure. */
import type { Shown } from '../../store/phone.ts';
import { addDays, dayOf, weekday } from '../../ui/generic/zone.ts';
import { isLate } from './hazard.ts';

export const WEEKS = 8;
const DAY_MS = 86_400_000;

export interface Bar {
  readonly key: string;
  readonly n: number;
}
export interface Week {
  /** Its Monday. */
  readonly from: string;
  readonly found: number;
  readonly closed: number;
}
export interface Board {
  readonly open: number;
  readonly major: number;
  readonly late: number;
  readonly levels: readonly Bar[];
  readonly ages: readonly Bar[];
  readonly teams: readonly Bar[];
  readonly places: readonly Bar[];
  readonly weeks: readonly Week[];
  /** Hours from finding to closing, half of them took less; null when none was closed. */
  readonly hours: number | null;
}

export function boardOf(
  all: readonly Shown[],
  now: number,
  zone: string,
  placeOf: (one: Shown) => string,
): Board {
  const open = all.filter((one) => one.state !== 'closed');
  const took = all.filter((one) => one.state === 'closed').map((one) => closedAt(one) - bornAt(one));
  return {
    open: open.length,
    major: open.filter(({ values }) => values.level === 'major').length,
    late: open.filter((one) => isLate(one, now)).length,
    levels: count(open, ({ values }) => String(values.level ?? '')),
    ages: ageBars(open, now),
    teams: count(open, ({ values }) => String(values.team ?? '')),
    places: count(open, placeOf),
    weeks: weeksOf(all, now, zone),
    hours: took.length === 0 ? null : Math.round(median(took) / 3_600_000),
  };
}

const bornAt = ({ record }: Shown): number => record.born[4];
/** A closed hazard's last act is its closing. */
const closedAt = ({ record }: Shown): number => record.act?.[4] ?? record.born[4];

function count(all: readonly Shown[], keyOf: (one: Shown) => string): readonly Bar[] {
  const found = new Map<string, number>();
  for (const one of all) found.set(keyOf(one), (found.get(keyOf(one)) ?? 0) + 1);
  return [...found].map(([key, n]) => ({ key, n })).sort((a, b) => b.n - a.n || (a.key < b.key ? -1 : 1));
}

const AGES: readonly (readonly [string, number])[] = [
  ['1', 1],
  ['3', 3],
  ['7', 7],
  ['more', Infinity],
];
/** Up to one day, three, a week, more. */
function ageBars(open: readonly Shown[], now: number): readonly Bar[] {
  const days = open.map((one) => (now - bornAt(one)) / DAY_MS);
  let from = -Infinity;
  return AGES.map(([key, to]) => {
    const n = days.filter((age) => age > from && age <= to).length;
    from = to;
    return { key, n };
  });
}

function weeksOf(all: readonly Shown[], now: number, zone: string): readonly Week[] {
  const today = dayOf(zone, now);
  const monday = addDays(today, -weekday(today));
  return Array.from({ length: WEEKS }, (_, i) => {
    const from = addDays(monday, (i - WEEKS + 1) * 7);
    const to = addDays(from, 7);
    const isIn = (at: number): boolean => dayOf(zone, at) >= from && dayOf(zone, at) < to;
    return {
      from,
      found: all.filter((one) => isIn(bornAt(one))).length,
      closed: all.filter((one) => one.state === 'closed' && isIn(closedAt(one))).length,
    };
  });
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
