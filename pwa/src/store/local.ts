// One person's database on this phone, opened: the Phone that the screens use, and beside it what only
// the exchange with the server needs. Everything the screens see is read from disk; what is kept in
// memory (names, counts) can be read again at any time.

import type { Of, Op } from '../core/batch.ts';
import type { Declarations } from '../core/declaration.ts';
import { type MergeRecord, type VersionOf, withHeld } from '../core/merge.ts';
import { type Actor, may } from '../core/person.ts';
import { Problem } from '../core/problem.ts';
import { PAYLOAD_BYTES_MAX } from '../core/refused.ts';
import type { Value } from '../core/value.ts';
import type { Album, PhotoServer } from './album.ts';
import {
  change,
  type Entry,
  type Me,
  openPersonDb,
  type PersonDb,
  type ProjectRow,
  put,
  type ReadTx,
  type WriteTx,
} from './database.ts';
import { type Journal, openDrafts } from './draft.ts';
import { newId, type Random } from './id.ts';
import { idle } from './idle.ts';
import { signText } from './key.ts';
import { lazily } from './lazily.ts';
import { CORE_KINDS, type Names, readNames } from './names.ts';
import { type Notice, openNotices } from './notice.ts';
import * as outbox from './outbox.ts';
import type {
  HistoryEntry,
  OutboxEntry,
  Phone,
  Problemish,
  Project,
  Query,
  Shown,
  SyncStatus,
  Topic,
  Writing,
} from './phone.ts';
import * as record from './record.ts';
import type { IsMatch, Tally } from './tally.ts';
import { type Own, opsOf, toShown, withOwn } from './view.ts';

/** What the outside world gives; tests give their own. */
export interface Surroundings {
  readonly now: () => number;
  readonly random: Random;
  readonly journal: Journal | null;
  readonly storage?: Pick<StorageManager, 'estimate'> | null;
}

/** What the exchange reports about itself; counts are the store's own. */
export type Report = Pick<
  SyncStatus,
  'online' | 'sending' | 'pulling' | 'lastError' | 'persisted' | 'signedOut' | 'updateNeeded'
>;

/** The Phone, and what the exchange needs. */
export interface Local extends Phone {
  readonly cursors: ReadonlyMap<string, ProjectRow>;
  nextToSend(countMax: number, bytesMax: number): Promise<Entry[]>;
  /** These batches are under way now. */
  sendingNow(numbers: readonly number[]): void;
  settle(answers: readonly outbox.Answer[]): Promise<void>;
  renumber(expected: number): Promise<boolean>;
  setAside(n: number, code: string): Promise<void>;
  resign(): Promise<void>;
  takePage(page: record.Page): Promise<boolean>;
  erase(project: string, restart: record.Restart): Promise<void>;
  /** The memberships as the server says now; what the person has left is erased, the outbox is not. */
  setProjects(projects: readonly Project[]): Promise<void>;
  tidy(project: string): Promise<void>;
  report(part: Partial<Report>): void;
  synced(at: number): Promise<void>;
  setSkew(skew_ms: number): Promise<void>;
  /** Work that would be lost with the database. */
  unsent(): Promise<number>;
  whenSaved(fn: () => void): () => void;
  album(): Promise<Album>;
  /** Photos of colleagues may have arrived meanwhile. */
  photoNews(): void;
}

export type History = (
  device: string,
  project: string,
  c: string,
  r: string,
) => Promise<readonly HistoryEntry[]>;

export interface Opening {
  readonly person: string;
  readonly declarations: Declarations | Promise<Declarations>;
  readonly surroundings: Surroundings;
  readonly history: History;
  readonly photos: PhotoServer;
  /** Where it is being opened already. */
  readonly db?: Promise<PersonDb>;
}

/** Opens the database of a person who is on this phone. */
export async function openLocal(opening: Opening): Promise<Local> {
  const db = await (opening.db ?? openPersonDb(opening.person));
  const [start, declarations] = await Promise.all([readStart(db), opening.declarations]);
  if (start.me) return new LocalPhone(db, start.me, declarations, opening).start(start);
  db.close();
  throw new Problem({ code: 'signed_out', do: 'sign_in' });
}

/** What must be in memory before the first screen, in one transaction. */
async function readStart(db: PersonDb): Promise<Start> {
  const tx = db.transaction(['me', 'projects', 'numbers', 'outbox', 'chunks', 'rows', 'photos']);
  const reading = readCounts(tx);
  const [me, rows] = await Promise.all([tx.objectStore('me').get('me'), tx.objectStore('projects').getAll()]);
  const core = await record.readKinds(
    tx,
    rows.map(({ id }) => id),
    CORE_KINDS,
  );
  return { me, rows, core, counted: await reading };
}

interface Start {
  readonly me: Me | undefined;
  readonly rows: readonly ProjectRow[];
  readonly core: readonly record.InProject[];
  readonly counted: Counted;
}

/** Makes the person's database, or tells the one that is there of a new device. */
export async function putPerson(
  me: Me,
  projects: readonly Project[],
  lastN: number,
  skew_ms: number,
): Promise<void> {
  const db = await openPersonDb(me.id);
  const before = await db.get('me', 'me');
  const work = async (tx: WriteTx): Promise<void> => {
    put(tx, 'me', me, 'me');
    put(tx, 'numbers', skew_ms, 'skew');
    const n = (await tx.objectStore('numbers').get('n')) ?? 0;
    if (lastN > n) put(tx, 'numbers', lastN, 'n');
    for (const project of projects)
      put(tx, 'projects', joined(await tx.objectStore('projects').get(project.id), project));
  };
  await change(db, ['me', 'numbers', 'projects'], work, 'strict');
  if (before && before.device !== me.device) {
    await outbox.renumber(db, (payload) => signText(me.sign, payload), lastN + 1);
  }
  db.close();
}

function joined(row: ProjectRow | undefined, project: Project): ProjectRow {
  const { id, name, roles, teams, head, epoch } = project;
  return { cursor: 0, base: 0, pulled: null, audiences: [], ...row, id, name, roles, teams, head, epoch };
}

const NOTHING_REPORTED: Report = {
  online: true,
  sending: false,
  pulling: false,
  lastError: null,
  persisted: null,
  signedOut: false,
  updateNeeded: false,
};
const NO_COUNTS = { waiting: 0, waitingBytes: 0, since: null, refused: 0, held: 0, photos: 0 };

const CLOSE_AFTER_MS = 2_000;

const NAMES_SHA = '"sha":"';
const SHAS = /"sha":"([0-9a-f]{64})"/g;

/** Judging needs the rules of every field; they come beside the first screen, for its first tap, and once. */
type Judge = typeof import('./judge.ts');

const loadJudge = lazily(() => import('./judge.ts'));
const loadTally = lazily(() => import('./tally.ts'));

class LocalPhone implements Local {
  readonly person: { readonly id: string; readonly name: string };
  readonly device: string;
  readonly declarations: Declarations;
  readonly history: Phone['history'];
  readonly album: () => Promise<Album>;
  #opened: Album | null = null;

  readonly #db: PersonDb;
  readonly #me: Me;
  readonly #around: Surroundings;
  readonly #notices: ReturnType<typeof openNotices>;
  readonly #cache = record.newCache();
  #tallies = new WeakMap<Query, Tally>();
  readonly #sign: outbox.Sign;
  #drafts!: Awaited<ReturnType<typeof openDrafts>>;
  #projects = new Map<string, ProjectRow>();
  #names: Names = readNames([], () => undefined);
  #report = NOTHING_REPORTED;
  #counts: Pick<SyncStatus, keyof typeof NO_COUNTS> = NO_COUNTS;
  #lastSync: number | null = null;
  #skew: number | null = null;
  #sending: ReadonlySet<number> = new Set();
  #saving: Promise<unknown> = Promise.resolve();
  /** From the tap on: what nobody waits for keeps still meanwhile. */
  #writing: Promise<unknown> = Promise.resolve();
  /** The last number that this tab took; another tab may have gone on. */
  #lastN: number | null = null;
  #reading = 0;
  #versionOf: VersionOf = null;

  constructor(
    db: PersonDb,
    me: Me,
    declarations: Declarations,
    { person, surroundings, history, photos }: Opening,
  ) {
    this.person = { id: me.id, name: me.name };
    this.device = me.device;
    this.declarations = declarations;
    this.history = (...asked) => history(me.device, ...asked);
    this.#db = db;
    this.#me = me;
    this.#around = surroundings;
    this.#sign = (payload) => signText(me.sign, payload);
    this.#notices = openNotices(`gongbu-${person}`);
    this.album = lazily(async () => {
      const { openAlbum } = await import('./album.ts');
      this.#opened = await openAlbum(this.#forAlbum(photos));
      return this.#opened;
    });
  }

  async start({ rows, core, counted }: Start): Promise<this> {
    const changed = (): void => this.#notices.tell({ topic: 'drafts' });
    const { journal, now } = this.#around;
    this.#projects = new Map(rows.map((row) => [row.id, row]));
    this.#names = readNames(core, this.declarations.kind);
    this.#count(counted);
    this.#drafts = await openDrafts(this.#db, journal, this.person.id, now, changed);
    this.#hearOtherTabs();
    setTimeout(() => void this.#judge());
    return this;
  }

  /** Another tab wrote to the same database: what is kept in memory is read again. */
  #hearOtherTabs(): void {
    const whenOther = (topic: Topic, hear: (notice: Notice) => Promise<void> | void): void => {
      this.#notices.watch(topic, (notice) => {
        if (notice.isOther) Promise.resolve(hear(notice)).then(() => this.#tellHere('status'), ifClosed);
      });
    };
    whenOther('outbox', () => this.#readCounts());
    whenOther('photos', () => this.#readCounts());
    whenOther('records', async ({ isCore }) => {
      await this.#readProjects();
      if (isCore) await this.#readNames();
    });
    this.#notices.watch('status', ({ isOther, report }) => {
      if (isOther && report) this.#report = { ...this.#report, ...(report as Partial<Report>) };
    });
  }

  #tellHere(topic: Topic): void {
    this.#notices.tellHere({ topic });
  }

  // --- reading -----------------------------------------------------------------------------------

  get projects(): readonly Project[] {
    return [...this.#projects.values()];
  }

  get cursors(): ReadonlyMap<string, ProjectRow> {
    return this.#projects;
  }

  async list(project: string, c: string, query: Query = {}): Promise<Shown[]> {
    // An own approval of what has changed meanwhile must not hide it from who looks for what waits.
    if (query.state || query.held) await this.#judge();
    const kind = this.declarations.kind(c);
    const matching = (stored: MergeRecord | undefined, own: readonly Own[]): Shown | undefined => {
      const one = this.#show(stored, own);
      return one && matches(one, query, kind?.day) ? one : undefined;
    };
    const hit = (stored: MergeRecord): string | null => {
      const one = matching(stored, []);
      return one ? dayText(one, kind?.day) : null;
    };
    const found = await record.findKind(this.#db, this.#cache, project, c, query, hit);
    const list = [...new Set([...found.records.keys(), ...found.own.keys()])]
      .map((r) => matching(found.records.get(r), found.own.get(r) ?? []))
      .filter((one) => one !== undefined)
      .sort(newestFirst(kind?.day));
    return query.limit === undefined ? list : list.slice(0, query.limit);
  }

  async count(project: string, c: string, query: Query): Promise<number> {
    const { countKind, newTally } = await loadTally();
    const kind = this.declarations.kind(c);
    const known = this.#tallies.get(query);
    const tally = known?.project === project && known.c === c ? known : newTally(project, c);
    this.#tallies.set(query, tally);
    const isMatch: IsMatch = (stored, own) => {
      const one = this.#show(stored, own);
      return one !== undefined && matches(one, query, kind?.day);
    };
    return countKind(this.#db, this.#cache, tally, query, isMatch, async () => {
      await this.#writing;
      await idle();
    });
  }

  async get(project: string, r: string, c?: string): Promise<Shown | undefined> {
    await this.#judge();
    const { record: stored, own } = await record.findOne(this.#db, this.#cache, project, r, c);
    return this.#show(stored, own);
  }

  #show(stored: MergeRecord | undefined, own: readonly Own[]): Shown | undefined {
    const c = stored?.c ?? own[0]?.ops[0]?.op.c ?? '';
    const kind = this.declarations.kind(c);
    const folded =
      own.length === 0 ? stored : withOwn(stored, own, kind, this.#me, this.#skew ?? 0, this.#versionOf);
    return folded && toShown(folded, own, kind, this.person.id);
  }

  head(project: string): number {
    return this.#projects.get(project)?.base ?? 0;
  }

  version(shown: Shown): Promise<string> {
    return this.#hash(shown.record, shown.c);
  }

  amendVersion(shown: Shown, of: Of): Promise<string> {
    return this.#hash(withHeld(shown.record, of, this.declarations.kind(shown.c)), shown.c);
  }

  async #hash(record: MergeRecord, c: string): Promise<string> {
    if (!this.#versionOf) await this.#judge();
    if (!this.#versionOf) throw new Problem({ code: 'unavailable', do: 'retry' });
    return this.#versionOf(record, this.declarations.kind(c));
  }

  async #judge(): Promise<Judge | null> {
    const judge = await loadJudge().catch(() => null);
    this.#versionOf = judge?.version ?? this.#versionOf;
    return judge;
  }

  newId(): string {
    return newId(this.#around.now(), this.#around.random);
  }

  // --- writing -----------------------------------------------------------------------------------

  async write(project: string, ops: readonly Op[], base?: number, memo?: Value): Promise<number> {
    const [n] = await this.writeEach(project, [
      { ops, ...(base !== undefined && { base }), ...(memo !== undefined && { memo }) },
    ]);
    return n as number;
  }

  async writeEach(project: string, writings: readonly Writing[]): Promise<readonly number[]> {
    const saved = this.#mustFit(project, writings).then(() =>
      this.#save(writings.map((writing) => this.#unsigned(project, writing))),
    );
    this.#writing = saved.catch(() => undefined);
    return saved;
  }

  async check(project: string, ops: readonly Op[], base?: number): Promise<Problemish | undefined> {
    return (await this.#judged(project, [{ ops, ...(base !== undefined && { base }) }]))[0];
  }

  /** Each by itself, against what is shown now; one that cannot be judged is let through. */
  async #judged(project: string, writings: readonly Writing[]): Promise<readonly (Problemish | undefined)[]> {
    const judge = await this.#judge();
    if (!judge) return [];
    const records = await this.#foldedFor(
      project,
      writings.flatMap(({ ops }) => ops),
    );
    const { declarations } = this;
    const actor = this.actor(project);
    return writings.map(({ ops, base = this.head(project) }) =>
      judge.judge({ base, v: declarations.v, ops }, actor, records, declarations, this.#serverNow()),
    );
  }

  /**
   * Only what can never be right is refused here; roles and states may have changed on the server.
   * Where the judge itself cannot be loaded, the words are saved all the same.
   */
  async #mustFit(project: string, writings: readonly Writing[]): Promise<void> {
    const isForGood = (found: Problemish | undefined): boolean =>
      found?.code === 'invalid' && found.reason !== 'unknown_kind';
    const found = (await this.#judged(project, writings)).find(isForGood);
    if (found)
      throw new Problem({
        ...found,
        code: found.reason === 'too_large' ? 'too_large' : 'invalid',
        do: 'fix',
      });
  }

  /** The records that ops name, as the person sees them; new ones are not looked for. */
  async #foldedFor(project: string, ops: readonly Op[]): Promise<Map<string, MergeRecord>> {
    const made = new Set(ops.filter(({ k }) => k === 'new').map(({ r }) => r));
    const ids = new Set(ops.map(({ r }) => r).filter((r) => !made.has(r)));
    const folded = new Map<string, MergeRecord>();
    if (ids.size === 0) return folded;
    const { records, own } = await record.findSome(this.#db, this.#cache, project, ids);
    for (const r of ids) {
      const shown = this.#show(records.get(r), own.get(r) ?? []);
      if (shown) folded.set(r, shown.record);
    }
    return folded;
  }

  #unsigned(project: string, { ops, base = this.head(project), memo }: Writing): outbox.Unsigned {
    const unsigned = { project, base, t: this.#around.now(), v: this.declarations.v, ops };
    if (outbox.bytesOf(outbox.payloadOf(Number.MAX_SAFE_INTEGER, unsigned)) > PAYLOAD_BYTES_MAX) {
      throw new Problem({ code: 'too_large', do: 'fix' });
    }
    return memo === undefined ? unsigned : { ...unsigned, memo };
  }

  /** One at a time in this tab, so that numbers are not signed twice for nothing. */
  async #save(batches: readonly outbox.Unsigned[], replaces?: number): Promise<readonly number[]> {
    const saved = this.#saving.then(() =>
      outbox.save(this.#db, this.#sign, batches, { after: this.#lastN, ...(replaces && { replaces }) }),
    );
    this.#saving = saved.catch(() => undefined);
    const numbers = await saved;
    this.#lastN = numbers.at(-1) ?? this.#lastN;
    const { waiting, refused } = this.#counts;
    this.#counts = {
      ...this.#counts,
      waiting: waiting + numbers.length,
      refused: replaces === undefined ? refused : refused - 1,
    };
    // It is on disk: the thumb is told first, the lists after.
    void this.#outboxChanged().then(() => this.#notices.tell({ topic: 'saved' }), ifClosed);
    return numbers;
  }

  async #outboxChanged(isCore = false): Promise<void> {
    await this.#readCounts();
    this.#notices.tell({ topic: 'outbox' });
    this.#notices.tell({ topic: 'records', isCore });
    this.#tellHere('status');
  }

  // --- who ---------------------------------------------------------------------------------------

  actor(project: string): Actor {
    const membership = this.#projects.get(project);
    return {
      person: this.person.id,
      device: this.device,
      roles: membership?.roles ?? [],
      teams: membership?.teams ?? [],
      teamsOf: this.#names.teamsOf.get(project) ?? {},
    };
  }

  may(
    project: string,
    who: readonly string[],
    shown?: Shown,
    values: Readonly<Record<string, Value>> = shown?.values ?? {},
  ): boolean {
    return may(who, this.actor(project), shown?.record.by ?? null, values);
  }

  nameOf(id: string): string {
    return (
      this.#names.names.get(id) ??
      this.#projects.get(id)?.name ??
      (id === this.person.id ? this.person.name : id)
    );
  }

  personOfDevice(device: string): string | undefined {
    return device === this.device ? this.person.id : this.#names.personByDevice.get(device);
  }

  teamsOf(project: string, person: string): readonly string[] {
    return this.actor(project).teamsOf[person] ?? [];
  }

  zoneOf(project: string): string {
    return this.#names.zones.get(project) ?? 'Asia/Shanghai';
  }

  // --- outbox ------------------------------------------------------------------------------------

  async outbox(): Promise<OutboxEntry[]> {
    return (await this.#db.getAll('outbox')).map((entry) => this.#entryShown(entry));
  }

  #entryShown(entry: Entry): OutboxEntry {
    const { payload: _payload, sig: _sig, t: _t, ...rest } = entry;
    const isSending = entry.status === 'waiting' && this.#sending.has(entry.n);
    return { ...rest, ops: opsOf(entry), status: isSending ? 'sending' : entry.status };
  }

  async repair(n: number, ops: readonly Op[]): Promise<number> {
    const { project, memo } = await this.#refusedEntry(n);
    await this.#mustFit(project, [{ ops }]);
    return this.#again(n, this.#unsigned(project, { ops, ...(memo !== undefined && { memo }) }));
  }

  async resend(n: number): Promise<number> {
    const entry = await this.#refusedEntry(n);
    const { project, base, memo } = entry;
    return this.#again(
      n,
      this.#unsigned(project, { ops: opsOf(entry), base, ...(memo !== undefined && { memo }) }),
    );
  }

  async #again(n: number, batch: outbox.Unsigned): Promise<number> {
    return (await this.#save([batch], n))[0] as number;
  }

  async drop(n: number): Promise<void> {
    await this.#refusedEntry(n);
    await this.#db.delete('outbox', n);
    await this.#outboxChanged();
  }

  /** What waits has its number already and goes out; only what came back can be changed or dropped. */
  async #refusedEntry(n: number): Promise<Entry> {
    const entry = await this.#db.get('outbox', n);
    if (!entry || (entry.status !== 'refused' && entry.status !== 'held'))
      throw new Problem({ code: 'not_found' });
    return entry;
  }

  // --- drafts ------------------------------------------------------------------------------------

  draft: Phone['draft'] = (key) => this.#drafts.get(key);
  saveDraft: Phone['saveDraft'] = (key, value) => this.#drafts.save(key, value);
  dropDraft: Phone['dropDraft'] = (key) => this.#drafts.drop(key);
  drafts: Phone['drafts'] = () => this.#drafts.all();
  flush: Phone['flush'] = () => this.#drafts.flush();

  // --- photos ------------------------------------------------------------------------------------

  photos: Phone['photos'] = () => this.album();

  photoNews(): void {
    void this.#opened?.askAgain();
  }

  /** Records came that name photos: have they arrived too? */
  async #askFor(project: string, lines: record.Page['lines']): Promise<void> {
    const shas = lines.flatMap(({ text }) =>
      text.includes(NAMES_SHA) ? [...text.matchAll(SHAS)].map(([, sha]) => sha as string) : [],
    );
    if (shas.length > 0) (await this.album()).ask(project, shas);
  }

  #forAlbum(server: PhotoServer): Parameters<typeof import('./album.ts').openAlbum>[0] {
    const { now, storage } = this.#around;
    return {
      db: this.#db,
      notices: this.#notices,
      now,
      server,
      estimate: async () => (await storage?.estimate()) ?? null,
      get: (...asked) => this.get(...asked),
      counted: () => this.#readCounts().then(() => this.#tellHere('status')),
    };
  }

  // --- status ------------------------------------------------------------------------------------

  status(): SyncStatus {
    return { ...this.#report, ...this.#counts, lastSync: this.#lastSync, skew_ms: this.#skew };
  }

  watch(topic: Topic, fn: () => void): () => void {
    return this.#notices.watch(topic, fn);
  }

  whenSaved(fn: () => void): () => void {
    return this.#notices.watch('saved', fn);
  }

  /** A screen that is being left may be reading still: the connection goes a moment after it. */
  close(): void {
    this.#drafts.close();
    this.#notices.close();
    setTimeout(() => this.#db.close(), CLOSE_AFTER_MS);
  }

  // --- for the exchange --------------------------------------------------------------------------

  nextToSend(countMax: number, bytesMax: number): Promise<Entry[]> {
    return outbox.nextToSend(this.#db, countMax, bytesMax);
  }

  sendingNow(numbers: readonly number[]): void {
    this.#sending = new Set(numbers);
    this.report({ sending: numbers.length > 0 });
    this.#tellHere('outbox');
  }

  async settle(answers: readonly outbox.Answer[]): Promise<void> {
    await outbox.settle(this.#db, answers);
    await this.#outboxChanged();
  }

  async renumber(expected: number): Promise<boolean> {
    const isDone = await outbox.renumber(this.#db, this.#sign, expected);
    await this.#outboxChanged();
    return isDone;
  }

  async setAside(n: number, code: string): Promise<void> {
    await outbox.setAside(this.#db, this.#sign, n, code);
    await this.#outboxChanged();
  }

  resign(): Promise<void> {
    return outbox.resign(this.#db, this.#sign);
  }

  async takePage(page: record.Page): Promise<boolean> {
    const isTaken = await record.takePage(this.#db, this.declarations.kind, page);
    await this.#readProjects();
    if (!isTaken) return false;
    if (page.lines.length === 0) return true;
    void this.#askFor(page.project, page.lines).catch(() => undefined);
    const isCore = page.lines.some(({ record }) => record.c.startsWith('core.'));
    if (isCore) await this.#readNames();
    await this.#outboxChanged(isCore);
    return true;
  }

  async erase(project: string, restart: record.Restart): Promise<void> {
    const row = this.#projects.get(project);
    if (!row) return;
    await record.erase(this.#db, this.declarations.kind, row, restart);
    await (await this.album()).doubt(project);
    await this.#recordsErased();
  }

  async setProjects(projects: readonly Project[]): Promise<void> {
    const ids = new Set(projects.map(({ id }) => id));
    const before = rolesIn(this.projects);
    const left = [...this.#projects.keys()].filter((id) => !ids.has(id));
    await change(this.#db, ['projects'], async (tx) => {
      for (const project of projects)
        put(tx, 'projects', joined(await tx.objectStore('projects').get(project.id), project));
    });
    for (const id of left) {
      await record.eraseProject(this.#db, id);
      await (await this.album()).doubt(id);
    }
    await this.#readProjects();
    if (left.length > 0) await this.#recordsErased();
    else this.#tellHere('status');
    if (rolesIn(this.projects) !== before) this.#forgetCounts();
  }

  async #recordsErased(): Promise<void> {
    this.#cache.records.clear();
    this.#cache.ids.clear();
    await this.#readProjects();
    await this.#readNames();
    this.#notices.tell({ topic: 'records', isCore: true });
  }

  async tidy(project: string): Promise<void> {
    while (await record.tidy(this.#db, this.declarations.kind, project));
  }

  report(part: Partial<Report>): void {
    this.#report = { ...this.#report, ...part };
    this.#notices.tell({ topic: 'status', report: part });
  }

  async synced(at: number): Promise<void> {
    this.#lastSync = at;
    await this.#db.put('numbers', at, 'lastSync');
    this.report({ lastError: null });
  }

  async setSkew(skew_ms: number): Promise<void> {
    this.#skew = skew_ms;
    await this.#db.put('numbers', skew_ms, 'skew');
  }

  async unsent(): Promise<number> {
    const { waiting, refused, held, photos } = this.#counts;
    return waiting + refused + held + photos + (await this.drafts()).length;
  }

  #serverNow(): number {
    return this.#around.now() + (this.#skew ?? 0);
  }

  async #readProjects(): Promise<void> {
    const rows = await this.#db.getAll('projects');
    this.#projects = new Map(rows.map((row) => [row.id, row]));
  }

  async #readNames(): Promise<void> {
    const tx = this.#db.transaction(['chunks', 'rows']);
    const core = await record.readKinds(tx, [...this.#projects.keys()], CORE_KINDS);
    this.#names = readNames(core, this.declarations.kind);
    this.#forgetCounts();
  }

  /** Who is in which team and holds which role is part of what a query asks. */
  #forgetCounts(): void {
    this.#tallies = new WeakMap();
  }

  /** Of several readings under way the one begun last counts: it saw the newest state. */
  async #readCounts(): Promise<void> {
    const turn = ++this.#reading;
    const counted = await readCounts(this.#db.transaction(['outbox', 'numbers', 'photos']));
    if (turn === this.#reading) this.#count(counted);
  }

  #count({ entries, photos, lastSync, skew }: Counted): void {
    this.#counts = { ...countsOf(entries), photos };
    this.#lastSync = lastSync ?? null;
    this.#skew = skew ?? null;
  }
}

interface Counted {
  readonly entries: readonly Entry[];
  readonly photos: number;
  readonly lastSync: number | undefined;
  readonly skew: number | undefined;
}

async function readCounts(tx: ReadTx): Promise<Counted> {
  const [entries, photos, lastSync, skew] = await Promise.all([
    tx.objectStore('outbox').getAll(),
    tx.objectStore('photos').index('since').count(),
    tx.objectStore('numbers').get('lastSync'),
    tx.objectStore('numbers').get('skew'),
  ]);
  return { entries, photos, lastSync, skew };
}

function rolesIn(projects: readonly Project[]): string {
  return JSON.stringify(projects.map(({ id, roles, teams }) => [id, roles, teams]));
}

/** A notice may come in while the phone is being closed. */
function ifClosed(error: unknown): void {
  if (!(error instanceof DOMException)) throw error;
}

function countsOf(entries: readonly Entry[]): Omit<Pick<SyncStatus, keyof typeof NO_COUNTS>, 'photos'> {
  const waiting = entries.filter(({ status }) => status === 'waiting');
  return {
    waiting: waiting.length,
    waitingBytes: waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    since: waiting.length > 0 ? Math.min(...waiting.map(({ since }) => since)) : null,
    refused: entries.filter(({ status }) => status === 'refused').length,
    held: entries.filter(({ status }) => status === 'held').length,
  };
}

function matches(shown: Shown, query: Query, day: string | undefined): boolean {
  if (shown.deleted && !query.deleted) return false;
  if (query.state && (shown.state === null || !query.state.includes(shown.state))) return false;
  if (query.held && shown.record.held.length === 0) return false;
  const at = dayText(shown, day);
  if (query.from !== undefined && at < query.from) return false;
  if (query.to !== undefined && at > query.to) return false;
  return query.where?.(shown) ?? true;
}

function dayText(shown: Shown, day: string | undefined): string {
  const value = day === undefined ? undefined : shown.values[day];
  return typeof value === 'string' ? value : '';
}

function newestFirst(day: string | undefined): (a: Shown, b: Shown) => number {
  return (a, b) => {
    const [x, y] = [dayText(a, day), dayText(b, day)];
    if (x !== y) return x < y ? 1 : -1;
    return b.record.born[4] - a.record.born[4] || (a.r < b.r ? 1 : -1);
  };
}
