// What a form asks for, and what an act cannot do without (A1): fields that must have a value first.

import type { Act, Kind } from './declaration.ts';
import { dataOf, holds } from './logic.ts';
import { at, isList, type Value } from './value.ts';

type Values = Readonly<Record<string, Value>>;

/** A field is asked for, and required, only while its `when` holds. */
export function isAsked(kind: Kind, name: string, values: Values, state: string | null): boolean {
  return holds(at(kind.fields, name)?.when, dataOf(kind, values, state));
}

/**
 * The fields that an act needs and that have no value; one that is not asked for is not needed.
 * Of photos, files and rows one is enough; an empty text or set is nothing.
 */
export function missing(act: Act, values: Values, kind: Kind, state: string | null): readonly string[] {
  if (!act.needs) return [];
  const given = new Set<string>();
  for (const [path, value] of Object.entries(values)) {
    const isNothing = value === null || value === '' || (isList(value) && value.length === 0);
    if (!isNothing) given.add(path.split('.', 1)[0] as string);
  }
  return act.needs.filter((name) => !given.has(name) && isAsked(kind, name, values, state));
}
