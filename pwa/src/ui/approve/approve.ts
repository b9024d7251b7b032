/**
 * What waits for one person's decision, of any kind, from the declarations alone: which acts he may
 * do on a record, the batches that a decision makes, and, where a decision came too late, what he saw
 * beside what is there now (A1–A3). Pure but for the phone's own `may` and `version`, handed in.
 */
import type { Act, Declarations, Kind } from '../../core/declaration.ts';
import { missing } from '../../core/needs.ts';
import { equal } from '../../core/value.ts';
import type { MergeRecord, Op, OutboxEntry, Phone, Query, Shown, Value } from '../../store/phone.ts';
import { applies, logicData, type Values } from '../generic/rules.ts';
import { dayText, labelOf, momentText, type Reader, say, valueText } from '../generic/words.ts';

export type MayAsk = (who: readonly string[], shown: Shown) => boolean;

export interface NamedAct {
  readonly name: string;
  readonly act: Act;
  /** Its target state seals: it needs the `ver` of what is shown. */
  readonly approves: boolean;
}

/** Acts on a kind that seal what is not sealed yet: these put a record into somebody's inbox. */
export function approvingActs(kind: Kind): readonly NamedAct[] {
  return actsOf(kind).filter(
    (one) => one.approves && one.act.from.some((state) => kind.states[state]?.seals !== true),
  );
}

const known = new WeakMap<Kind, readonly NamedAct[]>();

export function actsOf(kind: Kind): readonly NamedAct[] {
  const before = known.get(kind);
  if (before) return before;
  const all = Object.entries(kind.acts).map(([name, act]) => ({
    name,
    act,
    approves: kind.states[act.to]?.seals === true,
  }));
  known.set(kind, all);
  return all;
}

/** Kinds in which this person may approve at all, going by roles; fields may narrow it record by record. */
export function kindsToApprove(declarations: Declarations): readonly Kind[] {
  return Object.values(declarations.kinds).filter((kind) => approvingActs(kind).length > 0);
}

/** States from which something may be approved: what to ask the phone for. */
export function waitingStates(kind: Kind): readonly string[] {
  const acts = approvingActs(kind);
  const returned = new Set(
    actsOf(kind)
      .filter((one) => one.act.needs_note)
      .map((one) => one.act.to),
  );
  const from = [...new Set(acts.flatMap((one) => one.act.from))];
  const waits = from.filter((state) => !returned.has(state));
  return waits.length > 0 ? waits : from;
}

/** What this person may do to the record now (A1), refusals that need no server included. */
export function actsOn(kind: Kind, shown: Shown, may: MayAsk): readonly NamedAct[] {
  return actsOf(kind).filter((one) => mayDo(kind, one, shown, may));
}

function mayDo(kind: Kind, { act }: NamedAct, shown: Shown, may: MayAsk): boolean {
  if (shown.deleted || shown.state === null || !act.from.includes(shown.state)) return false;
  // What came after the approval is settled first (A3).
  if (shown.record.seal !== null && shown.record.held.length > 0) return false;
  if (!may(act.roles, shown) || (act.not && act.not.length > 0 && may(act.not, shown))) return false;
  if (act.if === undefined || act.if === null) return true;
  return applies(act.if, logicData(kind, shown.values, shown.state));
}

/** Why an approval cannot be given although the person may: a conflict must be settled first (A2). */
export function isBlocked(shown: Shown): boolean {
  return shown.conflicts.length > 0 || shown.pending === 'refused';
}

/** Which fields must be filled in before an act, in words; empty where nothing is missing (A1). */
export function needsWords(kind: Kind, shown: Shown, { act }: NamedAct, reader: Reader): string {
  const names = missing(act, shown.values, kind, shown.state).map((path) => labelOf(kind, path, reader));
  if (names.length === 0) return '';
  return reader.t('detail.needs', { fields: names.join(reader.lang === 'zh' ? '、' : ', ') });
}

export interface Waiting {
  readonly kind: Kind;
  readonly shown: Shown;
  readonly approve: NamedAct;
  readonly back: NamedAct | null;
}

/** What to ask the phone for: records that wait for this person, and those with late writes to settle. */
export interface Asked {
  readonly kind: Kind;
  readonly waiting: Query;
  readonly held: Query;
}

type Asker = Pick<Phone, 'declarations' | 'may'>;
const askedBefore = new WeakMap<Asker, Map<string, readonly Asked[]>>();

/** The same objects each time: what the phone has counted for them once it need not count again. */
export function askedOf(phone: Asker, project: string): readonly Asked[] {
  const byProject = askedBefore.get(phone) ?? new Map<string, readonly Asked[]>();
  askedBefore.set(phone, byProject);
  const before = byProject.get(project);
  if (before) return before;
  const may: MayAsk = (who, shown) => phone.may(project, who, shown);
  const asked = kindsToApprove(phone.declarations).map((kind) => ({ kind, ...queriesFor(kind, may) }));
  byProject.set(project, asked);
  return asked;
}

export function queriesFor(kind: Kind, may: MayAsk): Omit<Asked, 'kind'> {
  const isWaiting = (shown: Shown): boolean =>
    actsOf(kind).some((one) => one.approves && mayDo(kind, one, shown, may));
  return {
    waiting: { state: waitingStates(kind), where: isWaiting },
    held: { held: true, where: (shown) => maySettle(kind, shown, may) },
  };
}

/** The inbox: records that this person may approve, in the order that they came. */
export function waitingFor(kind: Kind, entries: readonly Shown[], may: MayAsk): readonly Waiting[] {
  return entries.flatMap((shown) => {
    const acts = actsOn(kind, shown, may);
    const approve = acts.find((one) => one.approves);
    if (!approve) return [];
    return [{ kind, shown, approve, back: acts.find((one) => one.act.needs_note) ?? null }];
  });
}

/** One decision: the op to send and what the person saw, kept on this phone beside it. */
export interface Decision {
  readonly ops: readonly Op[];
  readonly memo: Value;
}

export function approve(waiting: Waiting, ver: string): Decision {
  const { shown, approve } = waiting;
  return {
    ops: [{ k: 'act', c: shown.c, r: shown.r, act: approve.name, ver }],
    memo: memoOf(shown),
  };
}

/** Each approval names what was on the screen. */
export function approvals(
  phone: Pick<Phone, 'version'>,
  all: readonly Waiting[],
): Promise<readonly Decision[]> {
  return Promise.all(all.map(async (one) => approve(one, await phone.version(one.shown))));
}

export function giveBack(waiting: Waiting, act: NamedAct, note: string): Decision {
  const { shown } = waiting;
  const op: Op = { k: 'act', c: shown.c, r: shown.r, act: act.name };
  const words = note.normalize('NFC').trim();
  return { ops: [words === '' ? op : { ...op, note: words }], memo: memoOf(shown) };
}

function memoOf(shown: Shown): Value {
  return { saw: { ...shown.values } };
}

export function sawIn(memo: Value | undefined): Values | null {
  if (memo === undefined || memo === null || typeof memo !== 'object' || Array.isArray(memo)) return null;
  const saw = (memo as Readonly<Record<string, Value>>).saw;
  return saw !== undefined && saw !== null && typeof saw === 'object' && !Array.isArray(saw)
    ? (saw as Values)
    : null;
}

/** Held amendments: values that came after the approval, each beside the approved one. */
export interface Amendment {
  readonly kind: Kind;
  readonly shown: Shown;
  readonly of: readonly [number, number];
  readonly path: string;
  readonly approved: Value;
  readonly late: Value;
  readonly by: string;
  readonly at: number;
}

export function amendmentsOf(kind: Kind, shown: Shown): readonly Amendment[] {
  return shown.record.held.flatMap((held) => {
    const { op } = held;
    if (op.k !== 'set' && op.k !== 'add' && op.k !== 'rem') return [];
    const approved = shown.values[op.f] ?? null;
    return [
      {
        kind,
        shown,
        of: held.of,
        path: op.f,
        approved,
        late: lateValue(approved, op),
        by: held.by,
        at: held.et,
      },
    ];
  });
}

function lateValue(approved: Value, op: Op & { readonly k: 'set' | 'add' | 'rem' }): Value {
  if (op.k === 'set') return op.v;
  const had = Array.isArray(approved) ? approved : [];
  const others = had.filter((one) => !equal(one, op.v));
  return op.k === 'add' ? [...others, op.v] : others;
}

/** May this person settle amendments: whoever may approve such a record. */
export function maySettle(kind: Kind, shown: Shown, may: MayAsk): boolean {
  return approvingActs(kind).some(
    ({ act }) => may(act.roles, shown) && !(act.not && act.not.length > 0 && may(act.not, shown)),
  );
}

export function accept(amendment: Amendment, ver: string): Decision {
  const { shown, of } = amendment;
  return { ops: [{ k: 'amend', c: shown.c, r: shown.r, of, ver }], memo: memoOf(shown) };
}

export function decline(amendment: Amendment, note: string): Decision {
  const { shown, of } = amendment;
  const op: Op = { k: 'decline', c: shown.c, r: shown.r, of };
  const words = note.normalize('NFC').trim();
  return { ops: [words === '' ? op : { ...op, note: words }], memo: memoOf(shown) };
}

/** One field that is not as it was seen. */
export interface Difference {
  readonly path: string;
  readonly saw: Value;
  readonly now: Value;
}

export function differences(saw: Values, now: Values): readonly Difference[] {
  const paths = [...new Set([...Object.keys(saw), ...Object.keys(now)])].sort();
  return paths
    .map((path) => ({ path, saw: saw[path] ?? null, now: now[path] ?? null }))
    .filter((one) => !equal(one.saw, one.now));
}

/** An approval that the server refused because the content had changed meanwhile. */
export interface Stale {
  readonly entry: OutboxEntry;
  readonly op: Op & { readonly k: 'act' | 'amend' };
  readonly saw: Values | null;
}

export function staleIn(outbox: readonly OutboxEntry[], project: string): readonly Stale[] {
  return outbox.flatMap((entry) => {
    if (entry.project !== project || entry.status !== 'refused' || entry.code !== 'stale_approval') return [];
    const op = entry.ops[entry.op ?? 0];
    if (op === undefined || (op.k !== 'act' && op.k !== 'amend')) return [];
    return [{ entry, op, saw: sawIn(entry.memo) }];
  });
}

/** Was it already decided by someone else meanwhile? Then there is nothing left to approve. */
export function isDecided(kind: Kind, record: Pick<MergeRecord, 'state'>, act: string): boolean {
  const from = kind.acts[act]?.from ?? [];
  return record.state === null || !from.includes(record.state);
}

/** Fields that an approval covers and that have a value, in the order of the declaration. */
export function coveredPaths(kind: Kind, values: Values): readonly string[] {
  const order = Object.keys(kind.written);
  return Object.keys(values)
    .filter((path) => kind.written[path.split('.')[0] ?? '']?.computed === undefined)
    .sort((a, b) => {
      const first = order.indexOf(a.split('.')[0] ?? '');
      const second = order.indexOf(b.split('.')[0] ?? '');
      return first - second || (a < b ? -1 : 1);
    });
}

export type InboxRow =
  | { readonly type: 'group'; readonly id: string; readonly label: string; readonly count: number }
  | { readonly type: 'entry'; readonly id: string; readonly waiting: Waiting };

function dayOf({ kind, shown }: Waiting): string {
  return kind.day === undefined ? '' : String(shown.values[kind.day] ?? '');
}

/**
 * Of lists that were cut off at a limit only the days that are here whole: the last one of a list that
 * was cut off may go on.
 */
export function wholeDays(lists: readonly (readonly Waiting[])[], limit: number): readonly Waiting[] {
  const cut = lists.filter((list) => list.length >= limit).flatMap((list) => list.at(-1) ?? []);
  const from = cut.reduce((latest, one) => (dayOf(one) > latest ? dayOf(one) : latest), '');
  return lists.flat().filter((one) => from === '' || dayOf(one) > from);
}

/** The inbox line by line: the newest day first, by kind within a day. */
export function inboxRows(waiting: readonly Waiting[], reader: Reader): readonly InboxRow[] {
  const groups = new Map<string, Waiting[]>();
  for (const one of waiting) {
    const key = `${dayOf(one)} ${one.kind.c}`;
    const known = groups.get(key);
    if (known) known.push(one);
    else groups.set(key, [one]);
  }
  const isOne = new Set(waiting.map((one) => one.kind.c)).size === 1;
  return [...groups].sort(newestDayFirst).flatMap(([key, members]): readonly InboxRow[] => [
    {
      type: 'group',
      id: `group ${key}`,
      label: groupLabel(members[0], isOne, reader),
      count: members.length,
    },
    ...members.map((one): InboxRow => ({ type: 'entry', id: one.shown.r, waiting: one })),
  ]);
}

function newestDayFirst([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  const [x, y] = [a.split(' ', 1)[0] ?? '', b.split(' ', 1)[0] ?? ''];
  if (x !== y) return x < y ? 1 : -1;
  return a < b ? -1 : 1;
}

function groupLabel(first: Waiting | undefined, isOneKind: boolean, reader: Reader): string {
  if (!first) return '';
  const name = say(first.kind.label, reader.lang, first.kind.c);
  const day = first.kind.day === undefined ? undefined : first.shown.values[first.kind.day];
  if (typeof day !== 'string') return name;
  return isOneKind ? dayText(day, reader) : `${name} · ${dayText(day, reader)}`;
}

/** Who and what, large: the declared title, moments as a clock where they fall on the record's own day. */
export function headOf(
  kind: Kind,
  shown: Shown,
  reader: Reader,
): { readonly main: string; readonly more: string } {
  const day = kind.day === undefined ? undefined : shown.values[kind.day];
  const words = kind.title
    .map((path) => {
      const field = kind.fields[path];
      const value = shown.values[path];
      if (!field || value === undefined || path === kind.day) return '';
      if (field.type !== 'instant' || typeof value !== 'number') return valueText(field, value, reader);
      return momentText(value, day, reader);
    })
    .filter((text) => text !== '');
  const [main = say(kind.label, reader.lang, kind.c), ...more] = words;
  return { main, more: more.join(' · ') };
}
