/** Who is in an inspection: who wrote in it within the last minutes, newest first. Pure. */
import type { MergeRecord } from '../../store/phone.ts';

export interface Busy {
  readonly person: string;
  /** ms */
  readonly at: number;
}

export const RECENTLY_MS = 30 * 60_000;

export function busyIn(
  record: MergeRecord,
  now: number,
  personOf: (device: string) => string | undefined,
): readonly Busy[] {
  const last = new Map<string, number>();
  const saw = (person: string | undefined, at: number): void => {
    if (person !== undefined && at > now - RECENTLY_MS) last.set(person, Math.max(at, last.get(person) ?? 0));
  };
  saw(record.by, record.born[4]);
  for (const path in record.f) {
    for (const [, , device, , at] of record.f[path] ?? []) saw(personOf(device), at);
  }
  return [...last].map(([person, at]) => ({ person, at })).sort((a, b) => b.at - a.at);
}
