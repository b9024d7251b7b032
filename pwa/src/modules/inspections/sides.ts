/** The live values of a field that is in conflict, newest first, each once. Pure. */
import { equal } from '../../core/value.ts';
import type { MergeRecord, Value } from '../../store/phone.ts';

export interface Side {
  readonly value: Value;
  readonly device: string;
  readonly at: number;
}

export function sidesOf(record: MergeRecord, path: string): readonly Side[] {
  const sides: Side[] = [];
  for (const [, , device, , at, value] of (record.f[path] ?? []).toReversed()) {
    if (!sides.some((one) => equal(one.value, value))) sides.push({ value, device, at });
  }
  return sides;
}
