// Answers to alerts: on the phone at once, sent when there is a network. They lie in localStorage, a few
// bytes each; what was answered from a notification lies with the service worker, which sends its own.

import { Problem } from '../../core/problem.ts';
import type { Site } from '../site.svelte.ts';
import type { AnswerWord } from './told.ts';

export interface Answer {
  readonly alert: string;
  readonly answer: AnswerWord;
}

const KEY = 'gongbu.answers.';
/** Given here, until the server's record says the same. */
let given: Readonly<Record<string, AnswerWord>> = $state.raw({});
let loadedFor = '';

export function answerOf(site: Site, alert: string): AnswerWord | undefined {
  load(site.phone.person.id);
  return given[alert];
}

export function answer(site: Site, alert: string, word: AnswerWord): void {
  const person = site.phone.person.id;
  load(person);
  given = { ...given, [alert]: word };
  keep(person, [...waiting(person).filter((one) => one.alert !== alert), { alert, answer: word }]);
  void sendAnswers(site);
}

/** Answered from a notification: the service worker has it and sends it. */
export function answered(site: Site, answers: readonly Answer[]): void {
  load(site.phone.person.id);
  const found = answers.map((one) => [one.alert, one.answer] as const);
  queueMicrotask(() => {
    given = { ...given, ...Object.fromEntries(found) };
  });
}

function load(person: string): void {
  if (loadedFor === person) return;
  loadedFor = person;
  const found = waiting(person).map((one) => [one.alert, one.answer] as const);
  queueMicrotask(() => {
    given = Object.fromEntries(found);
  });
}

export function waiting(person: string): readonly Answer[] {
  try {
    return JSON.parse(localStorage.getItem(KEY + person) ?? '[]') as Answer[];
  } catch {
    return [];
  }
}
function keep(person: string, answers: readonly Answer[]): void {
  if (answers.length === 0) localStorage.removeItem(KEY + person);
  else localStorage.setItem(KEY + person, JSON.stringify(answers));
}

let sending: Promise<void> | null = null;

/** Of those there is hope for once there is a network, or the person has signed in. */
const LATER = new Set(['retry', 'sign_in', 'update']);

/** Those that the server takes, or will never take, are done; the others wait for whose they are. */
export async function sendAnswers(site: Site): Promise<void> {
  while (sending) await sending;
  sending = send(site).finally(() => {
    sending = null;
  });
  await sending;
}

async function send(site: Site): Promise<void> {
  const person = site.phone.person.id;
  for (const one of waiting(person)) {
    // A shared phone may have changed hands meanwhile.
    if (site.accounts.current() !== person) return;
    try {
      await site.accounts.api('POST', `/api/alerts/${encodeURIComponent(one.alert)}/answer`, {
        answer: one.answer,
        via: 'app',
      });
    } catch (error) {
      if (!(error instanceof Problem) || LATER.has(error.trouble.do ?? 'retry')) return;
    }
    keep(
      person,
      waiting(person).filter((left) => left.alert !== one.alert || left.answer !== one.answer),
    );
  }
}
