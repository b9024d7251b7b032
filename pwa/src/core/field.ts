// A field of a record as its declaration has it, and whether a value fits it.
//
// `checkField(field, value)` is null if it does, else one word that both languages share: type,
// required, max, min, pattern, option, date, place, path. Limits of numbers are in stored units
// (fen, minutes, scaled whole numbers); lengths of text are in code points (V1, V2).

import { fieldAt, type Kind, MARKS } from './declaration.ts';
import { at, isKey, isList, isMap, lengthOf, type Value, type ValueMap } from './value.ts';

export interface Label {
  readonly zh: string;
  readonly en: string;
}

export type FieldType =
  | 'text'
  | 'long_text'
  | 'number'
  | 'money'
  | 'bool'
  | 'choice'
  | 'multi_choice'
  | 'date'
  | 'instant'
  | 'minutes'
  | 'place'
  | 'ref'
  | 'person'
  | 'photos'
  | 'files'
  | 'signature'
  | 'rows'
  | 'pin';

export type Merge = 'keep' | 'last' | 'once' | 'set';
/** A JsonLogic rule. */
export type Logic = Value;
export type Reason =
  | 'type'
  | 'required'
  | 'max'
  | 'min'
  | 'pattern'
  | 'option'
  | 'date'
  | 'place'
  | 'path'
  | (string & {});

export interface Option extends Label {
  readonly tone?: string;
}

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly label: Label;
  readonly help?: Label;
  /** How writes of it merge (M3–M6), the default filled in. */
  readonly merge: Merge;
  /** The power of ten between the stored and the shown number (V4). */
  readonly decimals: number;
  readonly required?: boolean;
  readonly max?: number;
  readonly min?: number;
  readonly pattern?: string;
  readonly scale?: number;
  readonly unit?: Label;
  readonly options?: Readonly<Record<string, Option>>;
  readonly kind?: string;
  readonly fields?: Readonly<Record<string, Field>>;
  readonly when?: Logic;
  readonly default?: Value;
  readonly computed?: Logic;
  /** Filled in by the app and never asked for. */
  readonly automatic?: boolean;
  /** rows: which sub-fields are summed below the rows. */
  readonly totals?: readonly string[];
  /** ref: what to show of the other record. */
  readonly show?: readonly string[];
}

export const TEXT_MAX = { text: 500, long_text: 5000 } as const;
const PLACE_WORDS_MAX = 100;
const NOTE_MAX = 2000;
const STROKES_MAX = 500;
const STROKE_NUMBERS_MAX = 4000;
/** The end of year 9999, ms. */
export const INSTANT_MAX = 253_402_300_799_999;
/** Millionths of a page's or a photo's width and height. */
export const PART_MAX = 1_000_000;
export const SHAPES_MAX = 60;
export const SHAPE_WORDS_MAX = 100;
/** How many numbers a shape's points are, at least and at most. */
const SHAPE_NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  arrow: [4, 4],
  circle: [4, 4],
  rect: [4, 4],
  text: [2, 2],
  free: [4, 2000],
};
const SHAPE_COLOURS: readonly Value[] = ['red', 'yellow', 'blue', 'white', 'black'];
const SOURCES: readonly Value[] = ['camera', 'picked'];

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const SHA = /^[0-9a-f]{64}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

type Judge = (field: Field, value: Value) => Reason | null;

/** Why a value (null erases, and is refused only where required) does not fit, or null. */
export function checkField(field: Field, value: Value): Reason | null {
  if (value === null) return field.required ? 'required' : null;
  return JUDGES[field.type](field, value);
}

/** Why a value cannot be one element of a set (M5), or null. */
export function checkElement(field: Field, value: Value): Reason | null {
  if (field.type === 'multi_choice') return member(field, value);
  return field.type === 'text' ? text(field, value) : 'type';
}

/** Why a value cannot stand at `field.key` (photos, files) or `field.key.sub` (rows). */
export function checkKeyed(field: Field, segments: readonly string[], value: Value): Reason | null {
  if (!segments.every(isKey)) return 'path';
  if (field.type === 'rows') {
    const sub = segments.length === 3 ? field.fields && at(field.fields, segments[2] as string) : undefined;
    return sub ? checkField(sub, value) : 'path';
  }
  if (segments.length !== 2 || (field.type !== 'photos' && field.type !== 'files')) return 'path';
  if (value === null) return null;
  if (segments[0] === MARKS) return marks(value);
  const reason = field.type === 'photos' ? photo(value) : shape(value, FILE);
  return reason ?? sha(value as ValueMap, 'sha');
}

/** Why a value may not be written at a path, or null. */
export function reasonAt(kind: Kind, path: string, value: Value): Reason | null {
  const field = fieldAt(kind, path);
  if (!field) return 'path';
  return field.name === path ? checkField(field, value) : checkKeyed(field, path.split('.'), value);
}

const patterns = new Map<string, RegExp>();

function matches(pattern: string, value: string): boolean {
  let regex = patterns.get(pattern);
  if (!regex) {
    regex = new RegExp(`^(?:${pattern})$`, 'u');
    patterns.set(pattern, regex);
  }
  return regex.test(value);
}

function text(field: Field, value: Value): Reason | null {
  if (typeof value !== 'string') return 'type';
  const length = lengthOf(value);
  if (length > (field.max ?? (field.type === 'long_text' ? TEXT_MAX.long_text : TEXT_MAX.text))) return 'max';
  if (field.min !== undefined && length < field.min) return 'min';
  if (field.required && !value) return 'required';
  if (field.pattern !== undefined && !matches(field.pattern, value)) return 'pattern';
  return null;
}

function number(field: Field, value: Value): Reason | null {
  if (typeof value !== 'number') return 'type';
  if (value > (field.max ?? Number.MAX_SAFE_INTEGER)) return 'max';
  return value < (field.min ?? Number.MIN_SAFE_INTEGER) ? 'min' : null;
}

function bool(_field: Field, value: Value): Reason | null {
  return typeof value === 'boolean' ? null : 'type';
}

function choice(field: Field, value: Value): Reason | null {
  if (typeof value !== 'string') return 'type';
  return field.options && Object.hasOwn(field.options, value) ? null : 'option';
}

function multiChoice(field: Field, value: Value): Reason | null {
  if (!isList(value)) return 'type';
  if (value.some((item) => typeof item !== 'string') || new Set(value).size !== value.length) return 'type';
  return first(value, (item) => member(field, item));
}

/** One option, or where there are none an id. */
function member(field: Field, value: Value): Reason | null {
  return field.options ? choice(field, value) : id(field, value);
}

function date(_field: Field, value: Value): Reason | null {
  if (typeof value !== 'string') return 'type';
  return DATE.test(value) && isDay(value) ? null : 'date';
}

/** Python's calendar begins with year 1, JavaScript's Date turns 30 February into March. */
function isDay(text: string): boolean {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const length =
    month === 2 ? (leap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return day <= length;
}

function instant(field: Field, value: Value): Reason | null {
  if (typeof value !== 'number') return 'type';
  if (value > (field.max ?? INSTANT_MAX)) return 'max';
  return value < (field.min ?? 0) ? 'min' : null;
}

function id(_field: Field, value: Value): Reason | null {
  return typeof value === 'string' && ID.test(value) ? null : 'type';
}

/** Words or a code, or {lat, lng} in 1e-7 degrees with accuracy_m, fix_age_s, code. */
function place(_field: Field, value: Value): Reason | null {
  if (typeof value === 'string') return lengthOf(value) <= PLACE_WORDS_MAX ? null : 'max';
  const reason = shape(value, PLACE);
  if (reason) return reason;
  const { lat, lng } = value as { lat: number; lng: number };
  if (lat === 0 && lng === 0) return 'place'; // a missing fix is null, never 0,0
  return Math.abs(lat) <= 900_000_000 && Math.abs(lng) <= 1_800_000_000 ? null : 'max';
}

function photo(value: Value): Reason | null {
  const reason = shape(value, PHOTO);
  if (reason) return reason;
  const map = value as ValueMap;
  return (
    sha(map, 'original') ??
    sha(map, 'thumb') ??
    (map.place === undefined ? null : place({} as Field, map.place)) ??
    photoAbout(map)
  );
}

/** What a photo says of itself: the answer and the photo that it goes with, its size, where from. */
function photoAbout({ item, pair, bytes, source }: ValueMap): Reason | null {
  if ([item, pair].some((key) => key !== undefined && !isKey(key as string))) return 'type';
  if (bytes !== undefined && (bytes as number) < 0) return 'min';
  return source === undefined || SOURCES.includes(source) ? null : 'option';
}

/** What is drawn on one photo: {"shapes": […]}, at least one. */
function marks(value: Value): Reason | null {
  const reason = shape(value, DRAWN);
  if (reason) return reason;
  const shapes = (value as ValueMap).shapes as readonly Value[];
  if (shapes.length === 0) return 'required';
  return shapes.length > SHAPES_MAX ? 'max' : first(shapes, mark);
}

/** One shape: its points as x,y,x,y…; words go with text, and text has some. */
function mark(value: Value): Reason | null {
  const reason = shape(value, SHAPE);
  if (reason) return reason;
  const { t, c, p, s } = value as { t: string; c: string; p: readonly Value[]; s?: string };
  const numbers = at(SHAPE_NUMBERS, t);
  if (!numbers || !SHAPE_COLOURS.includes(c)) return 'option';
  if (p.some((n) => typeof n !== 'number') || p.length % 2 !== 0) return 'type';
  if (s !== undefined && t !== 'text') return 'type';
  if (t === 'text' && !s) return 'required';
  if (s !== undefined && lengthOf(s) > SHAPE_WORDS_MAX) return 'max';
  if (p.length < numbers[0]) return 'min';
  return p.length > numbers[1] ? 'max' : first(p, part);
}

function part(n: Value): Reason | null {
  if ((n as number) < 0) return 'min';
  return (n as number) > PART_MAX ? 'max' : null;
}

/** {plan, page, x, y}: a page of a drawing's record, and where on it in millionths. */
function pin(_field: Field, value: Value): Reason | null {
  const reason = shape(value, PIN);
  if (reason) return reason;
  const { plan, page, x, y } = value as { plan: string; page: number; x: number; y: number };
  if (!ID.test(plan)) return 'type';
  return page < 1 ? 'min' : (part(x) ?? part(y));
}

function sha(value: ValueMap, key: string): Reason | null {
  const found = at(value, key);
  return found === undefined || (typeof found === 'string' && SHA.test(found)) ? null : 'type';
}

function signature(_field: Field, value: Value): Reason | null {
  const reason = shape(value, SIGNATURE);
  if (reason) return reason;
  const strokes = (value as ValueMap).strokes as readonly Value[];
  if (strokes.length === 0) return 'required';
  return strokes.length > STROKES_MAX ? 'max' : first(strokes, stroke);
}

function stroke(value: Value): Reason | null {
  if (!isList(value) || value.length % 2 !== 0 || value.some((n) => typeof n !== 'number')) return 'type';
  return value.length > STROKE_NUMBERS_MAX ? 'max' : null;
}

/** photos, files and rows are written by key; the field itself takes no value. */
function whole(): Reason {
  return 'type';
}

type Sort = 'number' | 'string' | 'list' | 'any';
type Shape = Readonly<Record<string, readonly [Sort, boolean]>>;

const PLACE: Shape = {
  lat: ['number', true],
  lng: ['number', true],
  accuracy_m: ['number', false],
  fix_age_s: ['number', false],
  code: ['string', false],
};
const PHOTO: Shape = {
  sha: ['string', true],
  at: ['number', true],
  w: ['number', true],
  h: ['number', true],
  place: ['any', false],
  original: ['string', false],
  note: ['string', false],
  item: ['string', false],
  pair: ['string', false],
  source: ['string', false],
  thumb: ['string', false],
  bytes: ['number', false],
  skew_ms: ['number', false],
};
const FILE: Shape = {
  sha: ['string', true],
  name: ['string', true],
  bytes: ['number', true],
  type: ['string', true],
};
const PIN: Shape = {
  plan: ['string', true],
  page: ['number', true],
  x: ['number', true],
  y: ['number', true],
};
const DRAWN: Shape = { shapes: ['list', true] };
const SHAPE: Shape = { t: ['string', true], c: ['string', true], p: ['list', true], s: ['string', false] };
const SIGNATURE: Shape = {
  w: ['number', true],
  h: ['number', true],
  strokes: ['list', true],
  at: ['number', true],
  by: ['string', false],
};

function shape(value: Value, expected: Shape): Reason | null {
  if (!isMap(value)) return 'type';
  for (const [key, [sort, needed]] of Object.entries(expected)) {
    const found = at(value, key);
    if (found === undefined) {
      if (needed) return 'required';
    } else if (!isOf(sort, found)) return 'type';
    else if (sort === 'string' && lengthOf(found as string) > NOTE_MAX) return 'max';
  }
  return Object.keys(value).every((key) => Object.hasOwn(expected, key)) ? null : 'type';
}

function isOf(sort: Sort, value: Value): boolean {
  return sort === 'any' || (sort === 'list' ? isList(value) : typeof value === sort);
}

function first(values: readonly Value[], judge: (value: Value) => Reason | null): Reason | null {
  for (const value of values) {
    const reason = judge(value);
    if (reason) return reason;
  }
  return null;
}

const JUDGES: Readonly<Record<FieldType, Judge>> = {
  text,
  long_text: text,
  number,
  money: number,
  minutes: number,
  bool,
  choice,
  multi_choice: multiChoice,
  date,
  instant,
  place,
  ref: id,
  person: id,
  photos: whole,
  files: whole,
  rows: whole,
  signature,
  pin,
};
