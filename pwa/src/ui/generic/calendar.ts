/**
 * A month as whole weeks, Monday first, with what falls on each day. Pure; a day is `YYYY-MM-DD`.
 */
import { addDays, addMonths, weekday } from './zone.ts';

export interface CalendarDay<T> {
  readonly day: string;
  readonly inMonth: boolean;
  readonly isToday: boolean;
  readonly items: readonly T[];
}

export function daysOfMonth(month: string): readonly string[] {
  const days: string[] = [];
  for (let day = `${month}-01`; day.startsWith(month); day = addDays(day, 1)) days.push(day);
  return days;
}

export function weeksOf<T>(
  month: string,
  today: string,
  items: readonly T[],
  dayOf: (item: T) => string | null,
): readonly (readonly CalendarDay<T>[])[] {
  const byDay = groupByDay(items, dayOf);
  const first = addDays(`${month}-01`, -weekday(`${month}-01`));
  const next = `${addMonths(month, 1)}-01`;
  const weeks: CalendarDay<T>[][] = [];
  for (let monday = first; monday < next; monday = addDays(monday, 7)) {
    weeks.push(
      [0, 1, 2, 3, 4, 5, 6].map((n) => {
        const day = addDays(monday, n);
        return { day, inMonth: day.startsWith(month), isToday: day === today, items: byDay.get(day) ?? [] };
      }),
    );
  }
  return weeks;
}

export function groupByDay<T>(
  items: readonly T[],
  dayOf: (item: T) => string | null,
): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const day = dayOf(item);
    if (day === null) continue;
    const known = found.get(day);
    if (known) known.push(item);
    else found.set(day, [item]);
  }
  return found;
}

/** Arrow keys in the grid: the day to go to, or null for another key. */
export function stepDay(day: string, key: string): string | null {
  const by: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  const days = by[key];
  return days === undefined ? null : addDays(day, days);
}
