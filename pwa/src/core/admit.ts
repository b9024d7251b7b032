// Admission: may this person write this batch, does it fit the declaration, what comes of it.
//
// Pure: `admit` answers the changed records or throws Refused, and touches nothing that it was given.
// The server decides; the phone asks its own copy before it lets a person save (A1–A4, M6, M9, P2).

import { type Batch, type NewOp, type Op, RECORD_PARTS_MAX, Refused } from './batch.ts';
import { type Declarations, fieldAt, type Kind } from './declaration.ts';
import { checkElement, type Reason, reasonAt } from './field.ts';
import { dataOf, holds } from './logic.ts';
import { apply, copy, type MergeRecord, type Records, shown, stamp } from './merge.ts';
import { isAsked, missing } from './needs.ts';
import { type Actor, granted, labels, may, SERVER } from './person.ts';
import { at } from './value.ts';
import { version } from './version.ts';

export interface Admitted {
  /** Those that the batch touched, as they are now. */
  readonly records: Records;
  /** Indices of the ops kept as amendments. */
  readonly held: readonly number[];
}

interface Judging {
  readonly actor: Actor;
  readonly labels: ReadonlySet<string>;
  readonly newer: boolean;
}

/**
 * Judge and apply a batch at `seq` (its place in the log if it is admitted).
 * `records` holds the stored records that its ops name; `et` is its effective time (M7).
 */
export function admit(
  batch: Omit<Batch, 'n' | 't' | 'project'>,
  actor: Actor,
  records: ReadonlyMap<string, MergeRecord>,
  declarations: Declarations,
  seq: number,
  et: number,
): Admitted {
  const at = stamp({ seq, device: actor.device, base: batch.base, et, by: actor.person, v: batch.v });
  const judging = { actor, labels: labels(actor), newer: batch.v > declarations.v };
  const work: Records = new Map();
  const held: number[] = [];
  batch.ops.forEach((op, i) => {
    const stored = work.has(op.r) ? undefined : records.get(op.r);
    if (stored) work.set(op.r, copy(stored));
    const kind = declarations.kind(op.c);
    if (!kind && !judging.newer) throw new Refused('invalid', i, 'c', 'unknown_kind');
    if (actor.device !== SERVER) judge(op, i, work.get(op.r), kind, judging);
    if (apply(work, op, i, at, kind, version)) held.push(i);
  });
  checkResults(batch.ops, work, declarations);
  return { records: work, held };
}

function judge(
  op: Op,
  i: number,
  record: MergeRecord | undefined,
  kind: Kind | undefined,
  judging: Judging,
): void {
  if (op.k === 'put') throw new Refused('invalid', i, 'k', 'malformed'); // the server's own word
  if (record && !granted(record.aud, judging.labels)) throw new Refused('unknown_record', i);
  if (op.k === 'new') judgeNew(op, i, kind, judging);
  else if (!record || record.c !== op.c) throw new Refused('unknown_record', i);
  else if (!kind) must(record.by === judging.actor.person, i);
  else judgeChange(op, i, record, kind, judging);
}

function judgeChange(op: Op, i: number, record: MergeRecord, kind: Kind, { actor, newer }: Judging): void {
  if (op.k === 'act') judgeAct(op, i, record, kind, actor);
  else if (op.k === 'amend' || op.k === 'decline') mustDecide(i, record, kind, actor);
  else if (op.k === 'del') {
    mustEdit(kind.may.delete.length > 0 ? kind.may.delete : kind.may.edit, i, record, kind, actor);
  } else {
    mustEdit(kind.may.edit, i, record, kind, actor);
    if (op.k === 'set' || op.k === 'add' || op.k === 'rem') judgeValue(op, i, kind, newer);
  }
}

function must(allowed: boolean, i: number): void {
  if (!allowed) throw new Refused('forbidden', i);
}

function mustEdit(who: readonly string[], i: number, record: MergeRecord, kind: Kind, actor: Actor): void {
  must(may(who, actor, record.by, shown(record, kind)), i);
}

function judgeNew(op: NewOp, i: number, kind: Kind | undefined, { actor, newer }: Judging): void {
  if (!kind) return;
  must(!kind.computed_by && may(kind.may.create, actor, null, op.set), i);
  for (const [path, value] of Object.entries(op.set)) {
    const reason = reasonAt(kind, path, value);
    if (reason && value !== null) refuseValue(i, path, reason, kind, newer);
  }
  const given = new Set(
    Object.entries(op.set).flatMap(([path, value]) => (value === null ? [] : path.split('.', 1))),
  );
  for (const name of kind.required) {
    if (!given.has(name) && isAsked(kind, name, op.set, kind.firstState)) {
      throw new Refused('invalid', i, name, 'required');
    }
  }
}

function judgeValue(
  op: Extract<Op, { k: 'set' | 'add' | 'rem' }>,
  i: number,
  kind: Kind,
  newer: boolean,
): void {
  const reason = valueReason(op, kind);
  if (reason) refuseValue(i, op.f, reason, kind, newer);
}

function valueReason(op: Extract<Op, { k: 'set' | 'add' | 'rem' }>, kind: Kind): Reason | null {
  const field = fieldAt(kind, op.f);
  if (op.k === 'set') {
    // A set changes by its elements (M5).
    return reasonAt(kind, op.f, op.v) ?? (field?.merge === 'set' ? 'type' : null);
  }
  if (!field) return 'path';
  return field.merge === 'set' ? checkElement(field, op.v) : 'type';
}

/** M9: what a newer declaration may have added is kept; anything else is refused. */
function refuseValue(i: number, path: string, reason: string, kind: Kind, newer: boolean): void {
  if (newer && !Object.hasOwn(kind.written, path.split('.', 1)[0] as string)) return;
  throw new Refused('invalid', i, path, reason);
}

function judgeAct(
  op: Extract<Op, { k: 'act' }>,
  i: number,
  record: MergeRecord,
  kind: Kind,
  actor: Actor,
): void {
  const act = at(kind.acts, op.act);
  if (!act) throw new Refused('invalid', i, 'act', 'option');
  const values = shown(record, kind);
  must(may(act.roles, actor, record.by, values), i);
  must(!may(act.not ?? [], actor, record.by, values), i);
  if (act.needs_note && !op.note?.trim()) throw new Refused('invalid', i, 'note', 'required');
  const [needed] = missing(act, values, kind, record.state);
  if (needed !== undefined) throw new Refused('bad_transition', i, needed, 'needs');
  if (!holds(act.if, dataOf(kind, values, record.state))) {
    throw new Refused('bad_transition', i, undefined, 'condition');
  }
}

/** Who may seal a record decides on what came after the seal (A3). */
export function mayDecide(record: MergeRecord, kind: Kind, actor: Actor): boolean {
  const values = shown(record, kind);
  return Object.values(kind.acts).some(
    (act) =>
      at(kind.states, act.to)?.seals &&
      may(act.roles, actor, record.by, values) &&
      !may(act.not ?? [], actor, record.by, values),
  );
}

function mustDecide(i: number, record: MergeRecord, kind: Kind, actor: Actor): void {
  must(mayDecide(record, kind, actor), i);
}

/** What came of each record that the batch wrote, looked at once. */
function checkResults(ops: readonly Op[], work: Records, declarations: Declarations): void {
  const checked = new Set<string>();
  const counted = new Set<string>();
  ops.forEach((op, i) => {
    const kind = declarations.kind(op.c);
    const record = work.get(op.r);
    if (!record || !WRITES.has(op.k)) return;
    if (!checked.has(op.r)) {
      checked.add(op.r);
      checkSize(i, record);
      if (kind) checkDeclared(i, record, kind);
    }
    if (kind && !counted.has(op.r) && isKeyed(op)) {
      counted.add(op.r);
      checkCounts(i, record, kind);
    }
  });
}

const WRITES: ReadonlySet<Op['k']> = new Set(['new', 'set', 'add', 'rem']);

/** P2: a record is sent and judged whole, so it has a limit as a batch does. */
function checkSize(i: number, record: MergeRecord): void {
  let parts = Object.keys(record.set).length + record.held.length;
  for (const writes of Object.values(record.f)) parts += writes.length;
  if (parts > RECORD_PARTS_MAX) throw new Refused('invalid', i, undefined, 'too_large');
}

function isKeyed(op: Op): boolean {
  const paths = op.k === 'new' ? Object.keys(op.set) : 'f' in op ? [op.f] : [];
  return paths.some((path) => path.includes('.'));
}

function checkDeclared(i: number, record: MergeRecord, kind: Kind): void {
  const checks = kind.checks.filter((check) => check.level === 'error');
  if (checks.length === 0) return;
  const data = dataOf(kind, shown(record, kind), record.state);
  if (checks.some((check) => !holds(check.that, data))) {
    throw new Refused('invalid', i, undefined, 'check');
  }
}

/** No more photos, files or rows than the field may hold. */
function checkCounts(i: number, record: MergeRecord, kind: Kind): void {
  const keys = new Map<string, Set<string>>();
  for (const path of Object.keys(shown(record, kind))) {
    const [name, key] = path.split('.', 2) as [string, string | undefined];
    if (key !== undefined) keys.set(name, (keys.get(name) ?? new Set()).add(key));
  }
  for (const [name, most] of Object.entries(kind.keyed)) {
    if ((keys.get(name)?.size ?? 0) > most) throw new Refused('invalid', i, name, 'max');
  }
}
