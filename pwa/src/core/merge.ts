// Merge: admitted batches in order → records (M1–M10, A1–A3).
//
// A record is the plain object that goes over the wire (P6). It is changed in place: the caller hands
// in copies that it may throw away. Every function here answers the same as `merge.py`.

import type { ActOp, AddOp, AmendOp, DelOp, EditOp, Of, Op, RemOp } from './batch.ts';
import { type Kind, ruleAt } from './declaration.ts';
import { SERVER } from './person.ts';
import { Refused } from './refused.ts';
import { canonical, compareBytes, equal, isList, type Value, at as valueAt } from './value.ts';

/** Position, device, base, effective time of an op. */
export type Place = readonly [seq: number, i: number, device: string, base: number, et: number];
export type Write = readonly [seq: number, i: number, device: string, base: number, et: number, value: Value];
export type Deletion = readonly [
  seq: number,
  i: number,
  device: string,
  base: number,
  et: number,
  by: string,
];
export type Acted = readonly [
  seq: number,
  i: number,
  device: string,
  base: number,
  et: number,
  act: string,
  by: string,
  note: string | null,
];

export interface Held {
  readonly of: Of;
  readonly op: EditOp;
  readonly by: string;
  readonly device: string;
  readonly base: number;
  readonly et: number;
}

export interface Seal {
  readonly seq: number;
  readonly i: number;
  readonly device: string;
  readonly by: string;
  readonly et: number;
  readonly ver: string;
}

/** Wire form = stored form = in-memory form. */
export interface MergeRecord {
  readonly r: string;
  readonly c: string;
  seq: number;
  readonly aud: string;
  readonly by: string;
  state: string | null;
  readonly v: number;
  readonly born: Place;
  readonly set: Record<string, Value>;
  readonly f: Record<string, Write[]>;
  seal: Seal | null;
  readonly held: Held[];
  del: Deletion | null;
  /** The newest transition. */
  act?: Acted;
}

/** Where and when a batch stands: its position, what its author knew, its effective time. */
export interface Stamp {
  readonly seq: number;
  readonly device: string;
  readonly base: number;
  readonly et: number;
  readonly by: string;
  readonly v: number;
}

/** Nobody knows what is not there yet: a base beyond the head counts as the head (M2). */
export function stamp(at: Stamp): Stamp {
  return at.base < at.seq ? at : { ...at, base: at.seq - 1 };
}

export type Records = Map<string, MergeRecord>;
export type Kinds = (c: string) => Kind | undefined;
/** `version`, or null where a `ver` is taken on trust: the first screen shows, and hashes nothing. */
export type VersionOf = ((record: MergeRecord, kind: Kind | undefined) => string) | null;

export { version } from './version.ts';

/**
 * M1: apply an admitted batch; answers the indices of the ops that were held (A3).
 * A batch that a record already has is passed over, so folding twice changes nothing.
 */
export function fold(
  records: Records,
  ops: readonly Op[],
  from: Stamp,
  kinds: Kinds,
  versionOf: VersionOf,
): number[] {
  const at = stamp(from);
  const held: number[] = [];
  const done = doneBefore(records, ops, at.seq);
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op;
    if (done?.has(op.r)) continue;
    if (apply(records, op, i, at, kinds(op.c), versionOf)) held.push(i);
  }
  return held;
}

function doneBefore(records: Records, ops: readonly Op[], seq: number): Set<string> | undefined {
  let done: Set<string> | undefined;
  for (const op of ops) {
    const record = records.get(op.r);
    if (record !== undefined && record.seq >= seq) {
      done ??= new Set();
      done.add(op.r);
    }
  }
  return done;
}

/** One op. True if it was held (A3). Throws Refused where the rules do not admit it. */
export function apply(
  records: Records,
  op: Op,
  i: number,
  at: Stamp,
  kind: Kind | undefined,
  versionOf: VersionOf,
): boolean {
  if (op.k === 'new' || op.k === 'put') {
    create(records, op, i, at, kind);
    return false;
  }
  const record = records.get(op.r);
  if (record === undefined || record.c !== op.c) throw new Refused('unknown_record', i);
  switch (op.k) {
    case 'act':
      act(record, op, i, at, kind, versionOf);
      break;
    case 'amend':
      amend(record, op, i, at, kind, versionOf);
      break;
    case 'decline':
      takeHeld(record, op.of, i);
      break;
    default:
      return edit(record, op, i, at, kind);
  }
  record.seq = at.seq;
  return false;
}

/** M2: whether the author of op i knew the op at (seq, index) of a device. */
export function knows(at: Stamp, i: number, seq: number, index: number, device: string): boolean {
  return seq <= at.base || (device === at.device && (seq < at.seq || (seq === at.seq && index < i)));
}

/** A record that may be changed without the original knowing; its writes are shared. */
export function copy(record: MergeRecord): MergeRecord {
  return { ...record, set: { ...record.set }, f: { ...record.f }, held: [...record.held] };
}

/** M8: there is a deletion, and it knew every live write. Otherwise it is only flagged. */
export function isDeleted(record: MergeRecord): boolean {
  const deletion = record.del;
  if (deletion === null) return false;
  const [seq, i, device, base] = deletion;
  const at = { seq, device, base, et: 0, by: '', v: 0 };
  if (!knows(at, i, record.born[0], record.born[1], record.born[2])) return false;
  for (const path in record.f) {
    for (const write of record.f[path] as Write[]) {
      if (!knows(at, i, write[0], write[1], write[2])) return false;
    }
  }
  return true;
}

/** What a person sees: path → value, erased fields left out, sets in canonical order. */
export function shown(record: MergeRecord, kind: Kind | undefined): Record<string, Value> {
  const values: Record<string, Value> = {};
  for (const path in record.set) {
    const value = record.set[path] as Value;
    if (value === null) continue;
    values[path] = ruleAt(kind, path) === 'set' && isList(value) ? sortedElements(value) : value;
  }
  for (const path in record.f) {
    const writes = record.f[path] as Write[];
    if (ruleAt(kind, path) === 'set') {
      if (writes.length > 0) values[path] = sortedElements(writes.map((write) => write[5]));
    } else {
      const value = (writes[writes.length - 1] as Write)[5];
      if (value === null) delete values[path];
      else values[path] = value;
    }
  }
  return values;
}

/** M3: the paths that hold different values whose authors did not know of each other. */
export function conflicts(record: MergeRecord, kind: Kind | undefined): string[] {
  const found: string[] = [];
  for (const path in record.f) {
    const writes = record.f[path] as Write[];
    if (writes.length < 2 || ruleAt(kind, path) !== 'keep') continue;
    const value = (writes[0] as Write)[5];
    if (writes.some((write) => !equal(value, write[5]))) found.push(path);
  }
  return found.sort();
}

/** A5: who may see a record, from its declaration and its creating batch. */
export function audience(
  kind: Kind | undefined,
  values: Readonly<Record<string, Value>>,
  author: string,
): string {
  // A kind of a newer declaration: its author, and those over him.
  if (kind === undefined) return `person:${author}`;
  const name = kind.audienceField;
  if (name === null) return kind.audience;
  const value = name === 'author' ? author : valueAt(values, name);
  return typeof value === 'string' ? kind.audience.replace(`{${name}}`, () => value) : `person:${author}`;
}

function sortedElements(elements: readonly Value[]): Value[] {
  const byText = new Map<string, Value>();
  for (const element of elements) byText.set(canonical(element), element);
  return [...byText].sort((a, b) => compareBytes(a[0], b[0])).map(([, element]) => element);
}

function create(
  records: Records,
  op: Extract<Op, { k: 'new' | 'put' }>,
  i: number,
  at: Stamp,
  kind: Kind | undefined,
): void {
  if (op.k === 'new' && records.has(op.r)) throw new Refused('invalid', i, undefined, 'exists');
  if (op.k === 'put' && at.device !== SERVER) throw new Refused('invalid', i, 'k', 'malformed');
  const set: Record<string, Value> = {};
  for (const path in op.set) {
    const value = op.set[path] as Value;
    if (value !== null) set[path] = value;
  }
  records.set(op.r, {
    r: op.r,
    c: op.c,
    seq: at.seq,
    aud: audience(kind, set, at.by),
    by: at.by,
    state: kind?.firstState ?? null,
    v: at.v,
    born: [at.seq, i, at.device, at.base, at.et],
    set,
    f: {},
    seal: null,
    held: [],
    del: null,
  });
}

/** set, add, rem and del: held if the record was sealed behind the author's back (A3). */
function edit(record: MergeRecord, op: EditOp, i: number, at: Stamp, kind: Kind | undefined): boolean {
  if (record.del !== null) meetDeletion(record, record.del, i, at);
  const seal = record.seal;
  if (seal !== null) {
    if (knows(at, i, seal.seq, seal.i, seal.device)) {
      throw new Refused('sealed', i, 'f' in op ? op.f : undefined);
    }
    record.held.push({ of: [at.seq, i], op, by: at.by, device: at.device, base: at.base, et: at.et });
    record.seq = at.seq;
    return true;
  }
  if (op.k === 'set') write(record, op.f, op.v, i, at, kind);
  else change(record, op, i, at);
  record.seq = at.seq;
  return false;
}

/** M8: who knew of it may not edit; who knew and edits what came back settles the flag. */
function meetDeletion(record: MergeRecord, deletion: Deletion, i: number, at: Stamp): void {
  if (!knows(at, i, deletion[0], deletion[1], deletion[2])) return;
  if (isDeleted(record)) throw new Refused('unknown_record', i);
  if (record.seal === null) record.del = null;
}

/** M3, M4, M6 and M7: the write takes the place of every write that its author knew. */
function write(
  record: MergeRecord,
  path: string,
  value: Value,
  i: number,
  at: Stamp,
  kind: Kind | undefined,
): void {
  const { seq, device, base } = at;
  if (record.born[0] === seq) {
    if (value === null) delete record.set[path];
    else record.set[path] = value;
    return;
  }
  const rule = ruleAt(kind, path);
  if (rule === 'once') throw new Refused('invalid', i, path, 'once');
  const lives = livesOf(record, path);
  let et = at.et;
  const kept: Write[] = [];
  for (const live of lives) {
    if (live[0] <= base || (live[2] === device && (live[0] < seq || (live[0] === seq && live[1] < i)))) {
      if (live[4] > et) et = live[4];
    } else kept.push(live);
  }
  kept.push([seq, i, device, base, et, value]);
  if (kept.length > 1) kept.sort(byTime);
  record.f[path] = rule === 'last' ? [kept[kept.length - 1] as Write] : kept;
}

const NONE: readonly Write[] = [];

/** The live writes of a path; the creating one leaves `set` for them. */
function livesOf(record: MergeRecord, path: string): readonly Write[] {
  const lives = valueAt(record.f, path);
  if (lives !== undefined) return lives;
  const value = valueAt(record.set, path);
  if (value === undefined) return NONE;
  delete record.set[path];
  const [seq, i, device, base, et] = record.born;
  return [[seq, i, device, base, et, value]];
}

/** (et, seq, i): the last one is shown. */
function byTime(a: Write, b: Write): number {
  return a[4] - b[4] || a[0] - b[0] || a[1] - b[1];
}

function change(record: MergeRecord, op: AddOp | RemOp | DelOp, i: number, at: Stamp): void {
  if (op.k === 'del') {
    if (record.del === null || !isDeleted(record)) {
      record.del = [at.seq, i, at.device, at.base, at.et, at.by];
    }
  } else if (!isList(valueAt(record.set, op.f) ?? [])) {
    throw new Refused('invalid', i, op.f, 'type'); // of a newer declaration, and not as a set (M9)
  } else if (record.born[0] === at.seq) changeAtBirth(record.set, op);
  else changeSet(record, op, i, at);
}

/** M5: the adds of an element that this op's author knew are gone; add wins over the rest. */
function changeSet(record: MergeRecord, op: AddOp | RemOp, i: number, at: Stamp): void {
  const kept: Write[] = [];
  let et = at.et;
  for (const live of elementsOf(record, op.f)) {
    const replaced = equal(live[5], op.v) && knows(at, i, live[0], live[1], live[2]);
    if (!replaced) kept.push(live);
    else if (live[4] > et) et = live[4];
  }
  if (op.k === 'add') {
    kept.push([at.seq, i, at.device, at.base, et, op.v]);
    kept.sort(byTime);
  }
  if (kept.length > 0) record.f[op.f] = kept;
  else delete record.f[op.f];
}

function elementsOf(record: MergeRecord, path: string): Write[] {
  const lives = valueAt(record.f, path);
  if (lives !== undefined) return lives;
  const created = valueAt(record.set, path);
  delete record.set[path];
  const [seq, i, device, base, et] = record.born;
  return created !== undefined && isList(created)
    ? created.map((element): Write => [seq, i, device, base, et, element])
    : [];
}

function changeAtBirth(created: Record<string, Value>, op: AddOp | RemOp): void {
  const before = valueAt(created, op.f);
  const elements = (before !== undefined && isList(before) ? before : []).filter(
    (item) => !equal(item, op.v),
  );
  if (op.k === 'add') elements.push(op.v);
  if (elements.length > 0) created[op.f] = elements;
  else delete created[op.f];
}

/** A1 and A2: a transition, and for an approving one exactly what was seen. */
function act(
  record: MergeRecord,
  op: ActOp,
  i: number,
  at: Stamp,
  kind: Kind | undefined,
  versionOf: VersionOf,
): void {
  const declared = kind && valueAt(kind.acts, op.act);
  if (kind === undefined || declared === undefined) throw new Refused('invalid', i, 'act', 'option');
  if (record.del !== null) {
    if (isDeleted(record)) throw new Refused('unknown_record', i);
    meetDeletion(record, record.del, i, at);
  }
  if (record.state === null || !declared.from.includes(record.state)) throw new Refused('bad_transition', i);
  // What came late is decided before the record is opened again.
  if (record.seal !== null && record.held.length > 0) {
    throw new Refused('bad_transition', i, undefined, 'held');
  }
  const seals = valueAt(kind.states, declared.to)?.seals === true;
  if (seals && op.ver === undefined) throw new Refused('invalid', i, 'ver', 'required');
  if (op.ver !== undefined) mustBeAsSeen(record, op.ver, i, kind, versionOf);
  const et = Math.max(at.et, record.act?.[4] ?? 0);
  record.state = declared.to;
  record.act = [at.seq, i, at.device, at.base, et, op.act, at.by, op.note ?? null];
  record.seal = seals ? sealAt(at, i, op.ver as string, et) : null;
}

function mustBeAsSeen(
  record: MergeRecord,
  ver: string,
  i: number,
  kind: Kind | undefined,
  versionOf: VersionOf,
): void {
  if (conflicts(record, kind).length > 0 || (versionOf && ver !== versionOf(record, kind))) {
    throw new Refused('stale_approval', i);
  }
}

function sealAt(at: Stamp, i: number, ver: string, et: number): Seal {
  return { seq: at.seq, i, device: at.device, by: at.by, et, ver };
}

/** A3: a held op is applied and what comes of it approved, in one step. */
function amend(
  record: MergeRecord,
  op: AmendOp,
  i: number,
  at: Stamp,
  kind: Kind | undefined,
  versionOf: VersionOf,
): void {
  const entry = takeHeld(record, op.of, i);
  const et = settle(record, entry, i, at, kind);
  mustBeAsSeen(record, op.ver, i, kind, versionOf);
  record.seal = sealAt(at, i, op.ver, Math.max(at.et, et));
}

/** The approver saw both values, so the accepted one settles all: it knows whatever is there. */
function settle(record: MergeRecord, entry: Held, i: number, at: Stamp, kind: Kind | undefined): number {
  const et = Math.max(entry.et, record.seal?.et ?? 0);
  const settled = { ...at, device: entry.device, base: at.seq - 1, et };
  const late = entry.op;
  record.seal = null;
  if (late.k === 'set') write(record, late.f, late.v, i, settled, kind);
  else change(record, late, i, settled);
  return et;
}

/** A copy of the record with a held op applied: what an `amend` would approve. */
export function withHeld(record: MergeRecord, of: Of, kind: Kind | undefined): MergeRecord {
  const changed = copy(record);
  const at = { seq: Number.MAX_SAFE_INTEGER, device: '', base: 0, et: 0, by: '', v: 0 };
  settle(changed, takeHeld(changed, of, 0), 0, at, kind);
  return changed;
}

function takeHeld(record: MergeRecord, of: Of, i: number): Held {
  const place = record.held.findIndex((entry) => entry.of[0] === of[0] && entry.of[1] === of[1]);
  if (place < 0) throw new Refused('unknown_record', i, 'of');
  return record.held.splice(place, 1)[0] as Held;
}
