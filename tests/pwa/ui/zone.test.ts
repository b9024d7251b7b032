import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import {
  addDays,
  addMonths,
  dayOf,
  instantOf,
  isDay,
  keepOffset,
  offsetMin,
  offsetText,
  utcText,
  wall,
  weekday,
} from '../../../pwa/src/ui/generic/zone.ts';

const SHANGHAI = 'Asia/Shanghai';
const BERLIN = 'Europe/Berlin';

test('a wall time and its instant are each other in any zone without a change of clocks', () => {
  const at = Date.UTC(2026, 10, 23, 0, 2);
  expect(wall(SHANGHAI, at)).toBe('2026-11-23T08:02');
  expect(instantOf(SHANGHAI, '2026-11-23T08:02')).toBe(at);
  expect(dayOf(SHANGHAI, Date.UTC(2026, 10, 22, 17))).toBe('2026-11-23');
});

test('an hour that the zone skips moves forward, one that it repeats is the first', () => {
  expect(wall(BERLIN, instantOf(BERLIN, '2026-03-29T02:30') ?? 0)).toBe('2026-03-29T03:30');
  const first = instantOf(BERLIN, '2026-10-25T02:30') ?? 0;
  expect(offsetMin(BERLIN, first)).toBe(120);
  expect(wall(BERLIN, first)).toBe('2026-10-25T02:30');
});

test('every minute of a zone can be typed and read back', () => {
  const seed = Date.now() % 1_000_000;
  console.info(`seed ${seed}`);
  const minute = fc.integer({ min: Date.UTC(2020, 0) / 60_000, max: Date.UTC(2035, 0) / 60_000 });
  fc.assert(
    fc.property(
      minute,
      fc.constantFrom(SHANGHAI, BERLIN, 'Asia/Kathmandu', 'America/St_Johns', 'UTC'),
      (min, zone) => {
        const text = wall(zone, min * 60_000);
        const back = instantOf(zone, text);
        expect(back).not.toBeNull();
        expect(wall(zone, back ?? 0)).toBe(text);
      },
    ),
    { seed, numRuns: 300 },
  );
});

test('an offset is asked for once in weeks, and changes on the minute where the zone does', () => {
  const summer = Date.UTC(2026, 9, 25, 1) - 60_000;
  expect([offsetMin(BERLIN, summer), offsetMin(BERLIN, summer + 60_000)]).toEqual([120, 60]);
  const asked = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');
  const days = [0, 1, 2, 3].map((n) => offsetMin(SHANGHAI, Date.UTC(2031, 4, 20 + n)));
  expect(days).toEqual([480, 480, 480, 480]);
  expect(asked.mock.calls.length).toBeLessThanOrEqual(4);
  asked.mockRestore();
});

test('the next start knows the offset of now without Intl', async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
  });
  const now = Date.UTC(2026, 10, 23, 0, 2);
  keepOffset(SHANGHAI, now);
  vi.resetModules();
  const asked = vi.spyOn(Intl, 'DateTimeFormat');
  const next = await import('../../../pwa/src/ui/generic/zone.ts');
  const day = 86_400_000;
  expect([0, 1, 13].map((days) => next.wall(SHANGHAI, now + days * day))).toEqual([
    '2026-11-23T08:02',
    '2026-11-24T08:02',
    '2026-12-06T08:02',
  ]);
  expect(asked).not.toHaveBeenCalled();
  kept.set('gongbu.offset', 'not ours');
  vi.resetModules();
  const broken = await import('../../../pwa/src/ui/generic/zone.ts');
  expect(broken.wall(SHANGHAI, now)).toBe('2026-11-23T08:02');
  asked.mockRestore();
  vi.unstubAllGlobals();
});

test('days and months are counted on the calendar', () => {
  expect(addDays('2024-02-28', 1)).toBe('2024-02-29');
  expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
  expect(addMonths('2026-01', -1)).toBe('2025-12');
  expect(addMonths('2026-12', 1)).toBe('2027-01');
  expect(weekday('2026-11-23')).toBe(0);
  expect([isDay('2026-02-30'), isDay('2026-2-3'), isDay('2024-02-29')]).toEqual([false, false, true]);
});

test('an offset is written with its sign', () => {
  expect([offsetText(480), offsetText(-210), offsetText(0)]).toEqual(['+08:00', '−03:30', '+00:00']);
  expect([480, -210, 0, 600].map(utcText)).toEqual(['UTC+8', 'UTC−3:30', 'UTC+0', 'UTC+10']);
});
