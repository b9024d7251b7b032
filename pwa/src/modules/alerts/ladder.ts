/** A ladder's rungs out of its rows, as steps in the order of time. Pure. */
import { isMap, type Value } from '../../core/value.ts';

export interface Rung {
  readonly key: string;
  readonly after_min: number;
  readonly channel: string;
  readonly who: string;
}

type Values = Readonly<Record<string, Value>>;

/** `rungs.<key>.<sub>` by path → the rungs; half ones (something is missing) are left out. */
export function rungsOf(values: Values): readonly Rung[] {
  const rows = new Map<string, Record<string, Value>>();
  for (const [path, value] of Object.entries(values)) {
    const [field, key, sub] = path.split('.');
    if (field !== 'rungs' || key === undefined) continue;
    const row = rows.get(key) ?? {};
    if (sub !== undefined) row[sub] = value;
    else if (value !== null && isMap(value)) Object.assign(row, value);
    rows.set(key, row);
  }
  return [...rows]
    .flatMap(([key, { after_min, channel, who }]) =>
      typeof channel === 'string' && typeof who === 'string'
        ? [{ key, after_min: typeof after_min === 'number' ? after_min : 0, channel, who }]
        : [],
    )
    .sort((a, b) => a.after_min - b.after_min || (a.key < b.key ? -1 : 1));
}

/** `22:00` of a minute of the day, and back; null for what is none. */
export const clockOf = (minute: Value | undefined): string =>
  typeof minute === 'number'
    ? `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
    : '';
export function minuteOf(clock: string): number | null {
  const found = /^(\d\d):(\d\d)$/.exec(clock);
  return found ? Number(found[1]) * 60 + Number(found[2]) : null;
}
