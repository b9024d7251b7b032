/**
 * What the board counts: open hazards by level, age, team and place, the last eight weeks, time to close. Pure.
 * Each number is that of a cut, and the cut's list holds exactly what was counted.
 */
import type { Shown } from '../../store/phone.ts';
import { addDays, dayOf, weekday } from '../../ui/generic/zone.ts';
import { isLate } from './hazard.ts';

export const WEEKS = 8;
const DAY_MS = 86_400_000;

export const BYS = ['open', 'late', 'level', 'age', 'team', 'place', 'week', 'closed'] as const;
export type By = (typeof BYS)[number];
/** Some of the hazards: `by` what, and which of that. */
export interface Cut {
  readonly by: By;
  readonly key: string;
}
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
export interface Plan {
  readonly r: string;
  readonly page: number;
  readonly n: number;
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
  /** Pages of drawings that open hazards are pinned on. */
  readonly plans: readonly Plan[];
  /** Hours from finding to closing, half of them took less; null when none was closed. */
  readonly hours: number | null;
}
/** How a hazard is looked at. */
export interface Eye {
  readonly now: number;
  readonly zone: string;
  readonly placeOf: (one: Shown) => string;
}

export function boardOf(all: readonly Shown[], eye: Eye): Board {
  const open = all.filter(isOpen);
  const took = all.filter((one) => !isOpen(one)).map((one) => closedAt(one) - bornAt(one));
  const ages = count(open, (one) => ageOf(one, eye.now));
  return {
    open: open.length,
    major: open.filter((one) => levelOf(one) === 'major').length,
    late: open.filter((one) => isLate(one, eye.now)).length,
    levels: count(open, levelOf),
    ages: AGES.map(([key]) => ages.find((one) => one.key === key) ?? { key, n: 0 }),
    teams: count(open, teamOf),
    places: count(open, eye.placeOf),
    weeks: weeksOf(all, eye),
    plans: plansOf(open),
    hours: took.length === 0 ? null : Math.round(median(took) / 3_600_000),
  };
}

/** What a number of the board counted. */
export function inCut(all: readonly Shown[], { by, key }: Cut, eye: Eye): readonly Shown[] {
  const tests: Readonly<Record<By, (one: Shown) => boolean>> = {
    open: isOpen,
    late: (one) => isOpen(one) && isLate(one, eye.now),
    level: (one) => isOpen(one) && levelOf(one) === key,
    age: (one) => isOpen(one) && ageOf(one, eye.now) === key,
    team: (one) => isOpen(one) && teamOf(one) === key,
    place: (one) => isOpen(one) && eye.placeOf(one) === key,
    week: (one) =>
      mondayOf(bornAt(one), eye.zone) === key || (!isOpen(one) && mondayOf(closedAt(one), eye.zone) === key),
    closed: (one) => !isOpen(one),
  };
  return all.filter(tests[by]);
}

export function cutOf(query: URLSearchParams): Cut | null {
  const by = BYS.find((one) => one === query.get('by'));
  return by ? { by, key: query.get('key') ?? '' } : null;
}

const isOpen = ({ state }: Shown): boolean => state !== 'closed';
const levelOf = ({ values }: Shown): string => String(values.level ?? '');
const teamOf = ({ values }: Shown): string => String(values.team ?? '');
const bornAt = ({ record }: Shown): number => record.born[4];
/** A closed hazard's last act is its closing. */
const closedAt = ({ record }: Shown): number => record.act?.[4] ?? record.born[4];

function count(all: readonly Shown[], keyOf: (one: Shown) => string): readonly Bar[] {
  const found = new Map<string, number>();
  for (const one of all) found.set(keyOf(one), (found.get(keyOf(one)) ?? 0) + 1);
  return [...found].map(([key, n]) => ({ key, n })).sort((a, b) => b.n - a.n || (a.key < b.key ? -1 : 1));
}

/** Up to one day, three, a week, more. */
const AGES: readonly (readonly [string, number])[] = [
  ['1', 1],
  ['3', 3],
  ['7', 7],
  ['more', Infinity],
];
function ageOf(one: Shown, now: number): string {
  const days = (now - bornAt(one)) / DAY_MS;
  return AGES.find(([, to]) => days <= to)?.[0] ?? 'more';
}

function mondayOf(at: number, zone: string): string {
  const day = dayOf(zone, at);
  return addDays(day, -weekday(day));
}

function weeksOf(all: readonly Shown[], { now, zone }: Eye): readonly Week[] {
  const found = count(all, (one) => mondayOf(bornAt(one), zone));
  const closed = count(
    all.filter((one) => !isOpen(one)),
    (one) => mondayOf(closedAt(one), zone),
  );
  const of = (bars: readonly Bar[], from: string): number => bars.find(({ key }) => key === from)?.n ?? 0;
  return Array.from({ length: WEEKS }, (_, i) => {
    const from = addDays(mondayOf(now, zone), (i - WEEKS + 1) * 7);
    return { from, found: of(found, from), closed: of(closed, from) };
  });
}

function plansOf(open: readonly Shown[]): readonly Plan[] {
  const pinned = open.flatMap(({ values }) => {
    const { plan, page } = (values.pin ?? {}) as { plan?: string; page?: number };
    return plan === undefined ? [] : [{ plan, page: page ?? 1 }];
  });
  const pages = new Map(pinned.map((one) => [`${one.plan} ${one.page}`, one]));
  return [...pages.values()].map(({ plan, page }) => ({
    r: plan,
    page,
    n: pinned.filter((one) => one.plan === plan && one.page === page).length,
  }));
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
