import { describe, expect, test } from 'vitest';
import type { OutboxEntry } from '../../../pwa/src/store/phone.ts';
import {
  accept,
  actsOf,
  actsOn,
  amendmentsOf,
  approve,
  coveredPaths,
  differences,
  giveBack,
  inboxRows,
  isBlocked,
  isDecided,
  kindsToApprove,
  maySettle,
  needsWords,
  queriesFor,
  sawIn,
  staleIn,
  waitingFor,
  waitingStates,
  wholeDays,
} from '../../../pwa/src/ui/approve/approve.ts';
import { fieldAt, labelOf, valueText } from '../../../pwa/src/ui/generic/words.ts';
import { declarations, FakePhone, kindOf, PROJECT, shownFrom, the } from './fake.ts';
import { reader } from './reader.ts';

const kind = kindOf('trial.every');
const checkin = kindOf('labour.checkin');
const values = { name: '基坑', level: 'small', day: '2026-11-23' };
const someones = (more = {}) => shownFrom({ r: 'a', c: kind.c, values, by: 'u1', ...more });
const mayAs = (...roles: string[]) => {
  const phone = new FakePhone(roles);
  return (who: readonly string[], shown: Parameters<typeof actsOn>[1]) => phone.may(PROJECT, who, shown);
};
const names = (roles: string[], shown = someones()) =>
  actsOn(kind, shown, mayAs(...roles)).map((one) => one.name);

describe('who may do what', () => {
  test('a supervisor approves and returns; a worker and a foreman do not', () => {
    expect(names(['supervisor'])).toEqual(['close', 'send_back']);
    expect(names(['worker'])).toEqual([]);
    expect(names(['foreman'])).toEqual([]);
  });
  test("not one's own: separation of duties", () => {
    expect(names(['supervisor'], someones({ by: 'me' }))).toEqual(['send_back']);
  });
  test('only from the declared states, only if the condition holds, never on what is deleted', () => {
    expect(names(['supervisor'], someones({ state: 'closed' }))).toEqual([]);
    expect(names(['supervisor'], someones({ values: { level: 'small' } }))).toEqual(['send_back']);
    expect(names(['supervisor'], someones({ more: { deleted: true } }))).toEqual([]);
  });
  test('the author submits again what was returned', () => {
    expect(names(['worker'], someones({ by: 'me', state: 'back' }))).toEqual(['again']);
  });
});

test('what an act needs is said by the names of the fields; what is not asked for is not needed', () => {
  const again = the(actsOf(kind).find((one) => one.name === 'again'));
  const lacks = (more = {}, lang: 'zh' | 'en' = 'zh') =>
    needsWords(kind, someones({ state: 'back', values: { ...values, ...more } }), again, reader(lang));
  const sign = { w: 1, h: 1, strokes: [[0, 0]], at: 1 };
  expect(lacks()).toBe('先要填：照片、签名');
  expect(lacks({ stops: true }, 'en')).toBe('Fill in first: Why it stops, Photos, Signature');
  expect(lacks({ 'photos.p1': { sha: 'a' }, sign })).toBe('');
  expect(lacks({ 'marks.p1': { shapes: [] }, sign })).toBe('先要填：照片');
});

test('what is drawn on photos is covered, after the declared fields, and has a name', () => {
  const drawn = { shapes: [{ t: 'rect', c: 'red', p: [0, 0, 1, 1] }] };
  expect(coveredPaths(kind, { 'marks.p1': drawn, name: 'x', 'photos.p1': {} })).toEqual([
    'name',
    'photos.p1',
    'marks.p1',
  ]);
  expect(labelOf(kind, 'marks.p1', reader('zh'))).toBe('照片标注');
  expect(valueText(the(fieldAt(kind, 'marks.p1')), drawn, reader('zh'))).toBe('标注 1 处');
  expect(valueText(the(kind.fields.spot), { plan: 'u1', page: 2, x: 1, y: 1 }, reader('zh'))).toMatch(
    / · 2$/,
  );
});

test('the inbox holds what waits and not what was given back, of every kind that seals', () => {
  expect(
    kindsToApprove(declarations)
      .map((one) => one.c)
      .sort(),
  ).toEqual([
    'inspections.inspection',
    'inspections.template',
    'labour.checkin',
    'quality.defect',
    'safety.hazard',
    'trial.every',
  ]);
  expect(waitingStates(kind)).toEqual(['open']);
  expect(waitingStates(checkin)).toEqual(['submitted']);
  const waiting = waitingFor(kind, [someones(), someones({ r: 'b', by: 'me' })], mayAs('supervisor'));
  expect(waiting.map((one) => [one.shown.r, one.approve.name, one.back?.name])).toEqual([
    ['a', 'close', 'send_back'],
  ]);
});

test('an approval names the version of what is shown and keeps what was seen', async () => {
  const phone = new FakePhone(['supervisor']);
  const [waiting] = waitingFor(kind, [someones()], mayAs('supervisor'));
  const ver = await phone.version(the(waiting).shown);
  const decision = approve(the(waiting), ver);
  expect(decision.ops).toEqual([{ k: 'act', c: kind.c, r: 'a', act: 'close', ver }]);
  expect(ver).toMatch(/^[0-9a-f]{64}$/);
  expect(sawIn(decision.memo)).toEqual(values);
  expect(await phone.version(someones({ values: { ...values, name: '别的' } }))).not.toBe(ver);
});

test('a return carries its note, an empty one none', () => {
  const [waiting] = waitingFor(kind, [someones()], mayAs('supervisor'));
  expect(giveBack(the(waiting), the(the(waiting).back), ' 缺照片 ').ops[0]).toMatchObject({
    act: 'send_back',
    note: '缺照片',
  });
  expect(giveBack(the(waiting), the(the(waiting).back), ' ').ops[0]).not.toHaveProperty('note');
});

test('a conflict or a refused change blocks the approval', () => {
  expect([
    isBlocked(someones()),
    isBlocked(someones({ more: { conflicts: ['name'] } })),
    isBlocked(someones({ more: { pending: 'refused' } })),
  ]).toEqual([false, true, true]);
});

test('by kind and day, the oldest day first, each with its count', () => {
  const all = ['2026-11-23', '2026-11-21', '2026-11-23'].map((day, i) =>
    someones({ r: `r${i}`, values: { ...values, day } }),
  );
  const rows = inboxRows(waitingFor(kind, all, mayAs('supervisor')), reader());
  expect(rows.map((row) => (row.type === 'group' ? `${row.label} ${row.count}` : row.id))).toEqual([
    '11月23日 周一 2',
    'r0',
    'r2',
    '11月21日 周六 1',
    'r1',
  ]);
});

test('of a list that was cut off only whole days are shown', () => {
  const on = (day: string, r: string) => someones({ r, values: { ...values, day } });
  const waits = (...all: ReturnType<typeof on>[]) => waitingFor(kind, all, mayAs('supervisor'));
  const long = waits(on('2026-11-23', 'a'), on('2026-11-22', 'b'), on('2026-11-21', 'c'));
  const short = waits(on('2026-11-23', 'd'), on('2026-11-20', 'e'));
  const ids = (limit: number) => wholeDays([long, short], limit).map((one) => one.shown.r);
  expect(ids(4)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(ids(3)).toEqual(['a', 'b', 'd']);
  expect(wholeDays([waits(on('2026-11-23', 'a'))], 1)).toEqual([]);
});

test('what is asked of the phone is what the inbox holds', () => {
  const { waiting, held } = queriesFor(kind, mayAs('supervisor'));
  expect(waiting.state).toEqual(waitingStates(kind));
  expect([waiting.where?.(someones()), waiting.where?.(someones({ by: 'me' }))]).toEqual([true, false]);
  expect(queriesFor(kind, mayAs('worker')).waiting.where?.(someones())).toBe(false);
  expect([held.held, held.where?.(someones())]).toEqual([true, true]);
});

describe('a stale approval', () => {
  const entry = (more: Partial<OutboxEntry> = {}): OutboxEntry => ({
    n: 4,
    project: PROJECT,
    bytes: 9,
    since: 0,
    status: 'refused',
    code: 'stale_approval',
    op: 0,
    base: 7,
    ops: [{ k: 'act', c: kind.c, r: 'a', act: 'close', ver: 'old' }],
    memo: { saw: { ...values, weight: 100 } },
    ...more,
  });
  test('comes back with what was seen', () => {
    const [stale] = staleIn(
      [
        entry(),
        entry({ n: 5, status: 'waiting' }),
        entry({ n: 6, code: 'forbidden' }),
        entry({ n: 7, project: 'other' }),
      ],
      PROJECT,
    );
    expect(stale?.entry.n).toBe(4);
    expect(differences(the(the(stale).saw), { ...values, level: 'large' })).toEqual([
      { path: 'level', saw: 'small', now: 'large' },
      { path: 'weight', saw: 100, now: null },
    ]);
  });
  test('says so when nothing was kept of what was seen', () => {
    const { memo: _, ...bare } = entry();
    expect(staleIn([bare], PROJECT)[0]?.saw).toBeNull();
  });
  test('is settled when someone else has decided', () => {
    expect([
      isDecided(kind, { state: 'closed' }, 'close'),
      isDecided(kind, { state: 'open' }, 'close'),
    ]).toEqual([true, false]);
  });
});

describe('changes after the approval', () => {
  const sealed = someones({
    state: 'closed',
    values: { ...values, trades: ['wood'] },
    record: {
      held: [
        {
          of: [9, 0],
          op: { k: 'set', c: kind.c, r: 'a', f: 'name', v: '改后' },
          by: 'u1',
          device: 'd',
          base: 3,
          et: 5,
        },
        {
          of: [9, 1],
          op: { k: 'add', c: kind.c, r: 'a', f: 'trades', v: 'mason' },
          by: 'u1',
          device: 'd',
          base: 3,
          et: 5,
        },
      ],
    },
  });
  test('stand beside the approved value', () => {
    expect(amendmentsOf(kind, sealed).map(({ path, approved, late }) => [path, approved, late])).toEqual([
      ['name', '基坑', '改后'],
      ['trades', ['wood'], ['wood', 'mason']],
    ]);
  });
  test('are settled by whoever may approve, and by nobody else', () => {
    expect([maySettle(kind, sealed, mayAs('supervisor')), maySettle(kind, sealed, mayAs('foreman'))]).toEqual(
      [true, false],
    );
    expect(accept(the(amendmentsOf(kind, sealed)[0]), 'ver').ops).toEqual([
      { k: 'amend', c: kind.c, r: 'a', of: [9, 0], ver: 'ver' },
    ]);
  });
});

test('what is covered is all that is stored, in the order of the declaration', () => {
  expect(coveredPaths(kind, { day: '2026-11-23', name: 'a', 'lines.l1.what': 'x', stamp: 1 })).toEqual([
    'name',
    'day',
    'lines.l1.what',
    'stamp',
  ]);
});
