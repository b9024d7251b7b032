// A value: what may stand on the wire and in a record (V1–V3).
// Null, boolean, text, whole number or an array/object of those; never a float. Two values are the
// same exactly when their canonical texts are, so `true` is not `1`.

export type Value = null | boolean | number | string | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [key: string]: Value;
}

export const DEPTH_MAX = 8;
/** Code points. */
export const TEXT_LENGTH_MAX = 20_000;

const KEY = /^[a-z][a-z0-9_]{0,39}$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const ASCII = /^[\0-\x7f]*$/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export type BadValueReason = 'malformed' | 'number' | 'text' | 'key' | 'depth' | 'long';

export class BadValue extends Error {
  readonly reason: BadValueReason;

  constructor(reason: BadValueReason) {
    super(reason);
    this.name = 'BadValue';
    this.reason = reason;
  }
}

export function isKey(key: string): boolean {
  return KEY.test(key);
}

/** V3: JSON without spaces, keys in byte order. As text; the canonical bytes are its UTF-8. */
export function canonical(value: Value): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const parts: string[] = [];
  // Keys are ASCII (V2), so the order of UTF-16 units is the order of bytes.
  for (const key of Object.keys(value).sort()) {
    parts.push(`${JSON.stringify(key)}:${canonical(value[key] as Value)}`);
  }
  return `{${parts.join(',')}}`;
}

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  return canonical(a) === canonical(b);
}

/** Order of the UTF-8 bytes of two texts; UTF-16 order differs above U+FFFF. */
export function compareBytes(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

/** JSON text → value. `1.0` and `1e3` are refused: a whole number is written as one. */
export function parse(text: string): Value {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    throw new BadValue('malformed');
  }
  check(value);
  return value;
}

/** JSON.parse that keeps `1.0` and `1e3` from becoming whole numbers: both come out as a half. */
export function parseJson(text: string): unknown {
  if (!/\d[.eE]/.test(text)) return JSON.parse(text);
  return JSON.parse(
    text.replace(TOKEN, (token) => (token[0] !== '"' && /[.eE]/.test(token) ? '0.5' : token)),
  );
}

/** Throws BadValue if V1 or V2 forbids the (already parsed) value. */
export function check(value: unknown, depth = 0): asserts value is Value {
  if (typeof value === 'string') checkText(value);
  else if (typeof value === 'number') checkNumber(value);
  else if (value !== null && typeof value === 'object') checkInside(value, depth);
  else if (value !== null && typeof value !== 'boolean') throw new BadValue('malformed');
}

function checkNumber(value: number): void {
  if (!Number.isSafeInteger(value)) throw new BadValue('number');
}

function checkInside(value: object, depth: number): void {
  if (depth >= DEPTH_MAX) throw new BadValue('depth');
  if (Array.isArray(value)) {
    for (const item of value) check(item, depth + 1);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (!isKey(key)) throw new BadValue('key');
    check(item, depth + 1);
  }
}

/** Length in code points. */
export function lengthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** What stands under a key; `constructor` is a word like any other (V2). */
export function at<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Whether any text or key inside is not well-formed Unicode. */
export function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return LONE_SURROGATE.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, item]) => LONE_SURROGATE.test(key) || hasLoneSurrogate(item));
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: unknown): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkText(text: string): void {
  if (text.length > TEXT_LENGTH_MAX && lengthOf(text) > TEXT_LENGTH_MAX) throw new BadValue('long');
  if (text.includes('\0')) throw new BadValue('text'); // PostgreSQL and spreadsheets cannot hold it
  if (ASCII.test(text)) return;
  if (LONE_SURROGATE.test(text) || text.normalize('NFC') !== text) throw new BadValue('text');
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
