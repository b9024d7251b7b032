import { expect, test } from 'vitest';
import { presentAt } from '../../../pwa/src/modules/safety/present.ts';

const GATE = { name: '东大门', code: 'E1' };
let clock = 0;
const check = (worker: string, direction: string, place?: unknown) => ({
  values: { worker, direction, at: ++clock, ...(place !== undefined && { place }) } as never,
});

test('who went in there and not out again is there, however the place was said', () => {
  const seen = presentAt(
    [
      check('poster', 'in', { code: 'E1' }),
      check('words', 'in', '东大门'),
      check('gone', 'in', { code: 'E1' }),
      check('gone', 'out', { code: 'E1' }),
    ],
    GATE,
  );
  expect(seen).toEqual({ here: ['poster', 'words'], somewhere: [] });
});

test('who is on the site and nobody knows where is counted apart; who is elsewhere is not called', () => {
  const seen = presentAt(
    [
      check('fix', 'in', { lat: 312_000_000, lng: 1_214_000_000 }),
      check('nothing', 'in'),
      check('elsewhere', 'in', { code: 'W2' }),
    ],
    GATE,
  );
  expect(seen).toEqual({ here: [], somewhere: ['fix', 'nothing'] });
});

test('the last check-in counts, in whatever order they come', () => {
  const [first, second] = [check('moved', 'in', { code: 'W2' }), check('moved', 'in', { code: 'E1' })];
  expect(presentAt([second, first], GATE).here).toEqual(['moved']);
});
