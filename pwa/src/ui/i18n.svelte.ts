// The app's words. One flat file a language in shared/locales; a missing key is a type error.
// `{name}` is filled in; English gives two forms, `one|other`, chosen by `n`.
// The language can be changed at any time, offline: all of it is kept by the service worker.

import type zh from '../../../shared/locales/zh-CN.json';
import type { Label } from '../core/declaration.ts';
import { choose, type Lang, preferences } from './preferences.svelte.ts';

export type Key = keyof typeof zh;
export type Params = Readonly<Record<string, string | number>>;
export type { Lang } from './preferences.svelte.ts';

type Words = Readonly<Record<string, string>>;
type Load = () => Promise<{ default: Words }>;

/** What the first screens say, and the rest, which comes right after (see build-first.ts). */
const PARTS: Readonly<Record<Lang, { readonly first: Load; readonly rest: Load }>> = {
  zh: { first: () => import('virtual:first/zh-CN'), rest: () => import('virtual:rest/zh-CN') },
  en: { first: () => import('virtual:first/en'), rest: () => import('virtual:rest/en') },
};

let words: Words = $state.raw({});
let shown: Lang = $state('zh');
/** Of which language the rest is there too. */
let complete: Lang | null = null;
/** Below it a whole number has nothing that languages write in their own way. */
const GROUPED = 1000;
let numbers: Intl.NumberFormat | null = null;
let plurals: Intl.PluralRules | null = null;

/** The words of the first screens are there when it resolves. */
export async function useLanguage(next: Lang = preferences.lang): Promise<void> {
  const { default: first } = await PARTS[next].first();
  words = shown === next ? { ...words, ...first } : first;
  shown = next;
  numbers = null;
  plurals = null;
  if (preferences.lang !== next) choose({ lang: next });
  if (complete !== null) await allWords();
}

/** Every word of the language of the moment: what a screen that is loaded later waits for. */
export async function allWords(): Promise<void> {
  const lang = shown;
  if (complete === lang) return;
  const { default: rest } = await PARTS[lang].rest();
  if (lang !== shown) return;
  words = { ...words, ...rest };
  complete = lang;
}

export const language = (): Lang => shown;
export const locale = (): string => (shown === 'zh' ? 'zh-CN' : 'en');

export function t(key: Key, params: Params = {}): string {
  return fill(words[key] ?? '', params);
}

export function has(key: string): key is Key {
  return Object.hasOwn(words, key);
}

/** What a declaration calls it, in the language of the moment. */
export function label(of: Label | undefined, otherwise = ''): string {
  return of?.[shown] ?? of?.zh ?? otherwise;
}

export function fill(text: string, params: Params): string {
  return form(text, params.n).replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    if (typeof value !== 'number') return value;
    if (Number.isInteger(value) && Math.abs(value) < GROUPED) return String(value);
    numbers ??= new Intl.NumberFormat(locale());
    return numbers.format(value);
  });
}

function form(text: string, n: string | number | undefined): string {
  const [one, other] = text.split('|', 2);
  if (other === undefined || one === undefined) return text;
  plurals ??= new Intl.PluralRules(locale());
  return plurals.select(Number(n ?? 2)) === 'one' ? one : other;
}
