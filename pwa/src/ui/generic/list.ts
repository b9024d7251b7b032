/**
 * A list of any kind: which columns, grouped by day (or another field), newest first, ready to be
 * drawn row by row. Pure.
 */
import type { Kind, View } from '../../core/declaration.ts';
import type { Shown, Value } from '../../store/phone.ts';
import {
  dayText,
  fieldAt,
  inLanguage,
  momentText,
  type Reader,
  type Standing,
  say,
  standingOf,
  valueText,
} from './words.ts';

export type As = 'list' | 'calendar' | 'table';

export function viewOf(kind: Kind, as: As): View | null {
  return kind.views.find((view) => view.as === as) ?? null;
}

/** The list's columns; a kind without a list shows its title and state. */
export function columnsOf(kind: Kind, as: As = 'list'): readonly string[] {
  const named = viewOf(kind, as)?.columns ?? viewOf(kind, 'list')?.columns ?? [];
  if (named.length > 0) return named;
  const first = kind.title.length > 0 ? kind.title : Object.keys(kind.fields).slice(0, 4);
  return Object.keys(kind.states).length > 0 ? [...first, 'state'] : first;
}

export type ListRow =
  | { readonly type: 'group'; readonly id: string; readonly label: string; readonly count: number }
  | { readonly type: 'entry'; readonly id: string; readonly shown: Shown };

/** Group headers with the entries below them, in the order that the entries came. */
export function rowsOf(kind: Kind, entries: readonly Shown[], reader: Reader): readonly ListRow[] {
  const by = viewOf(kind, 'list')?.group ?? kind.day;
  if (by === undefined) return entries.map((shown) => ({ type: 'entry', id: shown.r, shown }));
  const groups = new Map<string, Shown[]>();
  for (const shown of entries) {
    const key = groupKey(shown, by);
    const known = groups.get(key);
    if (known) known.push(shown);
    else groups.set(key, [shown]);
  }
  return [...groups].flatMap(([key, members]): readonly ListRow[] => [
    { type: 'group', id: `group:${key}`, label: groupLabel(kind, by, key, reader), count: members.length },
    ...members.map((shown): ListRow => ({ type: 'entry', id: shown.r, shown })),
  ]);
}

function groupKey(shown: Shown, by: string): string {
  if (by === 'state') return shown.state ?? '';
  if (by === 'by') return shown.record.by;
  return String(shown.values[by] ?? '');
}

function groupLabel(kind: Kind, by: string, key: string, reader: Reader): string {
  if (key === '') return reader.t('list.no_group');
  if (by === 'state') return say(kind.states[key]?.label, reader.lang, key);
  if (by === 'by') return reader.nameOf(key);
  const field = fieldAt(kind, by);
  if (!field) return key;
  return field.type === 'date' ? dayText(key, reader) : valueText(field, key, reader);
}

/** One entry's line: the first column large, the rest small; state, group and margin stand apart. */
export interface Line {
  readonly main: string;
  readonly more: string;
  readonly standing: Standing;
}

export function lineOf(kind: Kind, shown: Shown, reader: Reader, inMargin?: string): Line {
  const apart = new Set(['state', 'pending', viewOf(kind, 'list')?.group ?? kind.day, inMargin]);
  const named = columnsOf(kind).filter((path) => !apart.has(path));
  const words = named.map((path) => cellText(kind, shown, path, reader)).filter((text) => text !== '');
  const [main = say(kind.label, reader.lang, kind.c), ...more] = words;
  return { main, more: more.join(' · '), standing: standingOf(kind, shown, reader) };
}

/** A cell of a list or table as text. */
export function cellText(kind: Kind, shown: Shown, path: string, reader: Reader): string {
  if (path === 'state') return standingOf(kind, shown, reader).text;
  if (path === 'by') return reader.nameOf(shown.record.by);
  if (path === 'pending') return shown.pending;
  const field = kind.fields[path];
  if (!field) return '';
  if (field.type === 'rows' || field.type === 'photos' || field.type === 'files') {
    const keys = new Set(
      Object.keys(shown.values)
        .filter((one) => one.startsWith(`${path}.`))
        .map((one) => one.split('.')[1]),
    );
    return keys.size === 0 ? '' : reader.t('list.count', { n: keys.size });
  }
  const value = inLanguage(shown.values, path, reader.lang);
  if (field.type === 'instant' && typeof value === 'number' && kind.day !== undefined) {
    return momentText(value, shown.values[kind.day], reader);
  }
  return valueText(field, value, reader);
}

/** All that a search may find: what every column shows, in lower case. */
export function haystack(kind: Kind, shown: Shown, columns: readonly string[], reader: Reader): string {
  return columns
    .map((path) => cellText(kind, shown, path, reader))
    .join('\n')
    .toLowerCase();
}

/** For sorting: the stored value, not its words; absent ones last. */
export function sortValue(shown: Shown, path: string): Value {
  if (path === 'state') return shown.state;
  if (path === 'by') return shown.record.by;
  return shown.values[path] ?? null;
}
