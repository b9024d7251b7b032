/**
 * A template as the screens read it: sections in order with their items, each item with its words, limits,
 * deduction lines and conditions. Read once from a record's flat values (`items.<key>.text`). Pure.
 */
import type { Label } from '../../core/field.ts';
import { isMap } from '../../core/value.ts';
import type { Value } from '../../store/phone.ts';
import { keysOf, type Values } from '../../ui/generic/form.ts';

export type ItemKind = 'check' | 'score' | 'number' | 'choice' | 'text' | 'photo' | 'signature';
export const ITEM_KINDS: readonly ItemKind[] = [
  'check',
  'score',
  'number',
  'choice',
  'text',
  'photo',
  'signature',
];

/** Of what says none: 1.00. */
const WEIGHT = 100;

/** One line of what costs points: so many, between so many, or so many for each place or person. */
export interface Deduction {
  readonly words: Label;
  /** Tenths of a point. */
  readonly least: number;
  readonly most: number;
  readonly each: 'place' | 'person' | null;
}

export interface Choice {
  readonly key: string;
  readonly words: Label;
}

export interface Item {
  readonly key: string;
  readonly section: string;
  readonly kind: ItemKind;
  readonly words: Label;
  readonly clause: string;
  readonly help: Label;
  /** Keys of the template's pictures that show how it should look. */
  readonly pictures: readonly string[];
  /** Tenths. */
  readonly full: number;
  readonly guarantee: boolean;
  readonly veto: boolean;
  /** Hundredths; counts where the scheme is weighted. */
  readonly weight: number;
  readonly unit: string;
  /** Thousandths. */
  readonly low: number | null;
  readonly high: number | null;
  readonly choices: readonly Choice[];
  readonly photo: 'never' | 'on_fail' | 'always';
  readonly required: boolean;
  readonly when: { readonly item: string; readonly is: readonly string[] } | null;
  readonly deductions: readonly Deduction[];
  readonly doubt: string;
}

export interface Section {
  readonly key: string;
  readonly words: Label;
  /** What is summed up together: the section's own key, unless it says another. */
  readonly group: string;
  /** Hundredths, of the group. */
  readonly weight: number;
  readonly repeats: boolean;
  readonly items: readonly Item[];
}

export interface Template {
  readonly name: Label;
  readonly scheme: string;
  readonly version: number;
  readonly sections: readonly Section[];
}

export function readTemplate(values: Values): Template {
  const rows = rowsIn(values);
  const pictures = picturesIn(values);
  const scheme = text(values.scheme) || 'none';
  const items = [...(rows.get('items') ?? [])]
    .sort(byOrder)
    .map(([key, row]) => readItem(key, row, pictures, scheme));
  const heads = rows.get('sections') ?? new Map<string, Row>();
  const bySection = grouped(items, heads);
  const sections = [...heads].sort(byOrder).map(([key, row]) => readSection(key, row, bySection));
  if (bySection.has('')) sections.push(readSection('', {}, bySection));
  return {
    name: label(values.name, values.name_en),
    scheme,
    version: typeof values.version === 'number' ? values.version : 1,
    sections,
  };
}

type Row = Record<string, Value>;
type Keyed = readonly [string, Row];

/** `items.a1.text` → items → a1 → text, in one pass over all paths. */
function rowsIn(values: Values): Map<string, Map<string, Row>> {
  const found = new Map<string, Map<string, Row>>([
    ['items', new Map()],
    ['sections', new Map()],
  ]);
  for (const path in values) {
    const [root = '', key, sub] = path.split('.');
    const rows = found.get(root);
    if (!rows || key === undefined || sub === undefined) continue;
    const row = rows.get(key);
    if (row) row[sub] = values[path] ?? null;
    else rows.set(key, { [sub]: values[path] ?? null });
  }
  return found;
}

function readSection(key: string, row: Row, bySection: ReadonlyMap<string, readonly Item[]>): Section {
  return {
    key,
    words: label(row.title, row.title_en),
    group: text(row.group) || key,
    weight: number(row.weight, WEIGHT),
    repeats: row.repeat === true,
    items: bySection.get(key) ?? [],
  };
}

/** An item whose section is gone is not lost: it stands under '', at the end. */
function grouped(items: readonly Item[], heads: ReadonlyMap<string, Row>): Map<string, Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) {
    const section = heads.has(item.section) ? item.section : '';
    const known = found.get(section);
    if (known) known.push(item);
    else found.set(section, [item]);
  }
  return found;
}

function picturesIn(values: Values): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const key of keysOf(values, 'pictures')) {
    const photo = values[`pictures.${key}`] ?? null;
    const item = isMap(photo) ? text(photo.item) : '';
    if (item !== '') found.set(item, [...(found.get(item) ?? []), key]);
  }
  return found;
}

function byOrder(a: Keyed, b: Keyed): number {
  return number(a[1].order, 0) - number(b[1].order, 0) || (a[0] < b[0] ? -1 : 1);
}

function readItem(
  key: string,
  row: Row,
  pictures: ReadonlyMap<string, readonly string[]>,
  scheme: string,
): Item {
  const photo = text(row.photo);
  const after = text(row.when_item);
  const kind = text(row.kind) as ItemKind;
  return {
    key,
    section: text(row.section),
    kind: ITEM_KINDS.includes(kind) ? kind : 'check',
    words: label(row.text, row.text_en),
    clause: text(row.clause),
    help: label(row.help, row.help_en),
    pictures: pictures.get(key) ?? [],
    full: number(row.full, 0),
    guarantee: row.guarantee === true,
    veto: row.veto === true,
    weight: number(row.weight, WEIGHT),
    unit: text(row.unit),
    low: typeof row.low === 'number' ? row.low : null,
    high: typeof row.high === 'number' ? row.high : null,
    choices: readChoices(text(row.options)),
    photo: photo === 'always' || photo === 'on_fail' ? photo : 'never',
    // JGJ 59, 4.0.1: its guarantee items are always checked.
    required: row.required === true || (scheme === 'jgj59' && row.guarantee === true),
    when:
      after === ''
        ? null
        : {
            item: after,
            is: text(row.when_is)
              .split(/[,，\s]+/)
              .filter(Boolean),
          },
    deductions: readDeductions(text(row.deductions)),
    doubt: text(row.doubt),
  };
}

/** `dry=干燥|Dry;wet=潮湿|Wet` */
export function readChoices(written: string): readonly Choice[] {
  return written
    .split(/[;；\n]/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const [key = '', words = ''] = split2(part, '=');
      const [zh = '', en = ''] = split2(words === '' ? key : words, '|');
      return { key: key.trim(), words: label(zh.trim(), en.trim()) };
    });
}

export function writeChoices(choices: readonly Choice[]): string {
  return choices.map(({ key, words }) => `${key}=${words.zh ?? ''}|${words.en ?? ''}`).join(';');
}

const POINTS = /^(\d+(?:\.\d)?)(?:\s*[-–~]\s*(\d+(?:\.\d)?))?\s*(each|per person)?$/;

/** A line each: `2-10|未照方案施工|Scheme not followed`; points as N, N-M, `N each` or `N per person`. */
export function readDeductions(written: string): readonly Deduction[] {
  return written.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    const [points = '', zh = '', en = ''] = line.split('|').map((part) => part.trim());
    const found = POINTS.exec(points);
    const least = Math.round(Number(found?.[1] ?? 0) * 10);
    const most = found?.[2] === undefined ? least : Math.round(Number(found[2]) * 10);
    const each = found?.[3] === undefined ? null : found[3] === 'each' ? 'place' : 'person';
    return [{ words: label(found ? zh : points || zh, en), least, most, each }];
  });
}

function split2(of: string, mark: string): readonly [string, string] {
  const at = of.indexOf(mark);
  return at < 0 ? [of, ''] : [of.slice(0, at), of.slice(at + mark.length)];
}

function label(zh: Value | undefined, en: Value | undefined): Label {
  const [first, second] = [text(zh), text(en)];
  return { zh: first || second, en: second || first };
}

const text = (value: Value | undefined): string => (typeof value === 'string' ? value : '');
const number = (value: Value | undefined, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;
