// The merge: log → records (M1–M9, A1–A3). Pure folding, the same in both languages.

import type { Op } from './batch.ts';
import type { Value } from './value.ts';

/** [seq, i, device, base, et] */
export type Stamp = readonly [number, number, string, number, number];
/** [seq, i, device, base, et, value] */
export type Write = readonly [number, number, string, number, number, Value];

export interface Held {
  readonly of: readonly [number, number];
  readonly op: Op;
  readonly by: string;
  readonly device: string;
  readonly base: number;
  readonly et: number;
}

export interface Seal {
  readonly seq: number;
  readonly i: number;
  readonly ver: string;
  readonly by: string;
  readonly et: number;
}

/** Wire form = stored form = in-memory form (P6). */
export interface MergeRecord {
  r: string;
  c: string;
  seq: number;
  aud: string;
  by: string;
  state: string | null;
  v: number;
  born: Stamp;
  set: Record<string, Value>;
  f: Record<string, readonly Write[]>;
  seal: Seal | null;
  held: readonly Held[];
  del: readonly [number, number, string, number, number, string] | null;
  /** [seq, i, device, base, et, act, by, note] of the newest transition. */
  act?: readonly [number, number, string, number, number, string, string, string | null];
}
