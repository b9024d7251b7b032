// What the server tells of a record's alerts, and how a person reads it.

import type { Key } from '../i18n.svelte.ts';

export type AnswerWord = 'seen' | 'safe' | 'help';

export interface Attempt {
  readonly step: number;
  readonly channel: string;
  readonly person: string | null;
  readonly name: string;
  readonly status: string;
  readonly at: number | null;
  readonly tries: number;
  readonly note: string;
}
export interface Told {
  readonly id: string;
  readonly name: string;
  readonly level: string;
  readonly urgent: boolean;
  readonly everyone: boolean;
  readonly status: string;
  readonly begun: number;
  readonly next: number | null;
  readonly steps: readonly { readonly step: number; readonly due: number; readonly taken: number }[];
  readonly attempts: readonly Attempt[];
  readonly answers: readonly {
    readonly person: string;
    readonly name: string;
    readonly at: number;
    readonly answer: AnswerWord;
    readonly via: 'app' | 'notification';
  }[];
}

const HOW: Readonly<Record<string, Key>> = {
  waiting: 'alert.how_waiting',
  sent: 'alert.how_sent',
  later: 'alert.how_later',
  failed: 'alert.how_failed',
  gone: 'alert.how_gone',
  no_way: 'alert.how_no_way',
  answered: 'alert.how_answered',
  gathered: 'alert.how_gathered',
};

/** How an attempt stands; a state that this phone does not know is shown as the server names it. */
export const howKey = (status: string): Key | null => HOW[status] ?? null;

export const ANSWERS: readonly AnswerWord[] = ['seen', 'safe', 'help'];
