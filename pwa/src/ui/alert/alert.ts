/** Alerts as a phone has them: which wait for me, and what they say. Pure. */
import type { Declarations } from '../../core/declaration.ts';
import type { Shown, Value } from '../../store/phone.ts';
import type { AnswerWord } from './told.ts';

export const ALERT = 'alerts.alert';

export interface MyAlert {
  /** The alert's own id, which an answer names. */
  readonly id: string;
  readonly about: string;
  readonly c: string;
  readonly rule: string;
  readonly level: string;
  readonly urgent: boolean;
  readonly everyone: boolean;
  readonly status: string;
  readonly begun: number;
  readonly mine: AnswerWord | null;
  readonly isForMe: boolean;
}

const text = (value: Value | undefined): string => (typeof value === 'string' ? value : '');
const has = (value: Value | undefined, person: string): boolean =>
  Array.isArray(value) && value.includes(person);

export function alertOf({ values }: Pick<Shown, 'values'>, person: string): MyAlert {
  const mine = (['help', 'safe', 'seen'] as const).find((word) => has(values[word], person));
  return {
    id: text(values.alert),
    about: text(values.about),
    c: text(values.kind),
    rule: text(values.name),
    level: text(values.level),
    urgent: values.urgent === true,
    everyone: values.everyone === true,
    status: text(values.status),
    begun: typeof values.begun === 'number' ? values.begun : 0,
    mine: mine ?? null,
    isForMe: has(values.to, person),
  };
}

/** Meant for me, open, and not answered here or there: the urgent first, then the newest. */
export function unanswered(
  alerts: readonly MyAlert[],
  here: (id: string) => AnswerWord | undefined,
): readonly MyAlert[] {
  return alerts
    .filter((one) => one.isForMe && one.status === 'open' && one.mine === null && here(one.id) === undefined)
    .sort((a, b) => Number(b.urgent) - Number(a.urgent) || b.begun - a.begun);
}

/** `新隐患：重大隐患`, as its declaration has it. */
export function titleOfAlert(one: MyAlert, declarations: Declarations, lang: 'zh' | 'en'): string {
  const kind = declarations.kind(one.c);
  const title = kind?.alerts?.[one.rule]?.title[lang] ?? kind?.label[lang] ?? one.c;
  const options = Object.values(kind?.fields ?? {}).map((field) => field.options?.[one.level]);
  const level = options.find((found) => found !== undefined)?.[lang];
  return level ? `${title}${lang === 'zh' ? '：' : ': '}${level}` : title;
}
