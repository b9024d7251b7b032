// @vitest-environment jsdom
// Answers to alerts given in the app: they wait for whose they are, and none stands in the way of another.
import { beforeEach, expect, test } from 'vitest';
import { Problem } from '../../../pwa/src/core/problem.ts';
import { answer, sendAnswers, waiting } from '../../../pwa/src/ui/alert/answers.svelte.ts';
import type { Site } from '../../../pwa/src/ui/site.svelte.ts';

let current: string;
let posted: string[];
/** What the server says to an answer of this alert. */
let refusals: Map<string, Problem>;

function siteOf(person: string): Site {
  const api = async (_method: string, path: string): Promise<void> => {
    const alert = path.split('/')[3] ?? '';
    posted.push(`${current} ${alert}`);
    const refusal = refusals.get(alert);
    if (refusal) throw refusal;
  };
  return { phone: { person: { id: person } }, accounts: { api, current: () => current } } as unknown as Site;
}
const alerts = (person: string): string[] => waiting(person).map((one) => one.alert);

beforeEach(() => {
  localStorage.clear();
  current = 'li';
  posted = [];
  refusals = new Map();
});

test('what will never be taken is dropped, and the next goes out', async () => {
  refusals.set('a', new Problem({ code: 'forbidden', do: 'ask' }));
  const site = siteOf('li');
  answer(site, 'a', 'seen');
  answer(site, 'b', 'safe');
  await sendAnswers(site);
  expect(alerts('li')).toEqual([]);
  expect(posted.at(-1)).toBe('li b');
});

test('signed out or without a network it waits', async () => {
  const site = siteOf('li');
  for (const trouble of [
    { code: 'signed_out', do: 'sign_in' },
    { code: 'offline', do: 'retry' },
  ] as const) {
    refusals.set('a', new Problem(trouble));
    answer(site, 'a', 'seen');
    await sendAnswers(site);
    expect(alerts('li')).toEqual(['a']);
  }
});

test('on a phone that has changed hands nothing of the other goes out', async () => {
  refusals.set('a', new Problem({ code: 'offline', do: 'retry' }));
  const li = siteOf('li');
  answer(li, 'a', 'seen');
  await sendAnswers(li);
  refusals.clear();
  posted = [];
  current = 'wang';
  await sendAnswers(li);
  expect([posted, alerts('li')]).toEqual([[], ['a']]);
});
