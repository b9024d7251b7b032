/**
 * A recurring plan: on which days it asks for an inspection, and what came of each. Pure; same as `plan.py`.
 *
 * Each occurrence stays open until the day before the next one; the last one as long as the plan, one that is
 * asked for once only on its day. A month that has no such day asks on its last one. After that it is missed.
 */
import type { Shown, Value } from '../../store/phone.ts';

export type Status = 'done' | 'open' | 'due' | 'missed';

export interface Duty {
  readonly due: string;
  /** Its last day. */
  readonly until: string;
  /** `open`: begun, not handed in. */
  readonly status: Status;
  readonly inspection: string | null;
}

type Plan = Pick<Shown, 'values'>;
type Inspection = Pick<Shown, 'r' | 'state' | 'values'>;

/** What was missed longer ago is not told any more. */
const TOLD_DAYS = 92;
/** Three years of days: more are not listed at once. */
const OCCURRENCES_MAX = 1100;
const DAY_MS = 86_400_000;
const UNFINISHED: ReadonlySet<unknown> = new Set(['open', 'returned']);

/** The days from..to, each included, on which the plan asks. */
export function occurrences({ values }: Plan, from: string, to: string): readonly string[] {
  const { first, every, until } = values;
  if (typeof first !== 'string') return [];
  const last = typeof until === 'string' && until < to ? until : to;
  const found: string[] = [];
  for (let n = before(first, every, from); found.length < OCCURRENCES_MAX; n++) {
    const day = nth(first, every, n);
    if (day === null || day > last) break;
    if (day >= from) found.push(day);
  }
  return found;
}

/** What the plan has asked for up to today, oldest first. */
export function duties(plan: Plan, inspections: readonly Inspection[], today: string): readonly Duty[] {
  const { first, every, until } = plan.values;
  if (typeof first !== 'string') return [];
  const made = byDue(inspections);
  const repeats = every === 'day' || every === 'week' || every === 'month';
  const days = occurrences(plan, repeats ? shifted(today, -TOLD_DAYS) : first, today);
  return days.map((due): Duty => {
    const last = lastDay(first, every, until, due);
    const one = made.get(due);
    const status = one ? (UNFINISHED.has(one.state) ? 'open' : 'done') : today <= last ? 'due' : 'missed';
    return { due, until: last, status, inspection: one?.r ?? null };
  });
}

/** Of two for one day, the one that was handed in. */
function byDue(inspections: readonly Inspection[]): ReadonlyMap<string, Inspection> {
  const made = new Map<string, Inspection>();
  for (const one of inspections) {
    const due = one.values.due;
    if (typeof due !== 'string') continue;
    const known = made.get(due);
    if (!known || (UNFINISHED.has(known.state) && !UNFINISHED.has(one.state))) made.set(due, one);
  }
  return made;
}

/** The last day of what was due on a day: the one before the next is. */
function lastDay(first: string, every: Value | undefined, until: Value | undefined, due: string): string {
  let n = before(first, every, due);
  let next = nth(first, every, n);
  while (next !== null && next <= due) next = nth(first, every, ++n);
  const plan = typeof until === 'string' ? until : null;
  if (next === null) return plan ?? due;
  const last = shifted(next, -1);
  return plan !== null && plan < last ? plan : last;
}

/** The n-th day from 0; null where there is none. */
function nth(first: string, every: Value | undefined, n: number): string | null {
  if (every === 'day') return shifted(first, n);
  if (every === 'week') return shifted(first, 7 * n);
  if (every === 'month') return monthsLater(first, n);
  return n === 0 ? first : null;
}

/** A number of an occurrence that is surely not after the first one from a day on. */
function before(first: string, every: Value | undefined, from: string): number {
  const days = (Date.parse(from) - Date.parse(first)) / DAY_MS;
  const step = every === 'day' ? 1 : every === 'week' ? 7 : every === 'month' ? 31 : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.floor(days / step));
}

function shifted(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** A month that has no such day gives its last one. */
function monthsLater(first: string, months: number): string {
  const [year = 0, month = 1, day = 1] = first.split('-').map(Number);
  const length = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, length))).toISOString().slice(0, 10);
}
