/**
 * The gallery as data: photos of many records, in groups (by day, place, person, record), and those in rows
 * of so many. Pure.
 */
import type { KeyedPhoto } from '../../core/photo.ts';

export type Grouping = 'day' | 'place' | 'person' | 'record';
export const GROUPINGS: readonly Grouping[] = ['day', 'place', 'person', 'record'];

/** One photo and what it can be grouped by, in words; `at` is when it was taken. */
export interface Item extends KeyedPhoto {
  readonly r: string;
  readonly at: number;
  readonly day: string;
  readonly place: string;
  readonly person: string;
  readonly record: string;
}

export type Row =
  | { readonly type: 'group'; readonly id: string; readonly label: string; readonly count: number }
  | { readonly type: 'photos'; readonly id: string; readonly items: readonly Item[] };

/** Newest first; a group stands where its newest photo does. */
export function inOrder(items: readonly Item[], by: Grouping): readonly Item[] {
  const sorted = [...items].sort((a, b) => b.at - a.at || (a.key < b.key ? 1 : -1));
  const groups = new Map<string, Item[]>();
  for (const item of sorted) {
    const id = groupOf(item, by);
    groups.set(id, [...(groups.get(id) ?? []), item]);
  }
  return [...groups.values()].flat();
}

export function rowsOf(ordered: readonly Item[], by: Grouping, across: number): readonly Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < ordered.length; ) {
    const id = groupOf(ordered[i] as Item, by);
    let end = i;
    while (end < ordered.length && groupOf(ordered[end] as Item, by) === id) end++;
    rows.push({ type: 'group', id: `${by} ${id}`, label: (ordered[i] as Item)[by], count: end - i });
    for (let at = i; at < end; at += across) {
      const items = ordered.slice(at, Math.min(end, at + across));
      rows.push({ type: 'photos', id: items.map(idOf).join(), items });
    }
    i = end;
  }
  return rows;
}

/** Keys are a record's own: another's may be the same. */
export const idOf = ({ r, path, key }: Item): string => `${r}/${path}.${key}`;

/** Two records may have the same title. */
const groupOf = (item: Item, by: Grouping): string => (by === 'record' ? item.r : item[by]);
