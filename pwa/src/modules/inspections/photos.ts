/** Which photos belong to which answer. A photo says so itself (`item`). Pure. */
import type { Value } from '../../store/phone.ts';
import type { Values } from '../../ui/generic/form.ts';

/** Answer's key → the keys of its photos, in the order that they were taken. */
export function photosByItem(values: Values): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, { key: string; at: number }[]>();
  for (const path in values) {
    if (!path.startsWith('photos.')) continue;
    const photo = values[path];
    if (photo === null || typeof photo !== 'object' || Array.isArray(photo)) continue;
    const { item, at } = photo as Readonly<Record<string, Value>>;
    const id = typeof item === 'string' ? item : '';
    const one = { key: path.slice('photos.'.length), at: typeof at === 'number' ? at : 0 };
    found.set(id, [...(found.get(id) ?? []), one]);
  }
  return new Map(
    [...found].map(([id, all]) => [id, all.sort((a, b) => a.at - b.at).map(({ key }) => key)] as const),
  );
}
