/**
 * The form of any kind, as data: fields → controls, what is asked now (`when`), what is missing or
 * out of bounds, defaults, rows with totals, and the ops that saving makes. No clock, no disk, no DOM.
 *
 * A form holds flat paths (`lines.l1.hours`), as records do. What a person is typing and is not yet a
 * value stands in `typed`, so that a draft keeps the very keystrokes.
 */
import type { Op } from '../../core/batch.ts';
import type { Kind } from '../../core/declaration.ts';
import { checkField, type Field, type Label, type Reason } from '../../core/field.ts';
import { equal, isMap, type Value } from '../../core/value.ts';
import { parseMinutes, parseScaled } from './quantity.ts';
import { applies, computedValue, type LogicData, logicData, type Values } from './rules.ts';
import { dayOf } from './zone.ts';

export type { Values } from './rules.ts';

export interface Form {
  readonly c: string;
  readonly r: string;
  readonly isNew: boolean;
  /** The head that the author had in hand when the form was opened (M10). */
  readonly base: number;
  readonly start: Values;
  readonly values: Values;
  readonly typed: Readonly<Record<string, string>>;
  /** Keys of rows in the order they were added; an empty row is here and nowhere else. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
  readonly touched: readonly string[];
}

export interface FormContext {
  readonly person: string;
  readonly now: number;
  readonly zone: string;
  readonly base: number;
  /** What the same person wrote last in this kind, for `"default": "last"`. */
  readonly last: Values | null;
}

export interface Problem {
  readonly path: string | null;
  readonly level: 'warn' | 'error';
  /** A word of the shared list of reasons, or the declaration's own words. */
  readonly why: { readonly reason: Reason; readonly field: Field } | { readonly words: Label };
}

export interface Control {
  readonly path: string;
  readonly field: Field;
  readonly value: Value;
  readonly typed: string | null;
  readonly canEdit: boolean;
}

export interface SectionOfForm {
  readonly title: Label | null;
  readonly controls: readonly Control[];
}

/** Types whose controls are text boxes: what is typed may be no value yet. */
const TYPED = new Set(['number', 'money', 'minutes']);
/** Types whose values stand below the field's path, by key. */
const KEYED = new Set(['rows', 'photos', 'files']);

export function openNew(kind: Kind, r: string, context: FormContext, given: Values = {}): Form {
  const values: Record<string, Value> = { ...given };
  for (const [name, field] of Object.entries(kind.fields)) {
    if (values[name] !== undefined) continue;
    const value = defaultOf(name, field, context);
    if (value !== null) values[name] = value;
  }
  return {
    c: kind.c,
    r,
    isNew: true,
    base: context.base,
    start: {},
    values,
    typed: {},
    rows: {},
    touched: [],
  };
}

export function openEdit(kind: Kind, r: string, base: number, shown: Values): Form {
  const rows: Record<string, string[]> = {};
  for (const [name, field] of Object.entries(kind.fields)) {
    if (field.type === 'rows') rows[name] = keysOf(shown, name);
  }
  return { c: kind.c, r, isNew: false, base, start: shown, values: shown, typed: {}, rows, touched: [] };
}

function defaultOf(name: string, field: Field, context: FormContext): Value {
  const word = field.default;
  if (word === undefined || word === null || field.computed !== undefined) return null;
  if (word === 'last') return context.last?.[name] ?? null;
  if (word === 'me' && field.type === 'person') return context.person;
  if (word === 'now' && field.type === 'instant') return context.now;
  if (word === 'today' && field.type === 'date') return dayOf(context.zone, context.now);
  if (word === 'here' && field.type === 'place') return null; // the fix arrives later, by itself
  return word;
}

/** Keys below a keyed field that hold something. */
export function keysOf(values: Values, name: string): string[] {
  const keys = new Set<string>();
  for (const [path, value] of Object.entries(values)) {
    if (value !== null && path.startsWith(`${name}.`)) keys.add(path.split('.')[1] ?? '');
  }
  return [...keys].sort();
}

/** A control's new value; null empties it. */
export function put(form: Form, path: string, value: Value): Form {
  const { [path]: _, ...typed } = form.typed;
  return { ...form, values: { ...form.values, [path]: value }, typed, touched: touch(form, path) };
}

/** What was typed into a number, money or hours box. Text that is no value yet keeps the box as it is. */
export function type(form: Form, path: string, field: Field, text: string): Form {
  const value = field.type === 'minutes' ? parseMinutes(text) : parseScaled(text, field.decimals);
  return {
    ...form,
    values: { ...form.values, [path]: value === 'wrong' ? null : value },
    typed: { ...form.typed, [path]: text },
    touched: touch(form, path),
  };
}

/** The day of a record goes with its moment, until somebody sets the day himself. */
export function dated(kind: Kind, before: Form, after: Form, zone: string): Form {
  const day = kind.day;
  if (day === undefined || after.touched.includes(day)) return after;
  const moment = Object.keys(kind.fields).find((name) => kind.fields[name]?.type === 'instant');
  const at = moment === undefined ? undefined : after.values[moment];
  if (moment === undefined || typeof at !== 'number' || at === before.values[moment]) return after;
  return { ...after, values: { ...after.values, [day]: dayOf(zone, at) } };
}

function touch(form: Form, path: string): readonly string[] {
  return form.touched.includes(path) ? form.touched : [...form.touched, path];
}

export function addRow(form: Form, name: string, key: string): Form {
  const keys = [...(form.rows[name] ?? keysOf(form.values, name)), key];
  return { ...form, rows: { ...form.rows, [name]: keys }, touched: touch(form, name) };
}

export function removeRow(form: Form, name: string, key: string): Form {
  const values: Record<string, Value> = {};
  const typed: Record<string, string> = {};
  const inRow = (path: string): boolean => path.startsWith(`${name}.${key}.`) || path === `${name}.${key}`;
  for (const [path, value] of Object.entries(form.values)) values[path] = inRow(path) ? null : value;
  for (const [path, text] of Object.entries(form.typed)) if (!inRow(path)) typed[path] = text;
  const keys = (form.rows[name] ?? []).filter((known) => known !== key);
  return { ...form, values, typed, rows: { ...form.rows, [name]: keys }, touched: touch(form, name) };
}

/** A key for a new row: sorts by the moment it was added, and two phones do not make the same. */
export function rowKey(now: number, random: number): string {
  return `l${now.toString(36)}${Math.floor(random * 46_656)
    .toString(36)
    .padStart(3, '0')}`;
}

export function isKeyed(field: Field): boolean {
  return KEYED.has(field.type);
}

/** Sections of the declared layout with the controls that are asked now. Without a layout: all in one. */
export function sectionsOf(kind: Kind, form: Form): readonly SectionOfForm[] {
  const layout = kind.form?.length ? kind.form : [{ fields: Object.keys(kind.fields) }];
  const data = logicData(kind, form.values, null);
  return layout
    .map((section) => ({
      title: section.title ?? null,
      controls: section.fields
        .map((name) => ({ name, field: kind.fields[name] }))
        .filter((one): one is { name: string; field: Field } => one.field !== undefined)
        .filter(({ field }) => !field.automatic && isAsked(field, data))
        .map(({ name, field }) => control(form, name, field, data)),
    }))
    .filter((section) => section.controls.length > 0);
}

/** The controls of just these fields, some of which must be filled in. */
export function controlsOf(
  kind: Kind,
  form: Form,
  names: readonly string[],
  must: readonly string[],
): readonly Control[] {
  const data = logicData(kind, form.values, null);
  return names.flatMap((name) => {
    const field = kind.fields[name];
    return field ? [control(form, name, { ...field, required: must.includes(name) }, data)] : [];
  });
}

function control(form: Form, path: string, field: Field, data: LogicData): Control {
  return {
    path,
    field,
    value: field.computed === undefined ? (form.values[path] ?? null) : computedValue(field, data),
    typed: form.typed[path] ?? null,
    canEdit: field.computed === undefined && (form.isNew || field.merge !== 'once'),
  };
}

/** The controls of one row, in the order that its declaration has. */
export function rowControls(form: Form, name: string, key: string, rows: Field): readonly Control[] {
  const data: Record<string, Value> = {};
  for (const [sub, field] of Object.entries(rows.fields ?? {})) {
    data[sub] = scaled(field, form.values[`${name}.${key}.${sub}`] ?? null);
  }
  return Object.entries(rows.fields ?? {})
    .filter(([, field]) => isAsked(field, data))
    .map(([sub, field]) => control(form, `${name}.${key}.${sub}`, field, data));
}

export function rowKeys(form: Form, name: string): readonly string[] {
  return form.rows[name] ?? keysOf(form.values, name);
}

/** Sums below the rows: only of the declared totals, in stored units. */
export function totalsOf(
  values: Values,
  name: string,
  rows: Field,
): readonly { sub: string; field: Field; sum: number }[] {
  return (rows.totals ?? []).flatMap((sub) => {
    const field = rows.fields?.[sub];
    if (!field) return [];
    const sum = Object.entries(values).reduce((all, [path, value]) => {
      const [root, , last] = path.split('.');
      return root === name && last === sub && typeof value === 'number' ? all + value : all;
    }, 0);
    return [{ sub, field, sum }];
  });
}

export function isAsked(field: Field, data: LogicData): boolean {
  return field.when === undefined || field.when === null || applies(field.when, data);
}

function scaled(field: Field, value: Value): Value {
  return typeof value === 'number' ? value / 10 ** field.decimals : value;
}

/** Everything that stands in the way of saving (error) or should be looked at (warn). */
export function problemsOf(kind: Kind, form: Form): readonly Problem[] {
  const data = logicData(kind, visibleValues(kind, form), null);
  const found: Problem[] = [];
  for (const [name, field] of Object.entries(kind.fields)) {
    if (field.computed !== undefined || !isAsked(field, data)) continue;
    if (isKeyed(field)) found.push(...keyedProblems(form, name, field));
    else found.push(...valueProblems(form, name, field));
  }
  for (const check of kind.checks ?? []) {
    if (applies(check.that, data)) continue;
    found.push({ path: null, level: check.level === 'warn' ? 'warn' : 'error', why: { words: check.else } });
  }
  return found;
}

function valueProblems(form: Form, path: string, field: Field): readonly Problem[] {
  const text = form.typed[path];
  const value = form.values[path] ?? null;
  if (value === null && text !== undefined && text.trim() !== '') return [wrong(path, 'number', field)];
  if (isEmpty(value)) return field.required ? [wrong(path, 'required', field)] : [];
  const reason = checkField(field, value);
  return reason === null ? [] : [wrong(path, reason, field)];
}

function keyedProblems(form: Form, name: string, field: Field): readonly Problem[] {
  const keys = field.type === 'rows' ? rowKeys(form, name) : keysOf(form.values, name);
  if (field.required && keys.length === 0) return [wrong(name, 'required', field)];
  if (field.max !== undefined && field.max !== null && keys.length > field.max)
    return [wrong(name, 'max', field)];
  if (field.type !== 'rows') return [];
  return keys.flatMap((key) =>
    rowControls(form, name, key, field)
      .filter((one) => one.field.computed === undefined)
      .flatMap((one) => valueProblems(form, one.path, one.field)),
  );
}

function wrong(path: string, reason: Reason, field: Field): Problem {
  return { path, level: 'error', why: { reason, field } };
}

function isEmpty(value: Value): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Values without those of fields that are not asked: an answer to a question nobody asked is none. */
export function visibleValues(kind: Kind, form: Form): Values {
  const data = logicData(kind, form.values, null);
  const kept: Record<string, Value> = {};
  for (const [path, value] of Object.entries(form.values)) {
    const field = kind.fields[path.split('.')[0] ?? ''];
    if (!field || isAsked(field, data))
      kept[path] = typeof value === 'string' ? value.normalize('NFC') : value;
  }
  return kept;
}

/** What saving writes: one `new`, or one op for each path that changed. Nothing changed: nothing. */
export function opsOf(kind: Kind, form: Form): readonly Op[] {
  const values = visibleValues(kind, form);
  if (form.isNew) {
    const set: Record<string, Value> = {};
    for (const [path, value] of Object.entries(values)) if (!isEmpty(value)) set[path] = value;
    return [{ k: 'new', c: kind.c, r: form.r, set }];
  }
  const paths = [...new Set([...Object.keys(form.start), ...Object.keys(values)])].sort();
  return paths.flatMap((path) => {
    const before = form.start[path] ?? null;
    const now = isEmpty(values[path] ?? null) ? null : (values[path] ?? null);
    return isSet(kind, path)
      ? elementOps(kind, form.r, path, before, now)
      : setOps(kind, form.r, path, before, now);
  });
}

function isSet(kind: Kind, path: string): boolean {
  const field = kind.fields[path];
  return field?.type === 'multi_choice' || field?.merge === 'set';
}

function setOps(kind: Kind, r: string, path: string, before: Value, now: Value): readonly Op[] {
  if (equal(before, now)) return [];
  return [{ k: 'set', c: kind.c, r, f: path, v: now }];
}

function elementOps(kind: Kind, r: string, path: string, before: Value, now: Value): readonly Op[] {
  const had = Array.isArray(before) ? before : [];
  const has = Array.isArray(now) ? now : [];
  const rem = had.filter((one) => !has.includes(one));
  const add = has.filter((one) => !had.includes(one));
  return [
    ...rem.map((v): Op => ({ k: 'rem', c: kind.c, r, f: path, v })),
    ...add.map((v): Op => ({ k: 'add', c: kind.c, r, f: path, v })),
  ];
}

export function isChanged(kind: Kind, form: Form): boolean {
  return form.touched.length > 0 && (Object.keys(form.typed).length > 0 || opsOf(kind, form).length > 0);
}

export function isTyped(field: Field): boolean {
  return TYPED.has(field.type);
}

/** The form as a draft: plain JSON, with the very keystrokes. */
export function formDraft(form: Form): Value {
  const { c, r, isNew, base, start, values, typed, rows, touched } = form;
  return { c, r, is_new: isNew, base, start, values, typed, rows, touched };
}

/** A draft as a form; null where it is none or belongs to another kind. */
export function formIn(kind: Kind, draft: Value | undefined): Form | null {
  if (draft === undefined || !isMap(draft) || draft.c !== kind.c || typeof draft.r !== 'string') return null;
  const { start, values, typed, rows, touched, base } = draft;
  if (!isMap(start) || !isMap(values) || !isMap(typed) || !isMap(rows)) return null;
  return {
    c: kind.c,
    r: draft.r,
    isNew: draft.is_new === true,
    base: typeof base === 'number' ? base : 0,
    start,
    values,
    typed: typed as Readonly<Record<string, string>>,
    rows: rows as Readonly<Record<string, readonly string[]>>,
    touched: Array.isArray(touched) ? touched.map(String) : [],
  };
}
