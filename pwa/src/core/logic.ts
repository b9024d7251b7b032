// JsonLogic: the conditions, checks and computed values of a declaration (V4).
// The library is json-logic-js here and panzi-json-logic on the server; declarations use only the
// operators that both answer alike.

import jsonLogic from 'json-logic-js';
import type { Kind } from './declaration.ts';
import { decimalsAt } from './declaration.ts';
import type { Logic } from './field.ts';
import { at, type Value } from './value.ts';

export type LogicData = Readonly<Record<string, unknown>>;

/** What a rule answers over nested data (see `dataOf`); what is no finite number is null. */
export function answer(rule: Logic, data: LogicData): unknown {
  const found: unknown = jsonLogic.apply(rule as Parameters<typeof jsonLogic.apply>[0], data);
  return typeof found === 'number' && !Number.isFinite(found) ? null : found;
}

/** Whether a condition holds; no condition always does. */
export function holds(rule: Logic | undefined, data: LogicData): boolean {
  return rule === undefined || rule === null || truthy(answer(rule, data));
}

/** JsonLogic's truth: an empty array is false. */
export function truthy(value: unknown): boolean {
  return jsonLogic.truthy(value);
}

/** V4: shown values by path → the nested object that a rule sees, numbers with their scale applied. */
export function dataOf(
  kind: Kind | undefined,
  values: Readonly<Record<string, Value>>,
  state: string | null,
): LogicData {
  const data = bare({ state });
  for (const [path, value] of Object.entries(values)) {
    // A rule names declared fields only; what a newer declaration added is none of its business.
    if (kind && !Object.hasOwn(kind.fields, path.split('.', 1)[0] as string)) continue;
    const places = kind ? decimalsAt(kind, path) : 0;
    put(data, path.split('.'), places && typeof value === 'number' ? value / 10 ** places : value);
  }
  return data;
}

/** No prototype, so that a rule asking for `constructor` finds nothing. */
function bare(values: Record<string, unknown>): Record<string, unknown> {
  return Object.assign(Object.create(null), values);
}

function put(data: Record<string, unknown>, segments: readonly string[], value: unknown): void {
  let inner = data;
  for (const segment of segments.slice(0, -1)) {
    if (!Object.hasOwn(inner, segment)) inner[segment] = bare({});
    inner = inner[segment] as Record<string, unknown>;
  }
  inner[segments.at(-1) as string] = value;
}

/** What a computed field answers; undefined where it cannot be computed. */
export function computed(
  kind: Kind,
  name: string,
  values: Readonly<Record<string, Value>>,
  state: string | null,
): unknown {
  const rule = at(kind.fields, name)?.computed;
  return rule === undefined ? undefined : answer(rule, dataOf(kind, values, state));
}
