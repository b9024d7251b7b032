/**
 * What one tap on the big button writes: direction guessed from the open shift, the work date of the
 * day the shift began, the phone's own clock as it stands and its error beside it. Pure.
 */
import type { Op, Shown, Value } from '../../store/phone.ts';
import type { Fix } from '../../ui/generic/place.ts';
import { dayOf } from '../../ui/generic/zone.ts';
import { CHECKIN, type Checkin } from './declared.generated.ts';
import type { Fence } from './fence.ts';
import { SHIFT_HOURS_MAX } from './shift.ts';

export { CHECKIN } from './declared.generated.ts';

/** A time that was set by hand further from now than this was entered later. */
export const BY_HAND_MINUTES = 5;

export type Direction = Checkin['direction'];
export type Method = NonNullable<Checkin['method']>;

export interface Entry {
  readonly r: string;
  readonly worker: string;
  readonly direction: Direction;
  readonly at: number;
  readonly work_date: string;
}

/** A shown record as an entry; null where a field that counts is missing. */
export function entryOf(shown: Shown): Entry | null {
  const { worker, direction, at, work_date } = shown.values;
  if (typeof worker !== 'string' || typeof at !== 'number') return null;
  if (direction !== 'in' && direction !== 'out') return null;
  return { r: shown.r, worker, direction, at, work_date: typeof work_date === 'string' ? work_date : '' };
}

/** The shift that a worker is in at that moment: his last `in` that no later `out` closed. */
export function openShift(entries: readonly Entry[], at: number): Entry | null {
  const last = entries
    .filter((entry) => entry.at <= at)
    .reduce<Entry | null>(
      (newest, entry) => (newest === null || entry.at >= newest.at ? entry : newest),
      null,
    );
  if (last === null || last.direction === 'out') return null;
  return at - last.at <= SHIFT_HOURS_MAX * 3_600_000 ? last : null;
}

export function guess(entries: readonly Entry[], at: number): Direction {
  return openShift(entries, at) === null ? 'in' : 'out';
}

/** A check-out belongs to the day its shift began, so a night shift is one day's work. */
export function workDate(direction: Direction, at: number, zone: string, entries: readonly Entry[]): string {
  const open = direction === 'out' ? openShift(entries, at - 1) : null;
  return open?.work_date || dayOf(zone, at);
}

export interface Tap {
  readonly r: string;
  readonly worker: string;
  readonly direction: Direction;
  readonly at: number;
  readonly zone: string;
  readonly offset_min: number;
  readonly team: string | null;
  readonly place: Value;
  readonly fence: Fence;
  readonly method: Method;
  readonly note?: string;
  /** Server clock minus this phone's, null until known. */
  readonly skew_ms: number | null;
  /** What is known of the worker's last days, to close the right shift. */
  readonly entries: readonly Entry[];
}

export function opOf(tap: Tap): Op & { readonly k: 'new' } {
  const set: Record<string, Value> = {
    worker: tap.worker,
    direction: tap.direction,
    at: tap.at,
    offset_min: tap.offset_min,
    work_date: workDate(tap.direction, tap.at, tap.zone, tap.entries),
    fence: tap.fence,
    method: tap.method,
  };
  if (tap.team !== null) set.team = tap.team;
  if (tap.place !== null) set.place = tap.place;
  const note = tap.note?.normalize('NFC').trim();
  if (note) set.note = note;
  if (tap.skew_ms !== null) set.device_skew_ms = tap.skew_ms === 0 ? 0 : -tap.skew_ms;
  return { k: 'new', c: CHECKIN, r: tap.r, set };
}

/** The fix as a value of the place field, with the code of a scanned poster beside it. */
export function placeValue(fix: Fix | null, code: string | null = null): Value {
  if (fix === null) return code;
  return code === null ? { ...fix } : { ...fix, code };
}

/** A fix that came after the tap: put beside the entry that is already saved. */
export function latePlace(r: string, fix: Fix, fence: Fence): readonly Op[] {
  return [
    { k: 'set', c: CHECKIN, r, f: 'place', v: placeValue(fix) },
    { k: 'set', c: CHECKIN, r, f: 'fence', v: fence },
  ];
}

export function reason(r: string, note: string): Op {
  return { k: 'set', c: CHECKIN, r, f: 'note', v: note.normalize('NFC').trim() };
}

export function methodFor(usual: Method, at: number, now: number): Method {
  return Math.abs(at - now) > BY_HAND_MINUTES * 60_000 ? 'manual' : usual;
}
