/** Which hazards wait for whom, which are late, and until when one is to be fixed. Pure. */
import type { Shown, Value } from '../../store/phone.ts';
import { addDays, dayOf, instantOf, timeOf, weekday } from '../../ui/generic/zone.ts';

export const OPEN_STATES = ['reported', 'issued', 'fixing', 'recheck'] as const;
export const INSPECTORS = ['inspector', 'supervisor', 'manager'] as const;

const HOURS_A_DAY = 8;
/** Where a project's own level says nothing. */
const FIX_HOURS: Readonly<Record<string, number>> = { general: 24, major: 8 };
const SUNDAY = 6;
const DAYS_MAX = 400;

export function isLate({ values, state }: Shown, now: number): boolean {
  return typeof values.due === 'number' && values.due < now && (state === 'issued' || state === 'fixing');
}

interface Me {
  readonly person: string;
  readonly teams: readonly string[];
  readonly inspects: boolean;
}

/** What waits for me: major ones first, then the nearest time. */
export function forMe(all: readonly Shown[], me: Me): readonly Shown[] {
  const due = (one: Shown): number => (typeof one.values.due === 'number' ? one.values.due : Infinity);
  const rank = (one: Shown): number => (one.values.level === 'major' ? 0 : 1);
  return all
    .filter((one) => waitsFor(one, me))
    .sort((a, b) => rank(a) - rank(b) || (due(a) < due(b) ? -1 : 1));
}

function waitsFor({ state, values }: Shown, { person, teams, inspects }: Me): boolean {
  if (state === 'reported' || state === 'recheck') return inspects;
  return values.person === person || (typeof values.team === 'string' && teams.includes(values.team));
}

/** day → does the site work on it, where the project says otherwise than the week does. */
export type WorkDays = ReadonlyMap<string, boolean>;

export function workDays(holidays: readonly Pick<Shown, 'values'>[]): WorkDays {
  return new Map(holidays.map(({ values }) => [String(values.day), values.works === true]));
}

/** A site works from Monday to Saturday, unless the calendar says otherwise. */
export function isWorkDay(day: string, own: WorkDays): boolean {
  return own.get(day) ?? weekday(day) !== SUNDAY;
}

/** So many working hours later: eight are a working day, the clock keeps its time. */
export function dueAfter(hours: number, from: number, zone: string, own: WorkDays): number {
  let day = dayOf(zone, from);
  let left = Math.floor(hours / HOURS_A_DAY);
  const at = instantOf(zone, `${day}T${timeOf(zone, from + (hours % HOURS_A_DAY) * 3_600_000)}`) ?? from;
  if (dayOf(zone, from + (hours % HOURS_A_DAY) * 3_600_000) !== day) left += 1;
  for (let tries = 0; tries < DAYS_MAX && (left > 0 || !isWorkDay(day, own)); tries += 1) {
    day = addDays(day, 1);
    if (isWorkDay(day, own)) left -= 1;
  }
  return instantOf(zone, `${day}T${timeOf(zone, at)}`) ?? from;
}

/** The hours that a hazard may take: its project level's own, else by its legal level. */
export function fixHours(level: Value | undefined, grade: Shown | undefined): number {
  const own = grade?.values.fix_hours;
  return typeof own === 'number' ? own : (FIX_HOURS[String(level)] ?? HOURS_A_DAY);
}
