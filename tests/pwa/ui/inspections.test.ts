// Inspections without a screen: what is asked, how an answer judges, where a tap leads, what is missing.
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  deducted,
  sameAs,
  tappedIn,
  verdictOf,
  within,
  withLine,
} from '../../../pwa/src/modules/inspections/answer.ts';
import { placeName } from '../../../pwa/src/modules/inspections/before.ts';
import { datedDuties } from '../../../pwa/src/modules/inspections/calendar.ts';
import { lacksOf } from '../../../pwa/src/modules/inspections/lacks.ts';
import { ledger } from '../../../pwa/src/modules/inspections/ledger.ts';
import { current, inUse, nextOf } from '../../../pwa/src/modules/inspections/library.ts';
import {
  copied,
  faultsOf,
  moved,
  movedSection,
  newItem,
  stepped,
  without,
} from '../../../pwa/src/modules/inspections/office/outline.ts';
import { busyIn, RECENTLY_MS } from '../../../pwa/src/modules/inspections/people.ts';
import { photosByItem } from '../../../pwa/src/modules/inspections/photos.ts';
import { type Sheet, sheetOf } from '../../../pwa/src/modules/inspections/sheet.ts';
import { sidesOf } from '../../../pwa/src/modules/inspections/sides.ts';
import {
  readChoices,
  readDeductions,
  readTemplate,
  type Template,
  writeChoices,
} from '../../../pwa/src/modules/inspections/template.ts';
import { filtered, nextOf as nextItem, rowsOf } from '../../../pwa/src/modules/inspections/walk.ts';
import { forMe, isLate } from '../../../pwa/src/modules/quality/defect.ts';
import type { Shown, Value } from '../../../pwa/src/store/phone.ts';
import { afterOnly, pairsOf } from '../../../pwa/src/ui/photo/pairs.ts';
import type { Site } from '../../../pwa/src/ui/site.svelte.ts';
import { recordOf, shownFrom, the } from './fake.ts';

type Values = Record<string, Value>;

const TEMPLATE: Values = {
  name: '小查',
  name_en: 'Small walk',
  scheme: 'deduct',
  'sections.b.title': '塔吊',
  'sections.b.order': 2,
  'sections.b.repeat': true,
  'sections.a.title': '入口',
  'sections.a.order': 1,
  'items.gate.section': 'a',
  'items.gate.order': 1,
  'items.gate.text': '门口有人',
  'items.gate.kind': 'check',
  'items.light.section': 'a',
  'items.light.order': 2,
  'items.light.text': '照度',
  'items.light.kind': 'number',
  'items.light.low': 30_000,
  'items.lift.section': 'a',
  'items.lift.order': 3,
  'items.lift.text': '吊装',
  'items.lift.kind': 'choice',
  'items.lift.options': 'yes=有|Yes;no=没有|No',
  'items.rope.section': 'a',
  'items.rope.order': 4,
  'items.rope.text': '吊索',
  'items.rope.kind': 'check',
  'items.rope.when_item': 'lift',
  'items.rope.when_is': 'yes',
  'items.rope.required': true,
  'items.tag.section': 'a',
  'items.tag.order': 5,
  'items.tag.text': '标识',
  'items.tag.kind': 'check',
  'items.tag.when_item': 'rope',
  'items.tag.when_is': 'fail,na',
  'items.mast.section': 'b',
  'items.mast.order': 1,
  'items.mast.text': '附着',
  'items.mast.kind': 'score',
  'items.mast.full': 100,
  'items.mast.photo': 'on_fail',
  'items.mast.deductions': '10|无方案|No scheme\n2-5|不牢|Loose\n2 each|缺螺栓|Bolt missing',
};
const template: Template = readTemplate(TEMPLATE);
const ids = (sheet: Sheet): string[] => sheet.questions.map(({ id }) => id);
const item = (key: string) =>
  the(template.sections.flatMap(({ items }) => items).find((one) => one.key === key));

describe('what is asked', () => {
  test('sections and items stand in their order, and an item hangs on the answer that it waits for', () => {
    expect(ids(sheetOf(template, {}))).toEqual(['gate', 'light', 'lift', 'mast']);
    expect(ids(sheetOf(template, { 'answers.lift.choice': 'no' }))).not.toContain('rope');
    expect(ids(sheetOf(template, { 'answers.lift.choice': 'yes' }))).toContain('rope');
  });

  test('what hangs on a hidden item is hidden too, whatever was answered before', () => {
    const values = { 'answers.lift.choice': 'yes', 'answers.rope.result': 'fail' };
    expect(ids(sheetOf(template, values))).toContain('tag');
    expect(ids(sheetOf(template, { ...values, 'answers.lift.choice': 'no' }))).not.toContain('tag');
    expect(ids(sheetOf(template, { ...values, 'answers.rope.result': 'pass' }))).not.toContain('tag');
  });

  test('an added part asks its section again, under keys of its own and in its order', () => {
    const parts = {
      'parts.p2.section': 'b',
      'parts.p2.order': 2,
      'parts.p1.section': 'b',
      'parts.p1.order': 1,
      'parts.p1.label': '2# 塔吊',
    };
    const sheet = sheetOf(template, parts);
    expect(ids(sheet)).toEqual(['gate', 'light', 'lift', 'mast', 'mast__p1', 'mast__p2']);
    expect(sheet.blocks.map(({ label }) => label)).toEqual(['', '', '2# 塔吊', '']);
    expect(sheet.questions.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('two items that wait for each other do not hang the phone', () => {
    const round = { ...TEMPLATE, 'items.lift.when_item': 'rope', 'items.lift.when_is': 'pass' };
    expect(ids(sheetOf(readTemplate(round), {}))).toContain('gate');
  });
});

describe('an answer', () => {
  const verdict = (key: string, values: Values) => verdictOf(item(key), answerOf(values, key), false);

  test('judges by its kind; not applicable goes before all', () => {
    expect(verdict('gate', {})).toBeNull();
    expect(verdict('gate', { 'answers.gate.result': 'fail' })).toBe('fail');
    expect(verdict('light', { 'answers.light.value': 30_000 })).toBe('pass');
    expect(verdict('light', { 'answers.light.value': 29_999 })).toBe('fail');
    expect(verdict('light', { 'answers.light.value': 1, 'answers.light.result': 'na' })).toBe('na');
    expect(verdict('lift', { 'answers.lift.choice': 'no' })).toBe('done');
    expect(verdict('mast', { 'answers.mast.points': 0 })).toBe('pass');
    expect(verdict('mast', { 'answers.mast.points': 5 })).toBe('fail');
    expect(within({ ...item('light'), low: null, high: null }, 7)).toBe('done');
  });

  test('lines that cost points add up, never to more than the item is worth', () => {
    const mast = item('mast');
    const one = withLine(mast, answerOf({}, 'mast'), 1, 35);
    expect(one).toEqual({ result: null, choice: '1:3.5', points: 35 });
    const answer = answerOf({ 'answers.mast.choice': '1:3.5', 'answers.mast.points': 35 }, 'mast');
    expect(withLine(mast, answer, 0, 100)).toEqual({ result: null, choice: '0:10,1:3.5', points: 100 });
    expect(withLine(mast, answer, 1, 0)).toEqual({ result: null, choice: null, points: 0 });
    expect(deducted(mast, tappedIn(answer))).toBe(35);
  });

  test('deduction lines say points, ranges and counts', () => {
    expect(
      readDeductions('10|无|None\n2-5|松|Loose\n2 each|缺|Missing\n2.5 per person|证|Card'),
    ).toMatchObject([
      { least: 100, most: 100, each: null },
      { least: 20, most: 50, each: null },
      { least: 20, most: 20, each: 'place' },
      { least: 25, most: 25, each: 'person' },
    ]);
    expect(readDeductions('写得不对的一行')[0]?.words.zh).toBe('写得不对的一行');
  });

  test('options read back as they were written', () => {
    const choices = readChoices('dry=干燥|Dry; wet=潮湿|Wet');
    expect(choices.map(({ key }) => key)).toEqual(['dry', 'wet']);
    expect(readChoices(writeChoices(choices))).toEqual(choices);
  });

  test('same as last time takes the answer, not its note, its defect or its measured number', () => {
    const before = answerOf({ 'answers.gate.result': 'fail', 'answers.gate.note': '没人' }, 'gate');
    expect(sameAs(item('gate'), before)).toEqual({ result: 'fail' });
    expect(sameAs(item('light'), answerOf({ 'answers.light.value': 5 }, 'light'))).toEqual({});
  });
});

describe('walking through', () => {
  const sheet = sheetOf(template, {});
  const verdicts = new Map([
    ['gate', 'pass' as const],
    ['light', 'fail' as const],
  ]);
  const verdict = ({ id }: { readonly id: string }) => verdicts.get(id) ?? null;
  const known = { verdict, remarked: new Set(['gate']), differing: new Set<string>(), keep: '' };

  test('the next is the next open one, round the end', () => {
    expect(nextItem(sheet, 'gate', verdict)?.id).toBe('lift');
    expect(nextItem(sheet, 'mast', verdict)?.id).toBe('lift');
    expect(nextItem(sheet, 'mast', () => 'pass')).toBeUndefined();
  });

  test('a filter shows what it names and the item in hand', () => {
    expect(filtered(sheet, 'open', known).map(({ id }) => id)).toEqual(['lift', 'mast']);
    expect(filtered(sheet, 'fail', { ...known, keep: 'gate' }).map(({ id }) => id)).toEqual([
      'gate',
      'light',
    ]);
    expect(filtered(sheet, 'remark', known).map(({ id }) => id)).toEqual(['gate']);
    expect(rowsOf(sheet, filtered(sheet, 'fail', known)).map(({ id }) => id)).toEqual(['block a', 'light']);
  });

  test('what must be there stands first in what is missing: required answers, and photos of what failed', () => {
    const values = { 'answers.lift.choice': 'yes', 'answers.mast.points': 5 };
    const now = sheetOf(template, values);
    const said = new Map(
      now.questions.map((one) => [one.id, verdictOf(one.item, answerOf(values, one.id), false)] as const),
    );
    const lacks = lacksOf(now, said, new Map());
    expect(lacks.map(({ question, what, isMust }) => [question.id, what, isMust])).toEqual([
      ['rope', 'answer', true],
      ['mast', 'photo', true],
      ['gate', 'answer', false],
      ['light', 'answer', false],
    ]);
    expect(lacksOf(now, said, new Map([['mast', ['p1']]])).some(({ what }) => what === 'photo')).toBe(false);
  });

  test('photos belong to the answer that they name, oldest first', () => {
    const photo = (item: string, at: number): Value => ({ sha: 'x', at, w: 1, h: 1, item });
    const found = photosByItem({
      'photos.b': photo('gate', 2),
      'photos.a': photo('gate', 1),
      'photos.c': photo('rope', 3),
    });
    expect(found.get('gate')).toEqual(['a', 'b']);
    expect(found.get('rope')).toEqual(['c']);
  });
});

describe('several people', () => {
  const record = recordOf({ r: 'r1', c: 'labour.checkin', values: {} });

  test('who wrote lately is in it; who wrote an hour ago is not', () => {
    const now = record.born[4] + RECENTLY_MS * 2;
    const f = {
      'answers.a.result': [
        [2, 0, 'd1', 1, now - 60_000, 'pass'],
        [3, 0, 'd2', 1, now - RECENTLY_MS - 1, 'fail'],
      ],
    };
    const busy = busyIn({ ...record, f } as unknown as typeof record, now, (device) => `person of ${device}`);
    expect(busy.map(({ person }) => person)).toEqual(['person of d1']);
  });

  test('the sides of a conflict stand newest first, equal ones once', () => {
    const f = {
      x: [
        [2, 0, 'd1', 1, 5, 'pass'],
        [3, 0, 'd2', 1, 6, 'fail'],
        [4, 0, 'd3', 1, 7, 'pass'],
      ],
    };
    const sides = sidesOf({ ...record, f } as unknown as typeof record, 'x');
    expect(sides.map(({ value }) => value)).toEqual(['pass', 'fail']);
  });

  test('a place is the same place whether it was typed or scanned', () => {
    expect(placeName(' 3# 楼 ')).toBe('3# 楼');
    expect(placeName({ lat: 1, lng: 2, code: '3# 楼' })).toBe('3# 楼');
    expect(placeName(null)).toBe('');
  });
});

describe('the office', () => {
  const shownTemplate = (r: string, version: number, state: string): Shown =>
    shownFrom({ r, c: 'inspections.template', values: { name: r, family: 'f', version }, more: { state } });

  test('of a lineage the newest published one is in use, and the next number goes on from all', () => {
    const all = [
      shownTemplate('a', 1, 'published'),
      shownTemplate('b', 2, 'published'),
      shownTemplate('c', 3, 'draft'),
    ];
    expect(current(all).map(({ r }) => r)).toEqual(['b']);
    const retired = [shownTemplate('a', 1, 'published'), shownTemplate('b', 2, 'retired')];
    expect(current(retired)).toEqual([]);
    expect(nextOf(all, 'f')).toBe(4);
    expect(nextOf(all, 'new')).toBe(1);
  });

  test('what a plan named some time ago begins with the version in use, and with itself when none is', async () => {
    const site = (state: string): Site => {
      const all = [shownTemplate('a', 1, 'published'), shownTemplate('b', 2, state)];
      return { project: 'p', phone: { list: () => Promise.resolve(all) } } as unknown as Site;
    };
    expect(await inUse(site('published'), 'a')).toBe('b');
    expect(await inUse(site('draft'), 'a')).toBe('a');
    expect(await inUse(site('retired'), 'a')).toBe('a');
    expect(await inUse(site('published'), 'unknown')).toBe('unknown');
  });

  test('an item moves to its place, over the edge of a section too, and nothing else changes', () => {
    expect(moved(template, 'rope', 'a', 0)).toMatchObject({ 'items.rope.order': 10, 'items.gate.order': 20 });
    expect(stepped(template, 'gate', 1)).toMatchObject({ 'items.light.order': 10, 'items.gate.order': 20 });
    expect(stepped(template, 'tag', 1)).toMatchObject({ 'items.tag.section': 'b', 'items.tag.order': 10 });
    expect(stepped(template, 'gate', -1)).toEqual({});
    expect(movedSection(template, 'b', 0)).toEqual({ 'sections.b.order': 10, 'sections.a.order': 20 });
  });

  test('a new item stands last; a copy has all of the first; what is removed leaves nothing', () => {
    const section = the(template.sections[0]);
    expect(newItem(section, 'q1', 'score')).toMatchObject({ 'items.q1.order': 60, 'items.q1.full': 100 });
    const copy = copied(template, TEMPLATE, item('lift'), 'q2');
    expect(copy).toMatchObject({ 'items.q2.options': 'yes=有|Yes;no=没有|No' });
    const order = readTemplate({ ...TEMPLATE, ...copy }).sections[0]?.items.map(({ key }) => key) ?? [];
    expect(order[order.indexOf('lift') + 1]).toBe('q2');
    const left = { ...TEMPLATE, ...without(TEMPLATE, 'items', 'gate') };
    expect(
      readTemplate(Object.fromEntries(Object.entries(left).filter(([, value]) => value !== null))).sections[0]
        ?.items.length,
    ).toBe(4);
  });

  test('what is not ready is named: no words, no full score, too few options, crossed limits, a lost condition', () => {
    const broken = readTemplate({
      ...TEMPLATE,
      'items.gate.text': null,
      'items.mast.full': 0,
      'items.lift.options': 'yes=有|Yes',
      'items.light.high': 10,
      'items.tag.when_item': 'gone',
    });
    expect(faultsOf(broken).map(({ key, why }) => `${key} ${why}`)).toEqual([
      'gate no_text',
      'light limits',
      'lift no_choices',
      'tag when',
      'mast no_full',
    ]);
    expect(faultsOf(template)).toEqual([]);
    expect(faultsOf(readTemplate({ name: 'x' }))).toEqual([{ key: '', why: 'empty' }]);
  });

  test('the ledger lays each score beside its inspection', () => {
    const one = shownFrom({
      r: 'i1',
      c: 'inspections.inspection',
      values: { template: 't', date: '2026-11-23' },
      more: { state: 'open' },
    });
    const sum = shownFrom({
      r: 's1',
      c: 'inspections.score',
      values: { inspection: 'i1', score: 8444, grade: 'excellent', failed: 2 },
    });
    const names = { nameOf: (id: string) => `名 ${id}`, placeOf: () => '' };
    expect(ledger([one], [sum], names)[0]).toMatchObject({
      template: '名 t',
      score: 8444,
      grade: 'excellent',
      failed: 2,
      missing: null,
    });
  });

  test('a plan shows what came of each day and what is to come', () => {
    const plan = shownFrom({ r: 'p', c: 'inspections.plan', values: { first: '2026-11-20', every: 'day' } });
    const made = shownFrom({
      r: 'i',
      c: 'inspections.inspection',
      values: { plan: 'p', due: '2026-11-20' },
      more: { state: 'submitted' },
    });
    const days = datedDuties([plan], [made], '2026-11-22', '2026-11-19', '2026-11-23');
    expect(days.map(({ day, status }) => `${day.slice(8)} ${status}`)).toEqual([
      '20 done',
      '21 missed',
      '22 due',
      '23 coming',
    ]);
  });
});

describe('a defect', () => {
  const photo = (at: number, pair?: string): Value => ({
    sha: 'a'.repeat(64),
    at,
    w: 1,
    h: 1,
    ...(pair ? { pair } : {}),
  });
  const values = {
    'photos.p1': photo(1),
    'photos.p2': photo(2),
    'after.q1': photo(3, 'p1'),
    'after.q2': photo(4),
    'after.q3': photo(5, 'gone'),
  };

  test('each photo stands beside those taken after it from the same spot, the others apart', () => {
    const { pairs, others } = pairsOf(values);
    expect(pairs.map(({ before, after }) => [before.key, after.map(({ key }) => key)])).toEqual([
      ['p1', ['q1']],
      ['p2', []],
    ]);
    expect(others.map(({ key }) => key)).toEqual(['q2', 'q3']);
    expect(Object.keys(afterOnly(values, pairs[0]?.after ?? []))).toEqual([
      'photos.p1',
      'photos.p2',
      'after.q1',
    ]);
  });

  test('waits for whom it was given to, then for who rechecks, the nearest day first', () => {
    const one = (r: string, state: string, more: Values): Shown =>
      shownFrom({ r, c: 'quality.defect', values: { description: r, ...more }, more: { state } });
    const all = [
      one('later', 'fixing', { team: 't1', due: '2026-12-01' }),
      one('sooner', 'fixing', { person: 'me', due: '2026-11-20' }),
      one('others', 'fixing', { team: 't2' }),
      one('check', 'recheck', {}),
    ];
    const me = { person: 'me', teams: ['t1'], rechecks: false };
    expect(forMe(all, me).map(({ r }) => r)).toEqual(['sooner', 'later']);
    expect(forMe(all, { ...me, teams: [], person: 'x', rechecks: true }).map(({ r }) => r)).toEqual([
      'check',
    ]);
    expect(isLate(the(all[1]), '2026-11-23')).toBe(true);
    expect(isLate(the(all[0]), '2026-11-23')).toBe(false);
  });
});
