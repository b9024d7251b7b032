// What the same template said of the same place last time, as proposals that a person confirms one by one.

import type { Shown, Value } from '../../store/phone.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { type Answer, answersOf } from './answer.ts';
import { INSPECTION } from './declared.generated.ts';

/** The words for a place, however it was given: what two inspections of one place have in common. */
export function placeName(value: Value | undefined): string {
  if (typeof value === 'string') return value.trim();
  if (value === null || value === undefined || typeof value !== 'object' || Array.isArray(value)) return '';
  const { code } = value as Readonly<Record<string, Value>>;
  return typeof code === 'string' ? code : '';
}

/** The newest other inspection of this template's lineage at this place. */
export async function lastOne(site: Site, of: Shown, family: readonly string[]): Promise<Shown | undefined> {
  const place = placeName(of.values.place);
  const date = String(of.values.date ?? '');
  const [last] = await site.phone.list(site.project, INSPECTION, {
    ...(date === '' ? {} : { to: date }),
    where: (one) =>
      one.r !== of.r &&
      one.record.born[4] <= of.record.born[4] &&
      family.includes(String(one.values.template ?? '')) &&
      placeName(one.values.place) === place,
    limit: 1,
  });
  return last;
}

export const answersIn = (shown: Shown): ReadonlyMap<string, Answer> => answersOf(shown.values);
