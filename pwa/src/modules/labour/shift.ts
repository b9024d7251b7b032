/**
 * A shift that has begun and has no check-out yet: for so many hours that is a worker at work, not a
 * check-out that is missing. Pure.
 */
import type { Shown } from '../../store/phone.ts';

/** An `in` without an `out` is an open shift for this long; then it is a forgotten check-out. */
export const SHIFT_HOURS_MAX = 16;

export function isAtWork(shift: Shown, now: number): boolean {
  const { start, end } = shift.values;
  return typeof start === 'number' && end === undefined && now - start < SHIFT_HOURS_MAX * 3_600_000;
}

/** The same shift without the flag that time has not proved yet. */
export function atWork(shift: Shown, now: number): Shown {
  const { flags } = shift.values;
  if (!Array.isArray(flags) || !flags.includes('missing_out') || !isAtWork(shift, now)) return shift;
  return { ...shift, values: { ...shift.values, flags: flags.filter((one) => one !== 'missing_out') } };
}
