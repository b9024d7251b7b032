/** A defect's photos in pairs, whom it waits for, and what its next step lacks. Pure. */
import { type KeyedPhoto, photosIn } from '../../core/photo.ts';
import type { Shown, Value } from '../../store/phone.ts';

type Values = Readonly<Record<string, Value>>;

export interface Pair {
  readonly before: KeyedPhoto;
  readonly after: readonly KeyedPhoto[];
}

/** Each photo of before with those taken after it from the same spot; and those that belong to none. */
export function pairsOf(values: Values): {
  readonly pairs: readonly Pair[];
  readonly others: readonly KeyedPhoto[];
} {
  const after = photosIn(values, 'after');
  const before = photosIn(values, 'photos');
  const keys = new Set(before.map(({ key }) => key));
  return {
    pairs: before.map((one) => ({ before: one, after: after.filter(({ photo }) => photo.pair === one.key) })),
    others: after.filter(({ photo }) => photo.pair === undefined || !keys.has(photo.pair)),
  };
}

/** The values with only these photos of `after`: what one strip of a pair shows. */
export function afterOnly(values: Values, photos: readonly KeyedPhoto[]): Values {
  const keys = new Set(photos.map(({ key }) => key));
  return Object.fromEntries(
    Object.entries(values).filter(
      ([path]) => !path.startsWith('after.') || keys.has(path.slice('after.'.length)),
    ),
  );
}

export function isLate(shown: Shown, today: string): boolean {
  const { due } = shown.values;
  return typeof due === 'string' && due < today && (shown.state === 'open' || shown.state === 'fixing');
}

interface Me {
  readonly person: string;
  readonly teams: readonly string[];
  readonly rechecks: boolean;
}

/** What waits for me: to fix, to recheck, or to hand out; the nearest day first. */
export function forMe(all: readonly Shown[], me: Me): readonly Shown[] {
  const day = (one: Shown): string => String(one.values.due ?? '9999');
  return all.filter((one) => isMine(one, me)).sort((a, b) => (day(a) < day(b) ? -1 : 1));
}

function isMine({ state, values, record }: Shown, { person, teams, rechecks }: Me): boolean {
  if (state === 'recheck') return rechecks;
  if (state === 'open') return record.by === person;
  return values.person === person || (typeof values.team === 'string' && teams.includes(values.team));
}
