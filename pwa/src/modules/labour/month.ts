/**
 * A worker's month: hours of each day from the server's shifts, and from his own entries where the
 * server has not answered yet; totals in hours and 工. Pure; nothing is rounded before the end.
 */
import type { Shown } from '../../store/phone.ts';
import { type Entry, entryOf } from './checkin.ts';

export { SHIFT } from './declared.generated.ts';
/** Where the project has not said how long a man-day is. */
export const DAY_MINUTES = 480;

export interface WorkDay {
  readonly day: string;
  /** Reckoned by the server where it has answered, else by this phone. */
  readonly minutes: number;
  readonly approved_minutes: number;
  readonly flags: readonly string[];
  /** Own entries of that day which the server has not answered. */
  readonly pending: number;
  /** The phone's own reckoning, not yet the server's. */
  readonly isOwn: boolean;
  readonly shifts: readonly Shown[];
  readonly entries: readonly Shown[];
}

export interface Totals {
  readonly minutes: number;
  readonly approved_minutes: number;
  readonly days: number;
  readonly flagged: number;
  readonly pending: number;
}

export function workDays(shifts: readonly Shown[], checkins: readonly Shown[]): ReadonlyMap<string, WorkDay> {
  const days = new Set<string>();
  const shiftsOf = byDate(shifts, days);
  const entriesOf = byDate(checkins, days);
  const found = new Map<string, WorkDay>();
  for (const day of [...days].sort()) {
    found.set(day, workDay(day, shiftsOf.get(day) ?? [], entriesOf.get(day) ?? []));
  }
  return found;
}

function byDate(entries: readonly Shown[], days: Set<string>): Map<string, Shown[]> {
  const found = new Map<string, Shown[]>();
  for (const shown of entries) {
    const day = shown.values.work_date;
    if (typeof day !== 'string') continue;
    days.add(day);
    const known = found.get(day);
    if (known) known.push(shown);
    else found.set(day, [shown]);
  }
  return found;
}

function workDay(day: string, shifts: readonly Shown[], entries: readonly Shown[]): WorkDay {
  const pending = entries.filter((shown) => shown.pending === 'waiting').length;
  const isOwn = shifts.length === 0 || pending > 0;
  const flags = new Set(shifts.flatMap((shown) => flagsOf(shown)));
  return {
    day,
    minutes: isOwn ? Math.max(sum(shifts, 'minutes'), reckon(entries)) : sum(shifts, 'minutes'),
    approved_minutes: sum(shifts, 'approved_minutes'),
    flags: [...flags],
    pending,
    isOwn,
    shifts,
    entries,
  };
}

function flagsOf(shown: Shown): readonly string[] {
  const { flags } = shown.values;
  return Array.isArray(flags) ? flags.filter((one): one is string => typeof one === 'string') : [];
}

function sum(shifts: readonly Shown[], path: string): number {
  return shifts.reduce((all, shown) => {
    const value = shown.values[path];
    return typeof value === 'number' ? all + value : all;
  }, 0);
}

/** Minutes between each in and the next out of one day, as far as this phone knows them. */
export function reckon(entries: readonly Shown[]): number {
  const inOrder = entries
    .map(entryOf)
    .filter((one): one is Entry => one !== null)
    .sort((a, b) => a.at - b.at);
  let since: number | null = null;
  let minutes = 0;
  for (const { direction, at } of inOrder) {
    if (direction === 'in') since ??= at;
    else if (since !== null) {
      minutes += Math.floor((at - since) / 60_000);
      since = null;
    }
  }
  return minutes;
}

export function totalsOf(days: ReadonlyMap<string, WorkDay>): Totals {
  const all = [...days.values()];
  const add = (of: (day: WorkDay) => number): number => all.reduce((total, day) => total + of(day), 0);
  return {
    minutes: add((day) => day.minutes),
    approved_minutes: add((day) => day.approved_minutes),
    days: all.filter((day) => day.minutes > 0).length,
    flagged: all.filter((day) => day.flags.some((flag) => LOUD.has(flag))).length,
    pending: add((day) => day.pending),
  };
}

/** Flags that somebody has to look at; the others only say how the entry came about. */
export const LOUD: ReadonlySet<string> = new Set([
  'missing_out',
  'missing_in',
  'double_in',
  'double_out',
  'conflict',
  'wrong_date',
  'outside',
]);

/** Minutes as 工 in hundredths, half up. */
export function manDays(minutes: number, day_minutes: number): number {
  return Math.floor((minutes * 100 + day_minutes / 2) / day_minutes);
}
