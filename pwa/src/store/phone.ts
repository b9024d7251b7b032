// What the screens may ask of this phone. One `Phone` is one person's database here: the
// server's records, this phone's own unanswered writes folded over them, drafts. Who is on this phone,
// signing in and out: see account.ts. Screens get both handed in by `app.ts`.

import type { Op } from '../core/batch.ts';
import type { Declarations } from '../core/declaration.ts';
import type { MergeRecord } from '../core/merge.ts';
import type { Actor } from '../core/person.ts';
import type { Remedy } from '../core/problem.ts';
import type { Value } from '../core/value.ts';
import type { Photos } from './photo.ts';

export type { Op } from '../core/batch.ts';
export type { MergeRecord, Write } from '../core/merge.ts';
export { Problem } from '../core/problem.ts';
export type { Value } from '../core/value.ts';

/** YYYY-MM-DD */
export type Day = string;

/** How this phone's own writes stand on a record. `held`: came after the approval, waits for the approver. */
export type Pending = 'none' | 'waiting' | 'refused' | 'held';

/** A record as the person sees it: the server's state with this phone's outbox folded over it (M10). */
export interface Shown {
  readonly r: string;
  readonly c: string;
  readonly record: MergeRecord;
  /** By path; erased (null) fields are left out; a set is its elements. */
  readonly values: Readonly<Record<string, Value>>;
  readonly state: string | null;
  /** Paths with several different live values. */
  readonly conflicts: readonly string[];
  readonly pending: Pending;
  readonly deleted: boolean;
  /** Newest own batch that is not settled on this record. */
  readonly n?: number;
  /** Why it was refused. */
  readonly code?: string;
}

export interface Query {
  /** Both inclusive, on the kind's `day` field. */
  readonly from?: Day;
  readonly to?: Day;
  /** Shown state is one of these. Cheap: old entries in other states are not even read. */
  readonly state?: readonly string[];
  readonly where?: (shown: Shown) => boolean;
  /** The newest so many; where the kind has a day, older ones are not even read. */
  readonly limit?: number;
  /** Only records with late writes that wait for the approver; as cheap as `state`. */
  readonly held?: true;
  /** Deleted records are left out unless asked for. */
  readonly deleted?: boolean;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly teams: readonly string[];
  readonly head: number;
  readonly epoch: number;
}

export type OutboxStatus = 'waiting' | 'sending' | 'refused' | 'held' | 'applied';

export interface OutboxEntry {
  readonly n: number;
  readonly project: string;
  readonly bytes: number;
  /** Device time it was saved, ms. */
  readonly since: number;
  readonly status: OutboxStatus;
  readonly ops: readonly Op[];
  readonly base: number;
  readonly seq?: number;
  /** Indexes of the ops that the server holds as amendments. */
  readonly held?: readonly number[];
  readonly code?: string;
  readonly message?: string;
  /** Which op, field and reason the server refused. */
  readonly op?: number;
  readonly field?: string;
  readonly reason?: string;
  /** What the screen kept with it; never sent. */
  readonly memo?: Value;
}

/** One batch to be. */
export interface Writing {
  readonly ops: readonly Op[];
  readonly base?: number;
  readonly memo?: Value;
}

export interface Draft {
  readonly key: string;
  readonly value: Value;
  readonly at: number;
}

export interface SyncError {
  readonly code: string;
  readonly message?: string;
  readonly do?: Remedy;
  readonly at: number;
  /** When it is tried again by itself. */
  readonly retryAt?: number;
}

export interface SyncStatus {
  readonly online: boolean;
  readonly sending: boolean;
  readonly pulling: boolean;
  /** Batches not yet answered, their bytes, and the age of the oldest. */
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly since: number | null;
  readonly refused: number;
  readonly held: number;
  /** Photos that the server has not confirmed; their records may have been sent long ago. */
  readonly photos: number;
  readonly lastSync: number | null;
  readonly lastError: SyncError | null;
  /** Server clock minus this phone's; null until known. */
  readonly skew_ms: number | null;
  readonly persisted: boolean | null;
  readonly signedOut: boolean;
  readonly updateNeeded: boolean;
}

export interface HistoryEntry {
  readonly seq: number;
  readonly by: string;
  readonly name: string;
  readonly device: string;
  readonly et: number;
  readonly received: number;
  readonly ops: readonly Op[];
  /** Which of `ops` were held as amendments. */
  readonly held: readonly number[];
}

export type Topic = 'records' | 'outbox' | 'status' | 'drafts' | 'photos';

/** One person's database on this phone. */
export interface Phone {
  readonly person: { readonly id: string; readonly name: string };
  readonly device: string;
  readonly projects: readonly Project[];
  readonly declarations: Declarations;

  /** Newest first: by day, then by when it was made. */
  list(project: string, c: string, query?: Query): Promise<Shown[]>;
  /** How many. The same `query` object given again reads only what has come since; it never blocks for long. */
  count(project: string, c: string, query: Query): Promise<number>;
  get(project: string, r: string, c?: string): Promise<Shown | undefined>;

  /** The head this phone has in hand: take it when a form opens and give it to `write`. */
  head(project: string): number;
  /** Durable (strict) and signed when it resolves. Throws Problem `invalid` / `too_large` for what no server could take. */
  write(project: string, ops: readonly Op[], base?: number, memo?: Value): Promise<number>;
  /** Many batches (each stands or falls alone) in one durable transaction, one notice to watchers. */
  writeEach(project: string, writings: readonly Writing[]): Promise<readonly number[]>;
  /** What the server would say now, as far as this phone knows; undefined = nothing against it. */
  check(project: string, ops: readonly Op[], base?: number): Promise<Problemish | undefined>;
  /** The `ver` an approval must carry: hash of the covered content as shown. */
  version(shown: Shown): Promise<string>;
  /** The `ver` for an `amend`: as shown, with the held op applied. */
  amendVersion(shown: Shown, of: readonly [number, number]): Promise<string>;
  /** A new record id (UUIDv7). */
  newId(): string;

  /** May this person do it, by role, team, author, person field? `who` is from a declaration. */
  may(
    project: string,
    who: readonly string[],
    shown?: Shown,
    values?: Readonly<Record<string, Value>>,
  ): boolean;
  actor(project: string): Actor;

  outbox(): Promise<OutboxEntry[]>;
  /** The refused batch again with other ops, as a new batch; answers the new n. */
  repair(n: number, ops: readonly Op[]): Promise<number>;
  resend(n: number): Promise<number>;
  drop(n: number): Promise<void>;

  draft(key: string): Promise<Draft | undefined>;
  /** On disk (a small journal) before it returns, in the database soon after. */
  saveDraft(key: string, value: Value): void;
  dropDraft(key: string): Promise<void>;
  drafts(): Promise<readonly Draft[]>;
  /** Before an update or a reload: everything typed is in the database. */
  flush(): Promise<void>;

  /** The photos on this phone; their code comes when it is first asked for. */
  photos(): Promise<Photos>;

  status(): SyncStatus;
  watch(topic: Topic, fn: () => void): () => void;

  /** Names for ids of persons, teams, devices, projects, places; the id itself when unknown. Sync, from core.* records. */
  nameOf(id: string): string;
  personOfDevice(device: string): string | undefined;
  teamsOf(project: string, person: string): readonly string[];
  /** This project's zone (IANA), from its core.project record. */
  zoneOf(project: string): string;

  /** Online only. */
  history(project: string, c: string, r: string): Promise<readonly HistoryEntry[]>;
  close(): void;
}

/** A Problem's content, not thrown. */
export interface Problemish {
  readonly code: string;
  readonly op?: number;
  readonly field?: string;
  readonly reason?: string;
}
