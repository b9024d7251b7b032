// A Problem in the person's words: what happened, what is safe, what to do.

import { Problem } from '../core/problem.ts';
import { has, type Params, t } from './i18n.svelte.ts';

export interface Said {
  readonly title: string;
  readonly advice: string;
}

/** For a code of the catalogue; `message` (from the server, already in words) where the code is new to this phone. */
export function problemWords(code: string, message?: string): Said {
  const title = `problem.${code}`;
  const advice = `${title}.do`;
  return {
    title: has(title) ? t(title) : (message ?? t('problem.unknown', { code })),
    advice: has(advice) ? t(advice) : t('problem.unknown.do'),
  };
}

/** Why one field was not taken. */
export function reasonWords(reason: string | undefined, params: Params = {}): string {
  if (reason === undefined) return '';
  const key = `reason.${reason}`;
  return has(key) ? t(key, params) : t('reason.other', { reason });
}

export function troubleWords(trouble: unknown): Said {
  if (trouble instanceof Problem) return problemWords(trouble.code, trouble.trouble.message);
  return problemWords('unexpected');
}

export function roleWord(role: string): string {
  const key = `role.${role}`;
  return has(key) ? t(key) : role;
}
