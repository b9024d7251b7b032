/** A refused batch back in the form: its ops laid over what the record shows, ready to be put right. */
import type { Op } from '../../core/batch.ts';
import type { Kind } from '../../core/declaration.ts';
import { type Form, keysOf, openEdit } from './form.ts';
import type { Values } from './rules.ts';

/** The one record that the ops write, or null where they write several or do something else. */
export function repairable(ops: readonly Op[]): { readonly c: string; readonly r: string } | null {
  const [first] = ops;
  if (!first) return null;
  const fits = ops.every((op) => op.r === first.r && ['new', 'set', 'add', 'rem'].includes(op.k));
  return fits ? { c: first.c, r: first.r } : null;
}

export function formOf(kind: Kind, r: string, base: number, ops: readonly Op[], shown: Values): Form {
  const isNew = ops.some((op) => op.k === 'new');
  const opened = openEdit(kind, r, base, isNew ? {} : shown);
  const values = ops.reduce(applied, opened.values);
  const rows = Object.fromEntries(Object.keys(opened.rows).map((name) => [name, keysOf(values, name)]));
  return {
    ...opened,
    isNew,
    values,
    rows,
    touched: ops.map((op) => ('f' in op ? op.f : '')).filter(Boolean),
  };
}

function applied(values: Values, op: Op): Values {
  if (op.k === 'new') return { ...values, ...op.set };
  if (op.k === 'set') return { ...values, [op.f]: op.v };
  if (op.k !== 'add' && op.k !== 'rem') return values;
  const had = values[op.f];
  const others = (Array.isArray(had) ? had : []).filter((one) => one !== op.v);
  return { ...values, [op.f]: op.k === 'add' ? [...others, op.v] : others };
}
