// A new inspection: the record is there, durable, before its first item is shown.

import type { Op, Value } from '../../store/phone.ts';
import { dayOf } from '../../ui/generic/zone.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { INSPECTION } from './declared.generated.ts';
import { inUse } from './library.ts';

export interface Begin {
  readonly template: string;
  readonly place?: Value | undefined;
  /** Where on a drawing. */
  readonly pin?: Value | undefined;
  readonly plan?: string | undefined;
  /** The day that the plan asks for. */
  readonly due?: string | undefined;
  readonly people?: readonly string[] | undefined;
}

/** Answers the new record's id. A plan names the version of its day; what begins now is the one in use. */
export async function begin(site: Site, { template, place, pin, plan, due, people }: Begin): Promise<string> {
  const r = site.phone.newId();
  const set: Record<string, Value> = {
    template: await inUse(site, template),
    date: dayOf(site.zone, site.now()),
    lead: site.phone.person.id,
  };
  if (place !== undefined && place !== null && place !== '') set.place = place;
  if (pin !== undefined && pin !== null) set.pin = pin;
  if (plan !== undefined) set.plan = plan;
  if (due !== undefined) set.due = due;
  if (people && people.length > 0) set.people = [...people];
  const op: Op = { k: 'new', c: INSPECTION, r, set };
  await site.phone.write(site.project, [op]);
  return r;
}
