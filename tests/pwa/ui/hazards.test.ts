// Whom a hazard waits for, until when it is to be fixed, roll calls, ladders, alerts that wait for me.
import { expect, test } from 'vitest';
import { USUAL, worktimeOf } from '../../../pwa/src/core/worktime.ts';
import { clockOf, minuteOf, rungsOf } from '../../../pwa/src/modules/alerts/ladder.ts';
import { dueAfter } from '../../../pwa/src/modules/safety/hazard.ts';
import { receiptsOf } from '../../../pwa/src/modules/safety/receipt.ts';
import type { Value } from '../../../pwa/src/store/phone.ts';
import { alertOf, unanswered } from '../../../pwa/src/ui/alert/alert.ts';
import { bytesOf, sameBytes } from '../../../pwa/src/ui/alert/notify.ts';
import { instantOf, wall } from '../../../pwa/src/ui/generic/zone.ts';

const ZONE = 'Asia/Shanghai';

test('what is to be fixed is due in working hours of the site', () => {
  const at = (text: string): number => instantOf(ZONE, text) ?? 0;
  const holiday = worktimeOf({}, [{ day: '2026-03-07', works: false }]);
  expect(wall(ZONE, dueAfter(24, at('2026-03-06T10:00'), ZONE, USUAL))).toBe('2026-03-10T10:00');
  expect(wall(ZONE, dueAfter(24, at('2026-03-06T10:00'), ZONE, holiday))).toBe('2026-03-11T10:00');
});

test('a call for help comes before all, and nobody stands in two lists', () => {
  const found = receiptsOf([
    { values: { to: ['a', 'b', 'c', 'd'], seen: ['a', 'b'], safe: ['b', 'c'], help: ['c'] } },
  ]);
  expect(found).toEqual({ all: 4, answered: 3, help: ['c'], safe: ['b'], seen: ['a'], silent: ['d'] });
});

test('rungs come in the order of time, half ones are left out', () => {
  const values: Record<string, Value> = {
    'rungs.a.after_min': 60,
    'rungs.a.channel': 'push',
    'rungs.a.who': 'manager',
    'rungs.b.after_min': 0,
    'rungs.b.channel': 'push',
    'rungs.b.who': 'to',
    'rungs.c.after_min': 5,
  };
  expect(rungsOf(values).map(({ key }) => key)).toEqual(['b', 'a']);
  expect(clockOf(minuteOf('22:05') ?? 0)).toBe('22:05');
  expect(minuteOf('')).toBeNull();
});

test('what waits for me: open, meant for me, answered neither there nor here; the urgent first', () => {
  const alert = (id: string, more: Record<string, Value>) =>
    alertOf({ values: { alert: id, status: 'open', to: ['me'], begun: 1, ...more } }, 'me');
  const all = [
    alert('usual', {}),
    alert('urgent', { urgent: true }),
    alert('seen', { seen: ['me'] }),
    alert('over', { status: 'acked' }),
    alert('others', { to: ['you'] }),
    alert('here', {}),
  ];
  const here = (id: string): 'seen' | undefined => (id === 'here' ? 'seen' : undefined);
  expect(unanswered(all, here).map(({ id }) => id)).toEqual(['urgent', 'usual']);
});

test('a key of the server that has changed is noticed', () => {
  const key = bytesOf('BAEC_-8');
  expect(sameBytes(key.buffer, key)).toBe(true);
  expect(sameBytes(bytesOf('BAEC_-4').buffer, key)).toBe(false);
  expect(sameBytes(null, key)).toBe(false);
});
