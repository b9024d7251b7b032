import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  grouped,
  minutesText,
  parseMinutes,
  parseScaled,
  scaledText,
} from '../../../pwa/src/ui/generic/quantity.ts';

test('what is typed becomes a whole number at the scale, without a float on the way', () => {
  expect(parseScaled('12.34', 2)).toBe(1234);
  expect(parseScaled('0.1', 1)).toBe(1);
  expect(parseScaled('-3', 2)).toBe(-300);
  expect(parseScaled('.5', 1)).toBe(5);
  expect(parseScaled('1,234.50', 2)).toBe(123450);
  expect(parseScaled('¥ 8', 2)).toBe(800);
});

test('full-width digits and marks from a Chinese keyboard are digits', () => {
  expect(parseScaled('１２．５', 1)).toBe(125);
  expect(parseScaled('12。5', 1)).toBe(125);
  expect(parseMinutes('７：３０')).toBe(450);
});

test('nothing typed is nothing; words, too many places and too large are wrong', () => {
  expect(parseScaled('  ', 2)).toBeNull();
  for (const text of ['abc', '1.2.3', '-', '.', '1.234', '99999999999999999999', '1e5']) {
    expect(parseScaled(text, 2), text).toBe('wrong');
  }
  expect(parseScaled('1.230', 2)).toBe(123);
});

test('every stored number can be shown and typed again', () => {
  const seed = Date.now() % 1_000_000;
  console.info(`seed ${seed}`);
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 9 }), fc.boolean(), (value, scale, fixed) => {
      const stored = value === 0 ? 0 : value;
      expect(parseScaled(scaledText(stored, scale, fixed), scale)).toBe(stored);
      expect(parseScaled(grouped(scaledText(stored, scale, fixed)), scale)).toBe(stored);
    }),
    { seed, numRuns: 500 },
  );
});

test('hours are typed as 7:30, 7.5 or 7', () => {
  expect(['7:30', '7.5', '7', '0:05', ''].map(parseMinutes)).toEqual([450, 450, 420, 5, null]);
  expect(['7:60', 'x', '7.333', '-1'].map(parseMinutes)).toEqual(['wrong', 'wrong', 'wrong', 'wrong']);
  expect([minutesText(450), minutesText(5), minutesText(6000)]).toEqual(['7:30', '0:05', '100:00']);
});
