// A declaration: what a module is, as data (shared/modules/*.json), read once into types.
// The server has refused wrong ones at its start and the build checks them too, so reading here only
// fills in what is left out.

import type { Field, FieldType, Label, Logic, Merge } from './field.ts';
import { at } from './value.ts';

export type { Field, FieldType, Label, Logic, Merge, Option, Reason } from './field.ts';

/** How many keys a field written by key may hold, unless it says so itself. */
export const KEYED_MAX = { photos: 30, files: 30, rows: 200 } as const;

/** What is drawn on a record's photos, at `marks.<key of the photo>` (P14). */
export const MARKS = 'marks';

/** The field that `marks` is in every kind that has photos: undeclared, kept as others are. */
const DRAWING: Field = {
  name: MARKS,
  type: 'photos',
  label: { zh: '照片标注', en: 'Drawn on photos' },
  merge: 'keep',
  decimals: 0,
};

export interface Check {
  readonly that: Logic;
  readonly else: Label;
  readonly level: 'warn' | 'error';
}

export interface State {
  readonly label: Label;
  readonly tone?: string;
  readonly seals?: boolean;
}

export interface Act {
  readonly label: Label;
  readonly from: readonly string[];
  readonly to: string;
  readonly roles: readonly string[];
  readonly not?: readonly string[];
  readonly if?: Logic;
  /** Fields that must have a value before it; who lacks one is told which. */
  readonly needs?: readonly string[];
  readonly needs_note?: boolean;
  /** Breaks the seal: back from a sealed state into work. */
  readonly reopens?: boolean;
}

export interface Section {
  readonly title?: Label;
  readonly fields: readonly string[];
}

export interface View {
  readonly as: 'list' | 'calendar' | 'table' | (string & {});
  readonly columns?: readonly string[];
  readonly group?: string;
  readonly date?: string;
  readonly label?: Label;
}

/** When a record of this kind calls people, and in which states that is over. */
export interface AlertRule {
  readonly title: Label;
  readonly on: 'created' | 'act' | 'overdue';
  /** Of `overdue`: the field that says until when. */
  readonly due?: string;
  readonly ends?: readonly string[];
}

export interface Kind {
  /** `module.kind` */
  readonly c: string;
  readonly label: Label;
  readonly title: readonly string[];
  readonly audience: string;
  readonly may: {
    readonly create: readonly string[];
    readonly edit: readonly string[];
    readonly delete: readonly string[];
  };
  readonly fields: Readonly<Record<string, Field>>;
  /** The fields that an op may name: the declared ones, and what is drawn on photos. */
  readonly written: Readonly<Record<string, Field>>;
  readonly checks: readonly Check[];
  readonly states: Readonly<Record<string, State>>;
  readonly firstState: string | null;
  readonly acts: Readonly<Record<string, Act>>;
  readonly form: readonly Section[];
  readonly views: readonly View[];
  readonly export: readonly string[];
  /** Name of the date field that dates the record. */
  readonly day?: string;
  readonly computed_by?: string;
  readonly alerts?: Readonly<Record<string, AlertRule>>;
  /** The field that the audience names (`worker` in `person:{worker}`). */
  readonly audienceField: string | null;
  readonly required: readonly string[];
  /** The fields written by key (photos, files, rows) → how many keys each may hold. */
  readonly keyed: Readonly<Record<string, number>>;
}

export interface Module {
  readonly module: string;
  readonly version: number;
  readonly label: Label;
  readonly icon?: string;
  readonly kinds: Readonly<Record<string, Kind>>;
}

export interface Declarations {
  /** Sum of all module versions (M9). */
  readonly v: number;
  readonly modules: Readonly<Record<string, Module>>;
  readonly kinds: Readonly<Record<string, Kind>>;
  kind(c: string): Kind | undefined;
}

type Written<T> = { readonly [K in keyof T]?: T[K] };
interface WrittenField extends Omit<Written<Field>, 'fields'> {
  readonly type: FieldType;
  readonly label: Label;
  readonly fields?: Readonly<Record<string, WrittenField>>;
}
interface WrittenKind extends Omit<Written<Kind>, 'fields' | 'may'> {
  readonly label: Label;
  readonly audience: string;
  readonly fields: Readonly<Record<string, WrittenField>>;
  readonly may?: Written<Kind['may']>;
}
interface WrittenModule extends Omit<Module, 'kinds'> {
  readonly kinds: Readonly<Record<string, WrittenKind>>;
}

/** The parsed JSON of every module. */
export function readDeclarations(files: readonly unknown[]): Declarations {
  const modules: Record<string, Module> = {};
  const kinds: Record<string, Kind> = {};
  let v = 0;
  for (const file of files) {
    const module = readModule(file as WrittenModule);
    modules[module.module] = module;
    for (const kind of Object.values(module.kinds)) kinds[kind.c] = kind;
    v += module.version;
  }
  return { v, modules, kinds, kind: (c) => at(kinds, c) };
}

/** The declared field that a path begins with, computed ones aside. */
export function fieldAt(kind: Kind, path: string): Field | undefined {
  const field = rootField(kind, path);
  return field?.computed === undefined ? field : undefined;
}

/** The merge rule of a path; an undeclared one is kept (M9). */
export function ruleAt(kind: Kind | undefined, path: string): Merge {
  return (kind && rootField(kind, path)?.merge) ?? 'keep';
}

/** The power of ten between the stored and the shown number at a path (V4). */
export function decimalsAt(kind: Kind, path: string): number {
  const root = rootField(kind, path);
  if (!root?.fields || root.name === path) return root?.decimals ?? 0;
  return at(root.fields, path.split('.').slice(2).join('.'))?.decimals ?? 0;
}

function rootField(kind: Kind, path: string): Field | undefined {
  const own = at(kind.written, path);
  if (own) return own;
  const dot = path.indexOf('.');
  return dot < 0 ? undefined : at(kind.written, path.slice(0, dot));
}

function readModule(file: WrittenModule): Module {
  const kinds: Record<string, Kind> = {};
  for (const [name, kind] of Object.entries(file.kinds))
    kinds[name] = readKind(`${file.module}.${name}`, kind);
  return { ...file, kinds };
}

function readKind(c: string, written: WrittenKind): Kind {
  const fields = readFields(written.fields);
  const states = written.states ?? {};
  const keyed = readKeyed(fields);
  return {
    ...written,
    c,
    fields,
    written: Object.hasOwn(keyed, MARKS) ? { ...fields, [MARKS]: DRAWING } : fields,
    states,
    title: written.title ?? [],
    may: { create: [], edit: [], delete: [], ...written.may },
    checks: (written.checks ?? []).map((check) => ({ ...check, level: check.level ?? 'error' })),
    acts: written.acts ?? {},
    form: written.form ?? [],
    views: written.views ?? [],
    export: written.export ?? [],
    firstState: Object.keys(states)[0] ?? null,
    audienceField: /\{(\w+)\}/.exec(written.audience)?.[1] ?? null,
    required: Object.values(fields)
      .filter((field) => field.required)
      .map((field) => field.name),
    keyed,
  };
}

/** As many photos may be drawn on as there may be. */
function readKeyed(fields: Readonly<Record<string, Field>>): Record<string, number> {
  const keyed: Record<string, number> = {};
  let photos = 0;
  for (const { name, type, max } of Object.values(fields)) {
    if (!isKeyed(type)) continue;
    keyed[name] = max ?? KEYED_MAX[type];
    if (type === 'photos') photos += keyed[name];
  }
  return photos > 0 ? { ...keyed, [MARKS]: photos } : keyed;
}

function isKeyed(type: FieldType): type is keyof typeof KEYED_MAX {
  return Object.hasOwn(KEYED_MAX, type);
}

function readFields(written: Readonly<Record<string, WrittenField>>): Record<string, Field> {
  const fields: Record<string, Field> = {};
  for (const [name, field] of Object.entries(written)) {
    fields[name] = {
      ...field,
      name,
      fields: field.fields && readFields(field.fields),
      merge: field.merge ?? (field.type === 'multi_choice' ? 'set' : 'keep'),
      decimals: field.type === 'money' ? 2 : (field.scale ?? 0),
    } as Field;
  }
  return fields;
}
