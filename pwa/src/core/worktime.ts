// Working time: on which days a site works, from when to when, and until when something is to be done in it.
// Wall times of the site (`YYYY-MM-DDTHH:MM`); which zone they are of, the caller knows. The twin of
// `server/core/worktime.py`; `shared/vectors/worktime.json` holds what both must answer.

import type { Value } from './value.ts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** So far a day is looked for; a site that never works has none. */
const DAYS_MAX = 800;
const DAY_MS = 86_400_000;

type Span = readonly [number, number]; // minutes of the day
type Values = Readonly<Record<string, Value>>;

/** `own`: days that are worked or not whatever weekday they are, holidays and those worked instead. */
export interface Worktime {
  readonly weekdays: ReadonlySet<string>;
  readonly spans: readonly Span[];
  readonly own: ReadonlyMap<string, boolean>;
}

export const USUAL: Worktime = {
  weekdays: new Set(WEEKDAYS.slice(0, 6)),
  spans: [
    [8 * 60, 12 * 60],
    [13 * 60, 17 * 60],
  ],
  own: new Map(),
};

/** From the shown values of the site's week (none: the usual one) and of its days off the rule. */
export function worktimeOf(week: Values, days: Iterable<Values>): Worktime {
  const weekdays = new Set(WEEKDAYS.filter((name) => week[name] === true));
  const own = new Map<string, boolean>();
  for (const { day, works } of days) {
    if (typeof day === 'string' && works !== undefined) own.set(day, works === true);
  }
  return {
    weekdays: weekdays.size > 0 ? weekdays : USUAL.weekdays,
    spans: spansOf(week) ?? USUAL.spans,
    own,
  };
}

function spansOf({ starts, ends, rest_from: rest, rest_to: again }: Values): readonly Span[] | null {
  if (typeof starts !== 'number' || typeof ends !== 'number' || starts >= ends) return null;
  if (
    typeof rest === 'number' &&
    typeof again === 'number' &&
    starts < rest &&
    rest < again &&
    again < ends
  ) {
    return [
      [starts, rest],
      [again, ends],
    ];
  }
  return [[starts, ends]];
}

export function isWorked(worktime: Worktime, day: string): boolean {
  const weekday = WEEKDAYS[(new Date(day).getUTCDay() + 6) % 7] as string;
  return worktime.own.get(day) ?? worktime.weekdays.has(weekday);
}

/** The day itself or the next one that is worked: what ends on a holiday ends on the working day after. */
export function workedOn(worktime: Worktime, day: string): string {
  let found = day;
  for (let looked = 0; looked < DAYS_MAX; looked += 1) {
    if (isWorked(worktime, found)) return found;
    found = next(found);
  }
  return day;
}

/** So many working minutes later; the clock stands still while nobody works. */
export function after(worktime: Worktime, wall: string, minutes: number): string {
  let day = wall.slice(0, 10);
  let now = Number(wall.slice(11, 13)) * 60 + Number(wall.slice(14, 16));
  let left = minutes;
  for (let looked = 0; looked < DAYS_MAX; looked += 1) {
    for (const [start, end] of isWorked(worktime, day) ? worktime.spans : []) {
      const begin = Math.max(now, start);
      if (begin + left <= end)
        return `${day}T${two(Math.floor((begin + left) / 60))}:${two((begin + left) % 60)}`;
      left -= Math.max(0, end - begin);
    }
    day = next(day);
    now = 0;
  }
  return wall;
}

const two = (n: number): string => String(n).padStart(2, '0');
const next = (day: string): string => new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
