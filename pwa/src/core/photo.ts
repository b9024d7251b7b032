// A photo as a record holds it: its value at `photos.<key>`, what is drawn on it at `marks.<key>` (P10).
// Reading is forgiving: a value of a newer declaration keeps what this phone understands.

import { isMap, type Value, type ValueMap } from './value.ts';

export interface PhotoPlace {
  /** Integer 1e-7 degrees. */
  readonly lat: number;
  readonly lng: number;
  readonly accuracy_m?: number;
  /** How old the fix was when the photo was taken. */
  readonly fix_age_s?: number;
}

export interface PhotoValue {
  /** SHA-256 of the bytes that are kept and sent. */
  readonly sha: string;
  /** When it was taken by this phone's clock (a picked one: as its file says), ms UTC. */
  readonly at: number;
  readonly w: number;
  readonly h: number;
  readonly bytes?: number;
  /** Of the small picture that is sent ahead. */
  readonly thumb?: string;
  /** SHA-256 of the file that the camera made, where it is not what is kept. */
  readonly original?: string;
  readonly place?: PhotoPlace;
  /** Server clock minus the phone's, as then known, ms. */
  readonly skew_ms?: number;
  readonly source?: 'camera' | 'picked';
  /** The answer or row that it belongs to. */
  readonly item?: string;
  /** Key of the earlier photo of which this is the after-picture. */
  readonly pair?: string;
  readonly note?: string;
}

export type MarkColour = 'red' | 'yellow' | 'blue' | 'white' | 'black';

/** Coordinates in millionths of the photo's width and height. */
export interface Shape {
  readonly t: 'arrow' | 'circle' | 'rect' | 'free' | 'text';
  readonly c: MarkColour;
  readonly p: readonly number[];
  readonly s?: string;
}

export interface Marks {
  readonly shapes: readonly Shape[];
}

export interface KeyedPhoto {
  /** The photos field that it stands in. */
  readonly path: string;
  readonly key: string;
  readonly photo: PhotoValue;
  readonly marks: Marks | null;
}

export const MARK_COLOURS: readonly MarkColour[] = ['red', 'yellow', 'blue', 'white', 'black'];
const SHAPES: readonly Shape['t'][] = ['arrow', 'circle', 'rect', 'free', 'text'];
const SHA = /^[0-9a-f]{64}$/;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const KEY_LENGTH = 10;

export function isSha(value: Value | undefined): value is string {
  return typeof value === 'string' && SHA.test(value);
}

export function readPhoto(value: Value | undefined): PhotoValue | null {
  if (value === undefined || !isMap(value) || !isSha(value.sha)) return null;
  const { at, w, h } = value;
  return [at, w, h].every((one) => typeof one === 'number') ? (value as unknown as PhotoValue) : null;
}

export function readMarks(value: Value | undefined): Marks | null {
  if (value === undefined || !isMap(value) || !Array.isArray(value.shapes)) return null;
  const shapes = value.shapes.filter((one): one is Value & ValueMap => isMap(one)).filter(isShape);
  return shapes.length > 0 ? { shapes: shapes as unknown as readonly Shape[] } : null;
}

function isShape({ t, c, p }: ValueMap): boolean {
  return (
    SHAPES.some((one) => one === t) &&
    MARK_COLOURS.some((one) => one === c) &&
    Array.isArray(p) &&
    p.every((one) => typeof one === 'number')
  );
}

/** The photos of one field, oldest first; `item` narrows to those of one answer. */
export function photosIn(
  values: Readonly<Record<string, Value>>,
  path: string,
  item?: string,
): readonly KeyedPhoto[] {
  const found: KeyedPhoto[] = [];
  for (const [at, value] of Object.entries(values)) {
    const key = at.startsWith(`${path}.`) ? at.slice(path.length + 1) : '';
    const photo = key === '' ? null : readPhoto(value);
    if (photo === null || (item !== undefined && photo.item !== item)) continue;
    found.push({ path, key, photo, marks: readMarks(values[`marks.${key}`]) });
  }
  return found.sort((a, b) => a.photo.at - b.photo.at || (a.key < b.key ? -1 : 1));
}

/** Every photo of a record, in whatever field it stands. */
export function allPhotos(values: Readonly<Record<string, Value>>): readonly KeyedPhoto[] {
  const paths = new Set(
    Object.keys(values).flatMap((at) => (readPhoto(values[at]) ? [at.slice(0, at.lastIndexOf('.'))] : [])),
  );
  return [...paths].flatMap((path) => photosIn(values, path));
}

/** A key that no other photo of any record has: two phones never make the same. */
export function newPhotoKey(random: (bytes: Uint8Array<ArrayBuffer>) => void): string {
  const bytes = new Uint8Array(KEY_LENGTH);
  random(bytes);
  return Array.from(bytes, (byte, i) => LETTERS[byte % (i === 0 ? 26 : LETTERS.length)]).join('');
}
