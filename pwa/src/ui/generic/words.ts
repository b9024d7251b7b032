/**
 * A record in words: labels, values, titles and states as a person reads them, in one language.
 * Pure; names of people, teams and places come in as a function.
 */
import type { Field, Kind, Label, Option } from '../../core/declaration.ts';
import { isMap, type ValueMap } from '../../core/value.ts';
import type { Shown, Value } from '../../store/phone.ts';
import type { Key, Params } from '../i18n.svelte.ts';
import type { Lang } from '../preferences.svelte.ts';
import { type Tone, toneNamed } from '../tone.ts';
import { grouped, minutesText, scaledText } from './quantity.ts';
import { offsetMin, offsetText, timeOf, wall } from './zone.ts';

export type { Lang } from '../preferences.svelte.ts';

export interface Reader {
  readonly lang: Lang;
  readonly zone: string;
  nameOf(id: string): string;
  /** What a module says of this field's values instead of the type. */
  ownWords?(field: Field, value: Value): string | undefined;
  /** The app's own messages. */
  t(key: Key, params?: Params): string;
}

export function say(label: Label | undefined | null, lang: Lang, fallback = ''): string {
  return label?.[lang] || label?.zh || label?.en || fallback;
}

export function labelOf(kind: Kind, path: string, reader: Reader): string {
  if (path === 'state' || path === 'by' || path === 'pending') return reader.t(`list.${path}`);
  const [root = path, , sub] = path.split('.');
  const field = kind.written[root];
  const own = say(field?.label, reader.lang, root);
  const below = sub === undefined ? undefined : field?.fields?.[sub];
  return below ? `${own} · ${say(below.label, reader.lang, sub)}` : own;
}

/** The declared field at a path: `lines.l1.hours` is the sub-field `hours` of `lines`. */
export function fieldAt(kind: Kind, path: string): Field | undefined {
  const [root = path, , sub] = path.split('.');
  const field = kind.written[root];
  return sub === undefined ? field : (field?.fields?.[sub] ?? field);
}

export function unitOf(field: Field, lang: Lang): string {
  return say(field.unit, lang);
}

/** A value as text; an absent one is the empty string. */
export function valueText(field: Field, value: Value | undefined, reader: Reader): string {
  if (value === undefined || value === null) return '';
  const own = reader.ownWords?.(field, value);
  if (own !== undefined) return own;
  switch (field.type) {
    case 'number':
      return numberText(field, value, reader);
    case 'money':
      return typeof value === 'number' ? `¥ ${grouped(scaledText(value, 2, true))}` : String(value);
    case 'minutes':
      return typeof value === 'number' ? minutesText(value) : String(value);
    case 'bool':
      return reader.t(value === true ? 'form.yes' : 'form.no');
    case 'choice':
      return optionText(field, value, reader.lang);
    case 'multi_choice':
      return listText(field, value, reader);
    case 'date':
      return typeof value === 'string' ? dayText(value, reader) : String(value);
    case 'instant':
      return typeof value === 'number' ? instantText(value, reader) : String(value);
    case 'place':
      return placeText(value, reader);
    case 'person':
    case 'ref':
      return typeof value === 'string' ? reader.nameOf(value) : String(value);
    case 'pin':
      return isMap(value) ? pinText(value, reader) : String(value);
    case 'photos':
      if (isMap(value) && Array.isArray(value.shapes))
        return reader.t('form.drawn', { n: value.shapes.length });
      return reader.t('form.added');
    case 'files':
      return reader.t('form.added');
    case 'signature':
      return reader.t('form.signed');
    default:
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}

/** The plan's name, with the page where it is not the first. */
function pinText({ plan, page }: ValueMap, reader: Reader): string {
  const name = reader.nameOf(String(plan));
  return page === 1 ? name : `${name} · ${String(page)}`;
}

const MINUTE_MS = 60_000;

function numberText(field: Field, value: Value, reader: Reader): string {
  if (typeof value !== 'number') return String(value);
  if (field.unit?.en === 'ms' && Math.abs(value) >= MINUTE_MS) return longTime(value, reader);
  const unit = unitOf(field, reader.lang);
  return `${grouped(scaledText(value, field.scale ?? 0))}${unit && unit !== '°' ? ' ' : ''}${unit}`;
}

/** Nobody reads ten million milliseconds: from a minute on it is said in hours and minutes. */
function longTime(ms: number, reader: Reader): string {
  const all = Math.round(Math.abs(ms) / MINUTE_MS);
  const [hours, minutes] = [Math.floor(all / 60), all % 60];
  const sign = ms < 0 ? '−' : '';
  if (hours === 0) return sign + reader.t('time.minutes', { n: minutes });
  if (minutes === 0) return sign + reader.t('time.hours', { n: hours });
  return sign + reader.t('time.hours_minutes', { hours, minutes });
}

function optionText(field: Field, value: Value, lang: Lang): string {
  return say(field.options?.[String(value)], lang, String(value));
}

function listText(field: Field, value: Value, reader: Reader): string {
  if (!Array.isArray(value)) return String(value);
  const words = value.map((one) =>
    field.options ? optionText(field, one, reader.lang) : reader.nameOf(String(one)),
  );
  return words.join(reader.lang === 'zh' ? '、' : ', ');
}

const dayFormats = new Map<string, Intl.DateTimeFormat>();

/** `11月23日 周一`, `Mon 23 Nov`; with the year where it is not this one. */
export function dayText(day: string, reader: Pick<Reader, 'lang'>, year = ''): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(at)) return day;
  const withYear = year !== '' && !day.startsWith(year);
  const key = `${reader.lang}${withYear}`;
  let format = dayFormats.get(key);
  if (!format) {
    const options: Intl.DateTimeFormatOptions = {
      timeZone: 'UTC',
      weekday: 'short',
      day: 'numeric',
      month: reader.lang === 'zh' ? 'long' : 'short',
      ...(withYear ? { year: 'numeric' } : {}),
    };
    format = new Intl.DateTimeFormat(reader.lang === 'zh' ? 'zh-CN' : 'en-GB', options);
    dayFormats.set(key, format);
  }
  return format.format(at).replace(/(日)(?=周|星期)/, '$1 ');
}

/** A moment beside the day of its record: the clock alone on that day, else month and day too. */
export function momentText(at: number, day: Value | undefined, reader: Pick<Reader, 'zone'>): string {
  const text = wall(reader.zone, at);
  return text.startsWith(`${String(day)}T`) ? text.slice(11) : text.slice(5).replace('T', ' ');
}

/** `2026-11-23 07:58`, with the offset where the zone is not the reader's own. */
export function instantText(at: number, reader: Pick<Reader, 'zone'>): string {
  return wall(reader.zone, at).replace('T', ' ');
}

export function clockText(at: number, reader: Pick<Reader, 'zone'>): string {
  return timeOf(reader.zone, at);
}

export function zoneText(at: number, reader: Pick<Reader, 'zone'>): string {
  return `${reader.zone} ${offsetText(offsetMin(reader.zone, at))}`;
}

interface Fix {
  readonly lat?: Value;
  readonly lng?: Value;
  readonly accuracy_m?: Value;
  readonly fix_age_s?: Value;
  readonly code?: Value;
}

/** Position as evidence: how exact and how old, or the words that were typed. */
export function placeText(value: Value, reader: Pick<Reader, 't'>): string {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return '';
  const { accuracy_m, fix_age_s, code } = value as Fix;
  const words: string[] = [];
  if (typeof code === 'string') words.push(code);
  words.push(
    typeof accuracy_m === 'number'
      ? reader.t('form.place_accuracy', { m: accuracy_m })
      : reader.t('form.place_known'),
  );
  if (typeof fix_age_s === 'number' && fix_age_s >= 60) {
    words.push(reader.t('form.place_age', { min: Math.round(fix_age_s / 60) }));
  }
  return words.join(' · ');
}

/** What is written in both languages stands twice: `name`, and in English `name_en`. */
export function inLanguage(
  values: Readonly<Record<string, Value>>,
  path: string,
  lang: Lang,
): Value | undefined {
  return (lang === 'en' ? values[`${path}_en`] : undefined) ?? values[path];
}

/** Title of a record: the declared fields, joined; never empty. */
export function titleOf(kind: Kind, shown: Shown, reader: Reader): string {
  const words = kind.title
    .map((path) => {
      const field = fieldAt(kind, path);
      return field ? valueText(field, inLanguage(shown.values, path, reader.lang), reader) : '';
    })
    .filter((text) => text !== '');
  return words.join(' · ') || say(kind.label, reader.lang, kind.c);
}

export function option(field: Field, value: Value | undefined): Option | undefined {
  return typeof value === 'string' ? field.options?.[value] : undefined;
}

/** Where an entry stands, in the words that every screen uses. */
export interface Standing {
  readonly key: 'here' | 'refused' | 'held' | 'conflict' | 'deleted' | 'state' | 'sent';
  readonly tone: Tone;
  readonly text: string;
}

export function standingOf(kind: Kind, shown: Shown, reader: Reader): Standing {
  if (shown.pending === 'refused') return standing('refused', 'needs_you', reader.t('state.refused'));
  if (shown.conflicts.length > 0) return standing('conflict', 'needs_you', reader.t('state.conflict'));
  if (shown.pending === 'held') return standing('held', 'waits', reader.t('state.held'));
  if (shown.pending === 'waiting') return standing('here', 'waits', reader.t('state.local'));
  if (shown.deleted) return standing('deleted', 'plain', reader.t('state.deleted'));
  const state = shown.state === null ? undefined : kind.states[shown.state];
  if (!state) return standing('sent', 'plain', reader.t('state.sent'));
  return standing('state', toneNamed(state.tone), say(state.label, reader.lang, shown.state ?? ''));
}

function standing(key: Standing['key'], tone: Tone, text: string): Standing {
  return { key, tone, text };
}
