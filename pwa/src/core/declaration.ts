// What a module declares (shared/modules/*.json), read once into types; the phone's checks on values.

import type { Value } from './value.ts';

export interface Label {
  readonly zh: string;
  readonly en: string;
}

export type FieldType =
  | 'text'
  | 'long_text'
  | 'number'
  | 'money'
  | 'bool'
  | 'choice'
  | 'multi_choice'
  | 'date'
  | 'instant'
  | 'minutes'
  | 'place'
  | 'ref'
  | 'person'
  | 'photos'
  | 'files'
  | 'signature'
  | 'rows';

export type Merge = 'keep' | 'last' | 'once' | 'set';
/** JsonLogic */
export type Logic = Value;

export interface Option extends Label {
  readonly tone?: string;
}

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly label?: Label;
  readonly merge: Merge;
  readonly required?: boolean;
  readonly max?: number;
  readonly min?: number;
  readonly pattern?: string;
  readonly scale?: number;
  readonly unit?: string;
  readonly options?: Readonly<Record<string, Option>>;
  readonly kind?: string;
  readonly fields?: Readonly<Record<string, Field>>;
  readonly when?: Logic;
  readonly default?: Value;
  readonly computed?: Logic;
}

export interface State {
  readonly label?: Label;
  readonly tone?: string;
  readonly seals?: boolean;
}

export interface Act {
  readonly label?: Label;
  readonly from: readonly string[];
  readonly to: string;
  readonly roles: readonly string[];
  readonly not?: readonly string[];
  readonly if?: Logic;
  readonly needs_note?: boolean;
}

export interface Check {
  readonly that: Logic;
  readonly else: Label;
  readonly level?: 'warn' | 'refuse';
}

export interface Kind {
  /** `module.kind` */
  readonly c: string;
  readonly label: Label;
  readonly title: readonly string[];
  readonly audience: string;
  readonly may: { readonly create: readonly string[]; readonly edit: readonly string[] };
  readonly fields: Readonly<Record<string, Field>>;
  readonly checks: readonly Check[];
  readonly states: Readonly<Record<string, State>>;
  readonly acts: Readonly<Record<string, Act>>;
  readonly form: readonly { readonly title?: Label; readonly fields: readonly string[] }[];
  readonly views: readonly Readonly<Record<string, Value>>[];
  readonly export: readonly string[];
  readonly alerts: readonly Readonly<Record<string, Value>>[];
  readonly day?: string;
  readonly computed_by?: string;
  /** As written in the file. */
  readonly raw: Readonly<Record<string, Value>>;
}

export interface Module {
  readonly module: string;
  readonly version: number;
  readonly label: Label;
  readonly icon?: string;
  readonly kinds: Readonly<Record<string, Kind>>;
}

export interface Declarations {
  /** Sum of all module versions. */
  readonly v: number;
  readonly modules: Readonly<Record<string, Module>>;
  readonly kinds: Readonly<Record<string, Kind>>;
  kind(c: string): Kind | undefined;
}
