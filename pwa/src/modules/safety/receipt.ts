/** Who has answered a broadcast and how: a roll call. Pure. */
import type { Shown, Value } from '../../store/phone.ts';

export interface Receipts {
  readonly all: number;
  readonly answered: number;
  readonly help: readonly string[];
  readonly safe: readonly string[];
  readonly seen: readonly string[];
  readonly silent: readonly string[];
}

/** A person stands in one list only: a call for help before all, then "safe", then "seen". */
export function receiptsOf(alerts: readonly Pick<Shown, 'values'>[]): Receipts {
  const of = (path: string): Set<string> => new Set(alerts.flatMap(({ values }) => people(values[path])));
  const to = of('to');
  const help = of('help');
  const safe = without(of('safe'), help);
  const seen = without(of('seen'), help, safe);
  const answered = new Set([...help, ...safe, ...seen]);
  return {
    all: new Set([...to, ...answered]).size,
    answered: answered.size,
    help: [...help],
    safe: [...safe],
    seen: [...seen],
    silent: [...without(to, answered)],
  };
}

const people = (value: Value | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
const without = (all: ReadonlySet<string>, ...others: readonly ReadonlySet<string>[]): Set<string> =>
  new Set([...all].filter((one) => !others.some((other) => other.has(one))));
