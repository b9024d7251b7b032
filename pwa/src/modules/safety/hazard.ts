/** Which hazards wait for whom, which are late, and until when one is to be fixed. Pure. */
import { after, type Worktime } from '../../core/worktime.ts';
import type { Shown, Value } from '../../store/phone.ts';
import { instantOf, wall } from '../../ui/generic/zone.ts';

export const OPEN_STATES = ['reported', 'issued', 'fixing', 'recheck'] as const;
export const INSPECTORS = ['inspector', 'supervisor', 'manager'] as const;

/** Where a project's own level says nothing. */
const FIX_HOURS: Readonly<Record<string, number>> = { general: 24, major: 8 };

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

/** So many working hours later, on the site's working calendar. */
export function dueAfter(hours: number, from: number, zone: string, worktime: Worktime): number {
  return instantOf(zone, after(worktime, wall(zone, from), hours * 60)) ?? from;
}

/** The hours that a hazard may take: its project level's own, else by its legal level. */
export function fixHours(level: Value | undefined, grade: Shown | undefined): number {
  const own = grade?.values.fix_hours;
  return typeof own === 'number' ? own : (FIX_HOURS[String(level)] ?? FIX_HOURS.major ?? 0);
}
