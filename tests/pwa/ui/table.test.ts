import { describe, expect, test } from 'vitest';
import { readDeclarations } from '../../../pwa/src/core/declaration.ts';
import type { Value } from '../../../pwa/src/core/value.ts';
import { valueText } from '../../../pwa/src/ui/generic/words.ts';
import {
  exportPath,
  filtered,
  filterOf,
  follow,
  NO_FILTER,
  personField,
  press,
  sorted,
  targets,
  teamField,
  toggleAll,
  widerStates,
} from '../../../pwa/src/ui/office/table.ts';
import vectors from '../../../shared/vectors/words.json';
import { kindOf, shownFrom, the } from './fake.ts';
import { reader } from './reader.ts';

const kind = kindOf('trial.every');
const NOW = 1_793_000_000_000;
const columns = ['day', 'name', 'team', 'who', 'level', 'weight', 'state'];
const row = (r: string, values: object, state?: string) =>
  shownFrom({
    r,
    c: kind.c,
    values: values as Record<string, string>,
    ...(state === undefined ? {} : { state }),
  });
const rows = [
  row('a', { name: '基坑 10', day: '2026-11-20', team: 't1', who: 'u2', weight: 300 }),
  row('b', { name: '基坑 9', day: '2026-11-21', team: 't2', who: 'u1', weight: 20 }, 'closed'),
  row('c', { name: '脚手架', day: '2026-11-22', team: 't1', who: 'u1' }),
];
const names = reader('zh', { u1: '张三', u2: '李四', t1: '木工班' });
const kept = (change: object): string[] =>
  filtered(kind, rows, { ...NO_FILTER, ...change }, columns, names, NOW).map((one) => one.r);

test('each filter keeps what it says, and all of them together what each keeps', () => {
  expect(kept({})).toEqual(['a', 'b', 'c']);
  expect(kept({ from: '2026-11-21' })).toEqual(['b', 'c']);
  expect(kept({ from: '2026-11-21', to: '2026-11-21' })).toEqual(['b']);
  expect(kept({ team: 't1' })).toEqual(['a', 'c']);
  expect(kept({ person: 'u1', team: 't1' })).toEqual(['c']);
  expect(kept({ state: 'closed' })).toEqual(['b']);
});

test('what is not closed yet, and what is overdue, as the server has it', () => {
  const hazard = kindOf('safety.hazard');
  const one = (r: string, state: string, due?: number) =>
    shownFrom({ r, c: hazard.c, state, values: due === undefined ? {} : { due } });
  const all = [
    one('new', 'reported'),
    one('late', 'issued', NOW - 1),
    one('early', 'fixing', NOW + 1),
    one('waits', 'recheck', NOW - 1),
    one('over', 'closed', NOW - 1),
  ];
  const left = (state: string): string[] =>
    filtered(hazard, all, { ...NO_FILTER, state }, [], names, NOW).map(({ r }) => r);
  expect(widerStates(hazard)).toEqual(['not_closed', 'overdue']);
  expect(left('not_closed')).toEqual(['new', 'late', 'early', 'waits']);
  expect(left('overdue')).toEqual(['late']);
  expect(left('issued')).toEqual(['late']);
});

test('an address can ask for rows; one that asks for none leaves the usual ones', () => {
  const usual = { ...NO_FILTER, from: '2026-11-01' };
  expect(filterOf(new URLSearchParams('project=p1'), usual)).toBe(usual);
  expect(filterOf(new URLSearchParams('state=overdue&team=t1'), usual)).toEqual({
    ...NO_FILTER,
    state: 'overdue',
    team: 't1',
  });
});

test('the search finds every word in what the columns show, names included', () => {
  expect(kept({ text: '李四' })).toEqual(['a']);
  expect(kept({ text: '木工 脚手' })).toEqual(['c']);
  expect(kept({ text: '没有' })).toEqual([]);
});

test('order: numbers as numbers, names as they are read, absent values last both ways', () => {
  const order = (path: string, down = false): string[] =>
    sorted(kind, rows, { path, down }, names).map((one) => one.r);
  expect(order('weight')).toEqual(['b', 'a', 'c']);
  expect(order('weight', true)).toEqual(['a', 'b', 'c']);
  expect(order('who')).toEqual(['a', 'b', 'c']);
  expect(order('name')[0]).toBe('b');
  expect(sorted(kind, rows, null, names)).toBe(rows);
});

const ids = ['a', 'b', 'c'];
const start = { row: 0, chosen: new Set<string>() };

test('j and k walk and stop at the ends', () => {
  expect(press(start, ids, 'j')?.cursor.row).toBe(1);
  expect(press(start, ids, 'k')?.cursor.row).toBe(0);
  expect(press({ ...start, row: 2 }, ids, 'j')?.cursor.row).toBe(2);
  expect(press({ ...start, row: -1 }, [], 'j')?.cursor.row).toBe(-1);
});

test('x selects, X all or none, shift extends, Escape lets go', () => {
  const one = the(press(start, ids, 'x')).cursor;
  expect([...one.chosen]).toEqual(['a']);
  expect([...the(press(one, ids, 'x')).cursor.chosen]).toEqual([]);
  expect([...the(press(start, ids, 'X')).cursor.chosen]).toEqual(ids);
  expect([...toggleAll({ row: 0, chosen: new Set(ids) }, ids).chosen]).toEqual([]);
  expect([...the(press(start, ids, 'ArrowDown', true)).cursor.chosen]).toEqual(['a', 'b']);
  expect(press(one, ids, 'Escape')).toMatchObject({ wish: 'close' });
});

test("other keys are wishes or none of the table's business", () => {
  expect(['a', 'r', '/', '?', 'Enter'].map((key) => press(start, ids, key)?.wish)).toEqual([
    'approve',
    'return',
    'search',
    'help',
    'open',
  ]);
  expect(press(start, ids, 'q')).toBeNull();
});

test('what an action is about: the selection, else the row under the cursor', () => {
  expect(targets({ row: 1, chosen: new Set() }, ids)).toEqual(['b']);
  expect(targets({ row: 1, chosen: new Set(['c', 'a']) }, ids)).toEqual(['a', 'c']);
  expect(targets({ row: -1, chosen: new Set() }, [])).toEqual([]);
});

test('when rows come and go the cursor stays on its record', () => {
  expect(follow({ row: 1, chosen: new Set(['a', 'b']) }, ids, ['x', 'b', 'c'])).toEqual({
    row: 1,
    chosen: new Set(['b']),
  });
  expect(follow({ row: 2, chosen: new Set() }, ids, ['c', 'a']).row).toBe(0);
  expect(follow({ row: 2, chosen: new Set() }, ids, ['a']).row).toBe(0);
  expect(follow({ row: 0, chosen: new Set() }, ids, []).row).toBe(-1);
});

test('the fields that team and person filters use come from the declaration', () => {
  expect([teamField(kind), personField(kind)]).toEqual(['team', 'who']);
  const checkin = kindOf('labour.checkin');
  expect([teamField(checkin), personField(checkin)]).toEqual(['team', 'worker']);
});

describe('a value is said in the words that the server says and searches', () => {
  const names = vectors.names as Readonly<Record<string, string>>;
  for (const one of vectors.cases) {
    const file = {
      module: 'one',
      version: 1,
      label: {},
      kinds: { kind: { audience: 'all', fields: { one: one.field } } },
    };
    const field = the(readDeclarations([file]).kind('one.kind')?.fields.one);
    test.each(['zh', 'en'] as const)(`${one.name} in %s`, (lang) => {
      expect(valueText(field, one.value as Value, reader(lang, names))).toBe(one[lang]);
    });
  }
});

test('the export asks for what is filtered', () => {
  expect(exportPath('labour.checkin', 'xlsx', 'p1', { ...NO_FILTER, from: '2026-11-01' }, 'zh')).toBe(
    '/api/export/labour.checkin.xlsx?project=p1&from=2026-11-01&lang=zh',
  );
  const all = { from: '', to: '2026-11-02', team: 't1', person: 'u1', state: 'closed', text: ' 基坑 10 ' };
  const asked = new URL(exportPath('trial.every', 'csv', 'p1', all, 'en'), 'http://x').searchParams;
  expect(Object.fromEntries(asked)).toEqual({
    project: 'p1',
    to: '2026-11-02',
    team: 't1',
    person: 'u1',
    state: 'closed',
    text: '基坑 10',
    lang: 'en',
  });
});
