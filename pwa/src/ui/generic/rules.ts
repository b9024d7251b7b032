/**
 * Conditions, checks and computed fields of a declaration over what a form or a record shows (V4).
 * Computed fields are seen too, in the order that they are declared.
 */
import type { Field, Kind, Logic } from '../../core/declaration.ts';
import { answer, dataOf, holds, type LogicData } from '../../core/logic.ts';
import type { Value } from '../../store/phone.ts';

export type { LogicData } from '../../core/logic.ts';
export type Values = Readonly<Record<string, Value>>;

export function logicData(kind: Kind, values: Values, state: string | null): LogicData {
  const kept: Record<string, Value> = {};
  for (const [path, value] of Object.entries(values)) if (value !== null) kept[path] = value;
  const data: Record<string, unknown> = { ...dataOf(kind, kept, state) };
  for (const [name, field] of Object.entries(kind.fields)) {
    if (field.computed !== undefined && field.computed !== null) data[name] = answer(field.computed, data);
  }
  return data;
}

export function applies(rule: Logic | undefined, data: LogicData): boolean {
  return holds(rule, data);
}

/** A computed field's value in stored units; null where there is nothing to show. */
export function computedValue(field: Field, data: LogicData): Value {
  const found = answer(field.computed ?? null, data);
  if (typeof found === 'number') {
    return Number.isFinite(found) ? Math.round(found * 10 ** field.decimals) : null;
  }
  return typeof found === 'string' || typeof found === 'boolean' ? found : null;
}
