/**
 * The office table of any kind: filters, order, cursor, selection and what each key does. Pure, so
 * that a thousand keystrokes can be tested without a screen.
 */
import type { Field, Kind } from '../../core/declaration.ts';
import type { Shown, Value } from '../../store/phone.ts';
import { haystack, sortValue } from '../generic/list.ts';
import type { Reader } from '../generic/words.ts';

export interface Filter {
  readonly from: string;
  readonly to: string;
  readonly team: string;
  readonly person: string;
  readonly state: string;
  readonly text: string;
}

export const NO_FILTER: Filter = { from: '', to: '', team: '', person: '', state: '', text: '' };

/** The narrowest that a column of this width becomes, in rem. */
export const leastRem = (width: string): number => Number(/([\d.]+)rem/.exec(width)?.[1] ?? 0);

/** Beside a kind's own states: everything that is not closed yet, and what is overdue. */
export const NOT_CLOSED = 'not_closed';
export const OVERDUE = 'overdue';

/** The state filter's choices that this kind has beside its states. */
export function widerStates(kind: Kind): readonly string[] {
  const states = Object.values(kind.states);
  const closes = states.some(({ seals }) => seals) && states.some(({ seals }) => !seals);
  const isDue = Object.values(kind.alerts ?? {}).some(({ on }) => on === OVERDUE);
  return [...(closes ? [NOT_CLOSED] : []), ...(isDue ? [OVERDUE] : [])];
}

/** The twin of `stands` in `server/web/export.py`. */
function stands(kind: Kind, { state, values }: Shown, wanted: string, now: number): boolean {
  if (wanted in kind.states) return state === wanted;
  const known = state === null ? undefined : kind.states[state];
  if (wanted === NOT_CLOSED) return known !== undefined && !known.seals;
  const dues = Object.values(kind.alerts ?? {})
    .filter(({ on, ends }) => on === OVERDUE && !ends?.includes(state ?? ''))
    .map(({ due }) => values[due ?? '']);
  return wanted === OVERDUE && dues.some((due) => typeof due === 'number' && due < now);
}

export interface Sort {
  readonly path: string;
  readonly down: boolean;
}

/** The field that names the team, and the person, of a record of this kind: the first declared ones. */
export function teamField(kind: Kind): string | null {
  const found = Object.entries(kind.fields).find(
    ([, field]) => field.type === 'ref' && field.kind === 'core.team',
  );
  return found?.[0] ?? null;
}

export function personField(kind: Kind): string | null {
  return Object.entries(kind.fields).find(([, field]) => field.type === 'person')?.[0] ?? null;
}

const WIDTHS: Readonly<Partial<Record<Field['type'], string>>> = {
  date: 'minmax(7rem, 0.8fr)',
  instant: 'minmax(5.5rem, 0.6fr)',
  text: 'minmax(6rem, 1.6fr)',
  long_text: 'minmax(6rem, 2fr)',
  multi_choice: 'minmax(6rem, 1.6fr)',
  choice: 'minmax(4.5rem, 1.1fr)',
  number: 'minmax(4rem, 0.7fr)',
  minutes: 'minmax(4rem, 0.6fr)',
  place: 'minmax(6rem, 1.4fr)',
};

/** A column as wide as its type needs; words get what is left. */
export function widthOf(field: Field | undefined, path: string): string {
  if (path === 'state') return 'minmax(8rem, 1fr)';
  return (field && WIDTHS[field.type]) ?? 'minmax(4.5rem, 1fr)';
}

/** Keeps what every chosen filter keeps; the words searched are those that the columns show. */
export function filtered(
  kind: Kind,
  entries: readonly Shown[],
  filter: Filter,
  columns: readonly string[],
  reader: Reader,
  now: number,
): readonly Shown[] {
  const team = teamField(kind);
  const person = personField(kind);
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((shown) => {
    const day = kind.day === undefined ? '' : String(shown.values[kind.day] ?? '');
    if (filter.from !== '' && kind.day !== undefined && day < filter.from) return false;
    if (filter.to !== '' && kind.day !== undefined && day > filter.to) return false;
    if (filter.team !== '' && team !== null && shown.values[team] !== filter.team) return false;
    if (filter.person !== '' && person !== null && shown.values[person] !== filter.person) return false;
    if (filter.state !== '' && !stands(kind, shown, filter.state, now)) return false;
    if (words.length === 0) return true;
    const hay = haystack(kind, shown, columns, reader);
    return words.every((word) => hay.includes(word));
  });
}

/** Stable; absent values come last whichever way it goes. Names are sorted as they are read. */
export function sorted(
  kind: Kind,
  entries: readonly Shown[],
  sort: Sort | null,
  reader: Reader,
): readonly Shown[] {
  if (sort === null) return entries;
  const collator = new Intl.Collator(reader.lang === 'zh' ? 'zh-CN' : 'en', { numeric: true });
  const named = isNamed(kind, sort.path);
  const keyed = entries.map((shown) => {
    const value = sortValue(shown, sort.path);
    return { shown, value: named && typeof value === 'string' ? reader.nameOf(value) : value };
  });
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return a.value === b.value ? 0 : a.value === null ? 1 : -1;
    const order = compare(a.value, b.value, collator);
    return sort.down ? -order : order;
  });
  return keyed.map((one) => one.shown);
}

function isNamed(kind: Kind, path: string): boolean {
  const type = kind.fields[path]?.type;
  return path === 'by' || type === 'person' || type === 'ref';
}

function compare(a: Value, b: Value, collator: Intl.Collator): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return collator.compare(String(a), String(b));
}

export interface Cursor {
  /** Row under the cursor; −1 in an empty table. */
  readonly row: number;
  readonly chosen: ReadonlySet<string>;
}

export type Wish = 'approve' | 'return' | 'search' | 'help' | 'open' | 'close';

/** What a key does: moves the cursor, changes the selection, or is a wish for the screen to fulfil. */
export function press(
  cursor: Cursor,
  ids: readonly string[],
  key: string,
  shift = false,
): { readonly cursor: Cursor; readonly wish: Wish | null } | null {
  const to = (row: number): { cursor: Cursor; wish: null } => ({
    cursor: { ...cursor, row: ids.length === 0 ? -1 : Math.max(0, Math.min(ids.length - 1, row)) },
    wish: null,
  });
  const wish = (name: Wish): { cursor: Cursor; wish: Wish } => ({ cursor, wish: name });
  switch (key) {
    case 'j':
    case 'ArrowDown':
      return shift ? extend(cursor, ids, 1) : to(cursor.row + 1);
    case 'k':
    case 'ArrowUp':
      return shift ? extend(cursor, ids, -1) : to(cursor.row - 1);
    case 'J':
      return extend(cursor, ids, 1);
    case 'K':
      return extend(cursor, ids, -1);
    case 'Home':
      return to(0);
    case 'End':
      return to(ids.length - 1);
    case 'PageDown':
      return to(cursor.row + 15);
    case 'PageUp':
      return to(cursor.row - 15);
    case 'x':
    case ' ':
      return { cursor: toggle(cursor, ids[cursor.row]), wish: null };
    case 'X':
      return { cursor: toggleAll(cursor, ids), wish: null };
    case 'a':
      return wish('approve');
    case 'r':
      return wish('return');
    case '/':
      return wish('search');
    case '?':
      return wish('help');
    case 'Enter':
    case 'o':
      return wish('open');
    case 'Escape':
      return { cursor: { ...cursor, chosen: new Set() }, wish: 'close' };
    default:
      return null;
  }
}

function extend(cursor: Cursor, ids: readonly string[], by: number): { cursor: Cursor; wish: null } {
  const row = Math.max(0, Math.min(ids.length - 1, cursor.row + by));
  const chosen = new Set(cursor.chosen);
  for (const id of [ids[cursor.row], ids[row]]) if (id !== undefined) chosen.add(id);
  return { cursor: { row: ids.length === 0 ? -1 : row, chosen }, wish: null };
}

export function toggle(cursor: Cursor, id: string | undefined): Cursor {
  if (id === undefined) return cursor;
  const chosen = new Set(cursor.chosen);
  if (!chosen.delete(id)) chosen.add(id);
  return { ...cursor, chosen };
}

/** All of what is shown, or none if all are chosen already. */
export function toggleAll(cursor: Cursor, ids: readonly string[]): Cursor {
  const all = ids.length > 0 && ids.every((id) => cursor.chosen.has(id));
  return { ...cursor, chosen: new Set(all ? [] : ids) };
}

/** After the rows changed: the cursor stays on its record, the selection loses what is gone. */
export function follow(cursor: Cursor, before: readonly string[], ids: readonly string[]): Cursor {
  const known = new Set(ids);
  const chosen = new Set([...cursor.chosen].filter((id) => known.has(id)));
  const id = before[cursor.row];
  const at = id === undefined ? -1 : ids.indexOf(id);
  const row = at >= 0 ? at : Math.min(Math.max(cursor.row, 0), ids.length - 1);
  return { row, chosen };
}

/** What an action is about: the selection, else the row under the cursor. */
export function targets(cursor: Cursor, ids: readonly string[]): readonly string[] {
  if (cursor.chosen.size > 0) return ids.filter((id) => cursor.chosen.has(id));
  const id = ids[cursor.row];
  return id === undefined ? [] : [id];
}

/** What an address asks for: the same names as in a table's export. */
export function filterOf(query: URLSearchParams, otherwise: Filter): Filter {
  const asked = Object.keys(NO_FILTER).filter((name) => query.has(name));
  if (asked.length === 0) return otherwise;
  return { ...NO_FILTER, ...Object.fromEntries(asked.map((name) => [name, query.get(name) ?? ''])) };
}

/** The address of a table's export, or of its page to print, with what is filtered. */
export function exportPath(
  c: string,
  as: 'xlsx' | 'csv' | 'print',
  project: string,
  filter: Filter,
  lang: string,
): string {
  const query = new URLSearchParams({ project });
  for (const [name, wanted] of Object.entries(filter))
    if (wanted.trim() !== '') query.set(name, wanted.trim());
  query.set('lang', lang);
  const kind = encodeURIComponent(c);
  return as === 'print' ? `/print/table/${kind}?${query}` : `/api/export/${kind}.${as}?${query}`;
}
