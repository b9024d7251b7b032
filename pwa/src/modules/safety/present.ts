/**
 * Who is at a place, as far as check-ins say: in and not out again. Many a check-in says only that
 * somebody is on the site, not where: in danger they are called too, and counted apart. Pure.
 */
import { isMap } from '../../core/value.ts';
import type { Shown, Value } from '../../store/phone.ts';

export interface Present {
  readonly here: readonly string[];
  readonly somewhere: readonly string[];
}

export interface Where {
  readonly name: string;
  readonly code: string | null;
}

export function presentAt(checkins: readonly Pick<Shown, 'values'>[], where: Where): Present {
  const last = new Map<string, Shown['values']>();
  for (const { values } of checkins) {
    const worker = String(values.worker);
    if (at(values) > at(last.get(worker))) last.set(worker, values);
  }
  const inside = [...last].filter(([, { direction }]) => direction === 'in');
  const of = (wanted: boolean | null): string[] =>
    inside.filter(([, { place }]) => isThere(place, where) === wanted).map(([worker]) => worker);
  return { here: of(true), somewhere: of(null) };
}

const at = (values: Shown['values'] | undefined): number => (typeof values?.at === 'number' ? values.at : -1);

/** Null where the position names no place. */
function isThere(place: Value | undefined, { name, code }: Where): boolean | null {
  const said = isMap(place) ? place.code : place;
  return typeof said === 'string' && said !== '' ? said === code || said === name : null;
}
