/** Photos of before (`photos`) and after (`after`) in pairs, for whatever is put right with photos. Pure. */
import { type KeyedPhoto, photosIn } from '../../core/photo.ts';
import type { Value } from '../../store/phone.ts';

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
