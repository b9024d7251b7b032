// A reader for tests: words from the real files, names as they are.

import type { Reader } from '../../../pwa/src/ui/generic/words.ts';
import en from '../../../shared/locales/en.json';
import zh from '../../../shared/locales/zh-CN.json';
import { fill, type Key, type Params } from './say.ts';

export function reader(lang: 'zh' | 'en' = 'zh', names: Readonly<Record<string, string>> = {}): Reader {
  const words: Readonly<Record<string, string>> = lang === 'zh' ? zh : en;
  return {
    lang,
    zone: 'Asia/Shanghai',
    nameOf: (id) => names[id] ?? id,
    t: (key: Key, params: Params = {}) => fill(words[key] ?? `missing: ${key}`, params, lang),
  };
}
