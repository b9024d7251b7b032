// The app's words. One flat file a language in shared/locales; a missing key is a type error.
// `{name}` is filled in; English gives two forms, `one|other`, chosen by `n`.
// The language can be changed at any time, offline: both files are kept by the service worker.

import type zh from '../../../shared/locales/zh-CN.json';
import type { Label } from '../core/declaration.ts';
import { choose, type Lang, preferences } from './preferences.svelte.ts';

export type Key = keyof typeof zh;
export type Params = Readonly<Record<string, string | number>>;
export type { Lang } from './preferences.svelte.ts';

const LOADERS: Readonly<Record<Lang, () => Promise<{ default: Readonly<Record<Key, string>> }>>> = {
  zh: () => import('../../../shared/locales/zh-CN.json'),
  en: () => import('../../../shared/locales/en.json'),
};

let words: Readonly<Record<string, string>> = $state.raw({});
let shown: Lang = $state('zh');

export async function useLanguage(next: Lang = preferences.lang): Promise<void> {
  const loaded = await LOADERS[next]();
  words = loaded.default;
  shown = next;
  if (preferences.lang !== next) choose({ lang: next });
}

export const language = (): Lang => shown;
export const locale = (): string => (shown === 'zh' ? 'zh-CN' : 'en');

export function t(key: Key, params: Params = {}): string {
  return fill(words[key] ?? key, params);
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
    return typeof value === 'number' ? new Intl.NumberFormat(locale()).format(value) : value;
  });
}

function form(text: string, n: string | number | undefined): string {
  const [one, other] = text.split('|', 2);
  if (other === undefined || one === undefined) return text;
  return new Intl.PluralRules(locale()).select(Number(n ?? 2)) === 'one' ? one : other;
}
