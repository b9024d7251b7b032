// A batch: ops that succeed or fail together, in one project, signed as one text (P2, P5).

import type { Value } from './value.ts';

export type Op =
  | {
      readonly k: 'new';
      readonly c: string;
      readonly r: string;
      readonly set: Readonly<Record<string, Value>>;
    }
  | { readonly k: 'set'; readonly c: string; readonly r: string; readonly f: string; readonly v: Value }
  | { readonly k: 'add'; readonly c: string; readonly r: string; readonly f: string; readonly v: Value }
  | { readonly k: 'rem'; readonly c: string; readonly r: string; readonly f: string; readonly v: Value }
  | {
      readonly k: 'act';
      readonly c: string;
      readonly r: string;
      readonly act: string;
      readonly ver?: string;
      readonly note?: string;
    }
  | {
      readonly k: 'amend';
      readonly c: string;
      readonly r: string;
      readonly of: readonly [number, number];
      readonly ver: string;
    }
  | {
      readonly k: 'decline';
      readonly c: string;
      readonly r: string;
      readonly of: readonly [number, number];
      readonly note?: string;
    }
  | { readonly k: 'del'; readonly c: string; readonly r: string }
  | {
      readonly k: 'put';
      readonly c: string;
      readonly r: string;
      readonly set: Readonly<Record<string, Value>>;
    };
