// A phone that lives in memory: enough of the store's promise for a screen to stand on.
import { type Declarations, type Kind, readDeclarations } from '../../../pwa/src/core/declaration.ts';
import { conflicts, type MergeRecord, shown as shownOf, version } from '../../../pwa/src/core/merge.ts';
import { type Actor, may } from '../../../pwa/src/core/person.ts';
import type {
  Draft,
  Op,
  OutboxEntry,
  Phone,
  Query,
  Shown,
  SyncStatus,
  Topic,
  Value,
  Writing,
} from '../../../pwa/src/store/phone.ts';
import core from '../../../shared/modules/core.json';
import inspections from '../../../shared/modules/inspections.json';
import labour from '../../../shared/modules/labour.json';
import quality from '../../../shared/modules/quality.json';
import safety from '../../../shared/modules/safety.json';
import { FakePhotos } from '../photo/fake-photos.ts';
import every from './every.json';

export const PROJECT = 'p1';
export const declarations: Declarations = readDeclarations([
  core,
  labour,
  safety,
  quality,
  inspections,
  every,
]);

/** What must be there; a test that looks for nothing fails here. */
export function the<T>(found: T | null | undefined): T {
  if (found === null || found === undefined) throw new Error('not there');
  return found;
}

export const kindOf = (c: string): Kind => the(declarations.kind(c));

export interface Planted {
  readonly r: string;
  readonly c: string;
  readonly values: Readonly<Record<string, Value>>;
  readonly state?: string | null;
  readonly by?: string;
  readonly more?: Partial<Shown>;
  readonly record?: Partial<MergeRecord>;
}

export function recordOf({ r, c, values, state, by = 'author', record }: Planted): MergeRecord {
  const first = declarations.kind(c)?.firstState ?? null;
  return {
    r,
    c,
    seq: 1,
    aud: 'all',
    by,
    state: state === undefined ? first : state,
    v: 1,
    born: [1, 0, 'device', 0, Date.UTC(2026, 10, 23)],
    set: { ...values },
    f: {},
    seal: null,
    held: [],
    del: null,
    ...record,
  };
}

export function shownFrom(planted: Planted): Shown {
  const record = recordOf(planted);
  const kind = declarations.kind(planted.c);
  return {
    r: planted.r,
    c: planted.c,
    record,
    values: shownOf(record, kind),
    state: record.state,
    conflicts: conflicts(record, kind),
    pending: 'none',
    deleted: false,
    ...planted.more,
  };
}

export class FakePhone implements Phone {
  readonly person = { id: 'me', name: '王建国' };
  readonly device = 'device-me';
  readonly projects;
  readonly declarations = declarations;
  readonly entries = new Map<string, Shown>();
  readonly writings: (Writing & { readonly n: number })[] = [];
  readonly repaired: { readonly n: number; readonly ops: readonly Op[] }[] = [];
  readonly dropped: number[] = [];
  readonly kept = new Map<string, Value>();
  readonly #watchers = new Map<Topic, Set<() => void>>();
  readonly #actor: Actor;
  readonly #names = new Map<string, string>();
  out: OutboxEntry[] = [];
  skew_ms: number | null = 0;
  #ids = 0;
  zone = 'Asia/Shanghai';

  constructor(
    roles: readonly string[],
    teams: readonly string[] = [],
    teamsOf: Readonly<Record<string, readonly string[]>> = {},
  ) {
    this.projects = [{ id: PROJECT, name: '一号工地', roles, teams, head: 7, epoch: 1 }];
    this.#actor = { person: 'me', device: this.device, roles, teams, teamsOf };
    this.#names.set('me', '王建国');
  }

  plant(...all: readonly Planted[]): this {
    for (const one of all) {
      this.entries.set(one.r, shownFrom(one));
      if (typeof one.values.name === 'string') this.#names.set(one.r, one.values.name);
    }
    return this;
  }

  async list(_project: string, c: string, query: Query = {}): Promise<Shown[]> {
    const day = declarations.kind(c)?.day;
    const dayOf = (shown: Shown): string => String((day && shown.values[day]) ?? '');
    return [...this.entries.values()]
      .filter((one) => one.c === c)
      .filter((one) => !query.state || (one.state !== null && query.state.includes(one.state)))
      .filter((one) => !query.held || one.record.held.length > 0)
      .filter((one) => !query.from || dayOf(one) >= query.from)
      .filter((one) => !query.to || dayOf(one) <= query.to)
      .filter((one) => query.where?.(one) ?? true)
      .sort((a, b) => (dayOf(a) < dayOf(b) ? 1 : -1))
      .slice(0, query.limit);
  }
  async get(_project: string, r: string): Promise<Shown | undefined> {
    return this.entries.get(r);
  }
  head(): number {
    return 7;
  }
  async write(_project: string, ops: readonly Op[], base?: number, memo?: Value): Promise<number> {
    const n = this.#keep({
      ops,
      ...(base === undefined ? {} : { base }),
      ...(memo === undefined ? {} : { memo }),
    });
    this.tell('records');
    this.tell('outbox');
    return n;
  }
  #keep(writing: Writing): number {
    const n = this.writings.length + 1;
    this.writings.push({ ...writing, n });
    for (const op of writing.ops) this.#apply(op);
    return n;
  }
  async writeEach(_project: string, writings: readonly Writing[]): Promise<readonly number[]> {
    const all: number[] = [];
    for (const one of writings) all.push(this.#keep(one));
    this.tell('records');
    this.tell('outbox');
    return all;
  }
  #apply(op: Op): void {
    if (op.k === 'new') {
      this.entries.set(
        op.r,
        shownFrom({ r: op.r, c: op.c, values: op.set, by: 'me', more: { pending: 'waiting' } }),
      );
      return;
    }
    const known = this.entries.get(op.r);
    const kind = declarations.kind(op.c);
    if (!known || !kind) return;
    if (op.k === 'set')
      this.entries.set(op.r, { ...known, values: { ...known.values, [op.f]: op.v }, pending: 'waiting' });
    if (op.k === 'amend' || op.k === 'decline') {
      const held = known.record.held.filter(({ of }) => `${of}` !== `${op.of}`);
      this.entries.set(op.r, { ...known, record: { ...known.record, held } });
    }
    if (op.k === 'act')
      this.entries.set(op.r, { ...known, state: kind.acts[op.act]?.to ?? known.state, pending: 'waiting' });
  }
  async check(): Promise<undefined> {
    return undefined;
  }
  async count(project: string, c: string, query: Query): Promise<number> {
    return (await this.list(project, c, query)).length;
  }
  async version(shown: Shown): Promise<string> {
    return version(shown.record, declarations.kind(shown.c));
  }
  async amendVersion(shown: Shown, of: readonly [number, number]): Promise<string> {
    return `${await this.version(shown)}+${of}`;
  }
  newId(): string {
    this.#ids += 1;
    return `0198c0de-0000-7000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
  may(
    _project: string,
    who: readonly string[],
    shown?: Shown,
    values?: Readonly<Record<string, Value>>,
  ): boolean {
    return may(who, this.#actor, shown?.record.by ?? null, values ?? shown?.values ?? {});
  }
  actor(): Actor {
    return this.#actor;
  }
  async outbox(): Promise<OutboxEntry[]> {
    return this.out;
  }
  async repair(n: number, ops: readonly Op[]): Promise<number> {
    this.repaired.push({ n, ops });
    return n + 1;
  }
  async resend(n: number): Promise<number> {
    return n + 1;
  }
  async drop(n: number): Promise<void> {
    this.dropped.push(n);
    this.out = this.out.filter((one) => one.n !== n);
    this.tell('outbox');
  }
  async draft(key: string): Promise<Draft | undefined> {
    const value = this.kept.get(key);
    return value === undefined ? undefined : { key, value, at: 0 };
  }
  saveDraft(key: string, value: Value): void {
    this.kept.set(key, JSON.parse(JSON.stringify(value)) as Value);
  }
  async dropDraft(key: string): Promise<void> {
    this.kept.delete(key);
  }
  async drafts(): Promise<readonly Draft[]> {
    return [...this.kept].map(([key, value]) => ({ key, value, at: 0 }));
  }
  async flush(): Promise<void> {}
  readonly album = new FakePhotos();
  async photos(): Promise<FakePhotos> {
    return this.album;
  }
  status(): SyncStatus {
    return {
      online: false,
      sending: false,
      pulling: false,
      waiting: this.writings.length,
      waitingBytes: 0,
      since: null,
      refused: 0,
      held: 0,
      photos: 0,
      lastSync: null,
      lastError: null,
      skew_ms: this.skew_ms,
      persisted: true,
      signedOut: false,
      updateNeeded: false,
    };
  }
  watch(topic: Topic, fn: () => void): () => void {
    const all = this.#watchers.get(topic) ?? new Set();
    this.#watchers.set(topic, all.add(fn));
    return () => all.delete(fn);
  }
  tell(topic: Topic): void {
    for (const fn of this.#watchers.get(topic) ?? []) fn();
  }
  nameOf(id: string): string {
    return this.#names.get(id) ?? id;
  }
  personOfDevice(): undefined {
    return undefined;
  }
  teamsOf(_project: string, person: string): readonly string[] {
    return this.#actor.teamsOf[person] ?? [];
  }
  zoneOf(): string {
    return this.zone;
  }
  async history(): Promise<readonly []> {
    return [];
  }
  close(): void {}
}
