/** The plans laid over a calendar: each day's duties, past ones with what came of them. Pure. */
import type { Shown } from '../../store/phone.ts';
import { duties, occurrences, type Status } from './plan.ts';

export interface Dated {
  readonly plan: Shown;
  readonly day: string;
  readonly status: Status | 'coming';
  readonly inspection: string | null;
}

/** Between two days, each included. */
export function datedDuties(
  plans: readonly Shown[],
  inspections: readonly Shown[],
  today: string,
  from: string,
  to: string,
): readonly Dated[] {
  return plans
    .flatMap((plan): readonly Dated[] => {
      const own = inspections.filter((one) => one.values.plan === plan.r);
      const past = duties(plan, own, today)
        .filter(({ due }) => due >= from && due <= to)
        .map(({ due, status, inspection }) => ({ plan, day: due, status, inspection }));
      const coming = occurrences(plan, from, to)
        .filter((day) => day > today)
        .map((day) => ({ plan, day, status: 'coming' as const, inspection: null }));
      return [...past, ...coming];
    })
    .sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
}
