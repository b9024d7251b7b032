// The app's own filling-in of words, without the page that it usually stands on.
export type { Key, Params } from '../../../pwa/src/ui/i18n.svelte.ts';

import type { Params } from '../../../pwa/src/ui/i18n.svelte.ts';

export function fill(text: string, params: Params, lang: 'zh' | 'en'): string {
  const [one = '', other] = text.split('|', 2);
  const plural = new Intl.PluralRules(lang).select(Number(params.n ?? 2)) !== 'one';
  return (plural && other !== undefined ? other : one).replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    String(params[name] ?? whole),
  );
}
