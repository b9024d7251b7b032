// What the plans ask of me now: due today or missed, and nobody has begun it.

import type { Value } from '../../store/phone.ts';
import { dayOf } from '../../ui/generic/zone.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { INSPECTION, PLAN } from './declared.generated.ts';
import { duties } from './plan.ts';

export interface Due {
  readonly plan: string;
  readonly name: string;
  readonly template: string;
  readonly place: Value;
  readonly people: readonly string[];
  readonly due: string;
  readonly isLate: boolean;
}

export async function dueNow(site: Site): Promise<readonly Due[]> {
  const today = dayOf(site.zone, site.now());
  const me = site.phone.person.id;
  const [plans, done] = await Promise.all([
    site.phone.list(site.project, PLAN),
    site.phone.list(site.project, INSPECTION, { where: (one) => typeof one.values.plan === 'string' }),
  ]);
  return plans.flatMap((plan): readonly Due[] => {
    const people = Array.isArray(plan.values.people) ? plan.values.people.map(String) : [];
    if (people.length > 0 && !people.includes(me)) return [];
    const own = done.filter((one) => one.values.plan === plan.r);
    const asked = duties(plan, own, today).filter(({ status }) => status === 'due' || status === 'missed');
    // Of several that were missed in a row only the newest is worth a person's morning.
    const newest = asked.at(-1);
    if (!newest) return [];
    return [
      {
        plan: plan.r,
        name: String(plan.values.name ?? ''),
        template: String(plan.values.template ?? ''),
        place: plan.values.place ?? null,
        people,
        due: newest.due,
        isLate: newest.status === 'missed',
      },
    ];
  });
}
