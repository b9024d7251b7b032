// A batch: ops that succeed or fail together, as a device signed them (P2, P5).
// `read` takes the exact payload text. What cannot even be answered by number is Malformed; what has
// a number but is wrong inside is Refused, which uses the number up (P3).

import { PAYLOAD_BYTES_MAX, Refused } from './refused.ts';
import {
  BadValue,
  check,
  hasLoneSurrogate,
  isKey,
  isMap,
  lengthOf,
  parseJson,
  type Value,
  type ValueMap,
} from './value.ts';

export { PAYLOAD_BYTES_MAX, Refused, type RefusedCode } from './refused.ts';

export const OPS_MAX = 500;
export const PATH_SEGMENTS_MAX = 3;
/** Live writes and held ops of a record: 500 rows of 20 fields. */
export const RECORD_PARTS_MAX = 10_000;
export const NOTE_LENGTH_MAX = 2000;
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const INSTANT_MAX = 253_402_300_799_999;

type Named<K extends string> = { readonly k: K; readonly c: string; readonly r: string };
type Created<K extends string> = Named<K> & { readonly set: Readonly<Record<string, Value>> };
type Written<K extends string> = Named<K> & { readonly f: string; readonly v: Value };
/** [seq, i] of a held op */
export type Of = readonly [number, number];

export type NewOp = Created<'new'>;
/** Only the server writes it: replaces the record whole. */
export type PutOp = Created<'put'>;
export type SetOp = Written<'set'>;
export type AddOp = Written<'add'>;
export type RemOp = Written<'rem'>;
export type ActOp = Named<'act'> & { readonly act: string; readonly ver?: string; readonly note?: string };
export type AmendOp = Named<'amend'> & { readonly of: Of; readonly ver: string };
export type DeclineOp = Named<'decline'> & { readonly of: Of; readonly note?: string };
export type DelOp = Named<'del'>;
export type EditOp = SetOp | AddOp | RemOp | DelOp;
export type Op = NewOp | PutOp | EditOp | ActOp | AmendOp | DeclineOp;

/** `base` is the head that the author had in hand, `t` the device's time of the edit (ms). */
export interface Batch {
  readonly n: number;
  readonly project: string;
  readonly base: number;
  readonly t: number;
  readonly v: number;
  readonly ops: readonly Op[];
}

/** A payload without a readable number or project: 400, uses no number. */
export class Malformed extends Error {}

/** The whole batch, its ops of known shape, their values within V1 and V2. */
export function read(payload: string): Batch {
  const head = envelope(payload);
  if (payload.length > PAYLOAD_BYTES_MAX) throw new Refused('invalid', 0, undefined, 'too_large');
  inRange(head, 'n', 1, Number.MAX_SAFE_INTEGER);
  inRange(head, 'base', 0, Number.MAX_SAFE_INTEGER);
  inRange(head, 't', 0, INSTANT_MAX);
  inRange(head, 'v', 0, Number.MAX_SAFE_INTEGER);
  const ops = head.ops;
  if (!Array.isArray(ops) || ops.length === 0) throw new Refused('invalid', 0, 'ops', 'malformed');
  checkOps(ops);
  return head as unknown as Batch;
}

/** Throws Refused where an op is not of a known shape, or a value breaks V1 or V2. */
export function checkOps(ops: readonly unknown[]): void {
  if (ops.length > OPS_MAX) throw new Refused('invalid', 0, undefined, 'too_large');
  ops.forEach((op, i) => {
    const fault = faultOf(op);
    if (fault) throw new Refused('invalid', i, fault[0], fault[1]);
  });
}

/** M7: when an edit was made by the server's clock, never later than it came (ms). */
export function effectiveTime(t: number, sent: number, received: number): number {
  return Math.min(t + received - sent, received);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** A field's place in a record: at most three segments (V2). */
export function isPath(path: string): boolean {
  const segments = path.split('.');
  return segments.length <= PATH_SEGMENTS_MAX && segments.every(isKey);
}

function envelope(payload: string): ValueMap {
  let head: unknown;
  try {
    head = parseJson(payload);
  } catch {
    throw new Malformed('not JSON');
  }
  if (/\\u[dD]/.test(payload) && hasLoneSurrogate(head)) throw new Malformed('not Unicode');
  if (!isMap(head)) throw new Malformed('not an object');
  const { n, project } = head;
  if (!Number.isSafeInteger(n) || (n as number) < 1) throw new Malformed('n');
  if (typeof project !== 'string' || !ID.test(project)) throw new Malformed('project');
  return head;
}

function inRange(head: ValueMap, name: string, least: number, most: number): void {
  const number = head[name];
  if (Number.isSafeInteger(number) && (number as number) >= least && (number as number) <= most) return;
  throw new Refused('invalid', 0, name, 'malformed');
}

type Sort = 'map' | 'string' | 'list' | 'any';
type Fault = readonly [field: string | undefined, reason: string];

const WRITTEN = { f: ['string', true], v: ['any', true] } as const;
const SHAPES: Readonly<Record<Op['k'], Readonly<Record<string, readonly [Sort, boolean]>>>> = {
  new: { set: ['map', true] },
  put: { set: ['map', true] },
  set: WRITTEN,
  add: WRITTEN,
  rem: WRITTEN,
  act: { act: ['string', true], ver: ['string', false], note: ['string', false] },
  amend: { of: ['list', true], ver: ['string', true] },
  decline: { of: ['list', true], note: ['string', false] },
  del: {},
};

function faultOf(op: unknown): Fault | undefined {
  if (!isMap(op)) return [undefined, 'malformed'];
  const k = op.k;
  if (typeof k !== 'string' || !Object.hasOwn(SHAPES, k)) return ['k', 'malformed'];
  const shape = SHAPES[k as Op['k']];
  if (Object.keys(op).length > 3 + Object.keys(shape).length) return [undefined, 'malformed'];
  if (typeof op.c !== 'string' || !isKindName(op.c)) return ['c', 'malformed'];
  if (typeof op.r !== 'string' || !isUuid(op.r)) return ['r', 'malformed'];
  for (const [key, [sort, needed]] of Object.entries(shape)) {
    const found = op[key];
    if (found === undefined ? needed : !isOf(sort, found)) return [key, 'malformed'];
  }
  return insideFault(op as unknown as Op);
}

function isOf(sort: Sort, value: Value): boolean {
  if (sort === 'string') return typeof value === 'string';
  if (sort === 'list') return Array.isArray(value);
  return sort === 'any' || isMap(value);
}

function insideFault(op: Op): Fault | undefined {
  switch (op.k) {
    case 'new':
    case 'put':
      return setFault(op.set);
    case 'set':
    case 'add':
    case 'rem':
      return isPath(op.f) ? valueFault(op.f, op.v) : [op.f.slice(0, 120), 'path'];
    default:
      return actFault(op as unknown as ValueMap);
  }
}

function setFault(values: Readonly<Record<string, Value>>): Fault | undefined {
  const paths = Object.keys(values);
  if (paths.length > RECORD_PARTS_MAX) return ['set', 'too_large'];
  for (const path of paths) {
    const fault: Fault | undefined = isPath(path)
      ? valueFault(path, values[path])
      : [path.slice(0, 120), 'path'];
    if (fault) return fault;
  }
  return undefined;
}

function valueFault(field: string | undefined, value: unknown): Fault | undefined {
  try {
    check(value, 1);
    return undefined;
  } catch (error) {
    if (error instanceof BadValue) return [field, error.reason];
    throw error;
  }
}

function actFault(op: ValueMap): Fault | undefined {
  for (const key of ['act', 'note', 'ver', 'of']) {
    const fault = op[key] === undefined ? undefined : valueFault(undefined, op[key]);
    if (fault) return fault;
  }
  if (typeof op.note === 'string' && lengthOf(op.note) > NOTE_LENGTH_MAX) return ['note', 'max'];
  const of = op.of;
  if (Array.isArray(of) && (of.length !== 2 || of.some((x) => typeof x !== 'number')))
    return ['of', 'malformed'];
  return undefined;
}

function isKindName(c: string): boolean {
  const dot = c.indexOf('.');
  return dot > 0 && isKey(c.slice(0, dot)) && isKey(c.slice(dot + 1));
}
