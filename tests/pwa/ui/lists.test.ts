import { describe, expect, test } from 'vitest';
import { stepDay, weeksOf } from '../../../pwa/src/ui/generic/calendar.ts';
import { cellText, columnsOf, lineOf, rowsOf } from '../../../pwa/src/ui/generic/list.ts';
import { standingOf, titleOf, valueText } from '../../../pwa/src/ui/generic/words.ts';
import { kindOf, shownFrom, the } from './fake.ts';
import { reader } from './reader.ts';

const kind = kindOf('trial.every');
const values = {
  name: '基坑',
  level: 'large',
  who: 'u1',
  day: '2026-11-23',
  weight: 123456,
  price: 50,
  trades: ['wood', 'mason'],
  took: 450,
  stops: false,
};
const one = (r: string, day: string, more = {}) =>
  shownFrom({ r, c: kind.c, values: { ...values, day }, more });

test('entries stand under their day, in the order they came', () => {
  const rows = rowsOf(
    kind,
    [one('a', '2026-11-23'), one('b', '2026-11-23'), one('c', '2026-11-22')],
    reader(),
  );
  expect(rows.map((row) => (row.type === 'group' ? `${row.label} ${row.count}` : row.id))).toEqual([
    '11月23日 周一 2',
    'a',
    'b',
    '11月22日 周日 1',
    'c',
  ]);
});

test('a line is said in both languages, without the state and the day that stand apart', () => {
  const shown = one('a', '2026-11-23');
  expect(lineOf(kind, shown, reader('zh', { u1: '李四' }))).toMatchObject({
    main: '基坑',
    more: '重大 · 李四',
  });
  expect(lineOf(kind, shown, reader('en', { u1: 'Li Si' }))).toMatchObject({
    main: '基坑',
    more: 'Large · Li Si',
  });
});

test('a kind without views is still a list', () => {
  const bare = kindOf('trial.bare');
  expect(columnsOf(bare)).toEqual(['word']);
  expect(rowsOf(bare, [shownFrom({ r: 'a', c: bare.c, values: { word: 'x' } })], reader())).toHaveLength(1);
});

describe('where an entry stands', () => {
  const say = (more: object, lang: 'zh' | 'en' = 'en'): string =>
    standingOf(kind, shownFrom({ r: 'a', c: kind.c, values, ...more }), reader(lang)).text;
  test('on this phone only, until it is sent', () => {
    expect(say({ more: { pending: 'waiting' } })).toBe('On this phone only');
    expect(say({ more: { pending: 'waiting' } }, 'zh')).toBe('仅在本机');
  });
  test('then as the declaration calls its state', () => {
    expect([say({}), say({ state: 'closed' }), say({ state: 'back' }, 'zh')]).toEqual([
      'Waiting',
      'Approved',
      '退回',
    ]);
  });
  test('refused and in conflict need a person before all else', () => {
    expect(say({ more: { pending: 'refused' } })).toBe('Needs attention');
    expect(say({ more: { conflicts: ['name'], pending: 'waiting' } })).toBe('Two values');
  });
});

test('values are read in words, in both languages', () => {
  const fields = kind.fields;
  const read = (
    name: keyof typeof fields & string,
    value: Parameters<typeof valueText>[1],
    lang: 'zh' | 'en' = 'zh',
  ) => valueText(the(fields[name]), value, reader(lang, { t1: '木工一班' }));
  expect(read('weight', 123456)).toBe('1,234.56 吨');
  expect(read('price', 5)).toBe('¥ 0.05');
  expect(read('trades', ['wood', 'mason'])).toBe('木工、瓦工');
  expect(read('trades', ['wood', 'mason'], 'en')).toBe('Carpenter, Mason');
  expect(read('stops', false)).toBe('否');
  expect(read('took', 450)).toBe('7:30');
  expect(read('at', Date.UTC(2026, 10, 23, 0, 2))).toBe('2026-11-23 08:02');
  expect(read('day', '2026-11-23', 'en')).toMatch(/Mon,? 23 Nov/);
  expect(read('team', 't1')).toBe('木工一班');
  expect(read('place', { lat: 1, lng: 2, accuracy_m: 12, fix_age_s: 130 })).toBe('精度 ±12 米 · 2 分钟前');
  expect(read('place', 'B2 楼')).toBe('B2 楼');
  expect(read('name', undefined)).toBe('');
  expect(read('level', 'unheard_of')).toBe('unheard_of');
});

test('title and cells never break on what is missing', () => {
  const empty = shownFrom({ r: 'a', c: kind.c, values: {} });
  expect(titleOf(kind, empty, reader('en'))).toBe('Everything');
  for (const path of [...Object.keys(kind.fields), 'state', 'by', 'nothing'])
    expect(typeof cellText(kind, empty, path, reader())).toBe('string');
  const full = shownFrom({ r: 'a', c: kind.c, values: { 'lines.l1.what': 'x', 'lines.l2.what': 'y' } });
  expect(cellText(kind, full, 'lines', reader('en'))).toBe('2 items');
});

test('a month is whole weeks from Monday, with what falls on each day', () => {
  const weeks = weeksOf('2026-11', '2026-11-23', [{ day: '2026-11-23' }, { day: null }], (item) => item.day);
  expect(weeks).toHaveLength(6);
  expect(weeks.every((week) => week.length === 7)).toBe(true);
  expect(weeks[0]?.[0]).toMatchObject({ day: '2026-10-26', inMonth: false });
  expect(weeks[4]?.[0]).toMatchObject({ day: '2026-11-23', isToday: true, items: [{ day: '2026-11-23' }] });
  expect([
    stepDay('2026-11-01', 'ArrowUp'),
    stepDay('2026-11-30', 'ArrowRight'),
    stepDay('2026-11-30', 'a'),
  ]).toEqual(['2026-10-25', '2026-12-01', null]);
});
