import { expect, test } from 'vitest';
import {
  addRow,
  dated,
  type Form,
  formDraft,
  formIn,
  isChanged,
  openEdit,
  openNew,
  opsOf,
  problemsOf,
  put,
  removeRow,
  rowControls,
  rowKey,
  sectionsOf,
  totalsOf,
  type as typeInto,
} from '../../../pwa/src/ui/generic/form.ts';
import { formOf, repairable } from '../../../pwa/src/ui/generic/repair.ts';
import { kindOf, the } from './fake.ts';

const kind = kindOf('trial.every');
const fields = kind.fields;
const NOW = Date.UTC(2026, 10, 23, 0, 2);
const context = { person: 'me', now: NOW, zone: 'Asia/Shanghai', base: 7, last: { team: 't-last' } };

const fresh = (): Form => openNew(kind, 'r1', context);
const typed = (form: Form, path: string, text: string): Form =>
  typeInto(form, path, fields[path] ?? the(fields.weight), text);
const paths = (form: Form): string[] =>
  sectionsOf(kind, form).flatMap((one) => one.controls.map((control) => control.path));
const errorsAt = (form: Form): (string | null)[] =>
  problemsOf(kind, form)
    .filter((one) => one.level === 'error')
    .map((one) => one.path);

test('defaults: me, now, today by the zone of the site, the last one; the place is left to the receiver', () => {
  expect(fresh().values).toEqual({ who: 'me', at: NOW, day: '2026-11-23', team: 't-last' });
});

test('given values from the address stand before defaults', () => {
  expect(openNew(kind, 'r1', context, { day: '2026-11-01', name: 'x' }).values.day).toBe('2026-11-01');
});

test('controls follow the declared layout; automatic fields are not asked for', () => {
  expect(sectionsOf(kind, fresh()).map((one) => one.title?.en ?? null)).toEqual([
    null,
    'Numbers',
    'The rest',
  ]);
  expect(paths(fresh())).not.toContain('stamp');
});

test('a kind without a layout shows all of its fields', () => {
  const bare = kindOf('trial.bare');
  expect(
    sectionsOf(bare, openNew(bare, 'r', context)).flatMap((one) => one.controls.map((c) => c.path)),
  ).toEqual(['word']);
});

test('a conditional question is asked only when its condition holds, and its answer counts only then', () => {
  let form = put(put(put(fresh(), 'name', 'a'), 'level', 'small'), 'stops', true);
  expect(paths(form)).toContain('why');
  expect(errorsAt(form)).toContain('why');
  form = put(form, 'why', 'rain');
  expect(errorsAt(form)).toEqual([]);
  form = put(form, 'stops', false);
  expect(paths(form)).not.toContain('why');
  const [op] = opsOf(kind, form);
  expect(op?.k === 'new' && 'why' in op.set).toBe(false);
});

test('missing, too long, out of bounds and not a number are errors at their field', () => {
  expect(errorsAt(fresh())).toEqual(['name', 'level']);
  let form = put(put(fresh(), 'level', 'small'), 'name', 'x'.repeat(21));
  expect(errorsAt(form)).toEqual(['name']);
  form = typed(put(form, 'name', '𠮷'.repeat(20)), 'weight', '1000.01');
  expect(errorsAt(form)).toEqual(['weight']);
  form = typed(form, 'weight', 'heavy');
  expect(errorsAt(form)).toEqual(['weight']);
  expect(form.values.weight).toBeNull();
  expect(form.typed.weight).toBe('heavy');
});

test('checks warn or stop as declared, with numbers at their scale', () => {
  const form = typed(put(put(fresh(), 'name', 'a'), 'level', 'large'), 'weight', '500.01');
  expect(problemsOf(kind, form).map((one) => one.level)).toEqual(['warn', 'error']);
  expect(problemsOf(kind, put(typed(form, 'weight', '500'), 'story', 'long')).length).toBe(0);
});

test('a computed field is worked out at its scale and never written', () => {
  const form = typed(
    typed(put(put(fresh(), 'name', 'a'), 'level', 'small'), 'weight', '2.5'),
    'price',
    '10.10',
  );
  const control = sectionsOf(kind, form)
    .flatMap((one) => one.controls)
    .find((one) => one.path === 'total');
  expect(control).toMatchObject({ value: 2525, canEdit: false });
  const [op] = opsOf(kind, form);
  expect(op).toMatchObject({ k: 'new', set: { weight: 250, price: 1010 } });
  expect(op?.k === 'new' && 'total' in op.set).toBe(false);
});

test('saving a new one is a single op with what has a value, text in NFC', () => {
  const form = put(put(put(fresh(), 'name', 'Cafe\u0301'), 'level', 'small'), 'story', '');
  expect(opsOf(kind, form)).toEqual([
    {
      k: 'new',
      c: 'trial.every',
      r: 'r1',
      set: { who: 'me', at: NOW, day: '2026-11-23', team: 't-last', name: 'Café', level: 'small' },
    },
  ]);
});

test('saving an edit writes what changed and nothing else; an emptied field is erased', () => {
  const start = {
    name: 'a',
    level: 'small',
    story: 'old',
    trades: ['wood', 'steel'],
    who: 'me',
    'lines.l1.what': 'dig',
  };
  let form = openEdit(kind, 'r1', 9, start);
  expect(opsOf(kind, form)).toEqual([]);
  expect(isChanged(kind, form)).toBe(false);
  form = put(put(put(form, 'story', ''), 'trades', ['steel', 'mason']), 'level', 'large');
  form = put(form, 'lines.l1.what', 'dig deeper');
  expect(opsOf(kind, form)).toEqual([
    { k: 'set', c: 'trial.every', r: 'r1', f: 'level', v: 'large' },
    { k: 'set', c: 'trial.every', r: 'r1', f: 'lines.l1.what', v: 'dig deeper' },
    { k: 'set', c: 'trial.every', r: 'r1', f: 'story', v: null },
    { k: 'rem', c: 'trial.every', r: 'r1', f: 'trades', v: 'wood' },
    { k: 'add', c: 'trial.every', r: 'r1', f: 'trades', v: 'mason' },
  ]);
  expect(form.base).toBe(9);
});

test('a field that is written once cannot be edited later', () => {
  const find = (form: Form) =>
    sectionsOf(kind, form)
      .flatMap((one) => one.controls)
      .find((one) => one.path === 'who');
  expect(find(fresh())?.canEdit).toBe(true);
  expect(find(openEdit(kind, 'r1', 1, { who: 'x' }))?.canEdit).toBe(false);
});

test('rows: added, filled, summed, removed; never more than declared', () => {
  const lines = the(fields.lines);
  let form = put(put(fresh(), 'name', 'a'), 'level', 'small');
  const [k1, k2] = [rowKey(NOW, 0.1), rowKey(NOW + 1, 0.9)];
  form = addRow(addRow(form, 'lines', k1), 'lines', k2);
  expect(errorsAt(form)).toEqual([`lines.${k1}.what`, `lines.${k2}.what`]);
  for (const [key, hours, cost] of [
    [k1, '7.5', '100'],
    [k2, '2', '0.50'],
  ] as const) {
    form = put(form, `lines.${key}.what`, 'dig');
    form = typeInto(form, `lines.${key}.hours`, the(lines.fields?.hours), hours);
    form = typeInto(form, `lines.${key}.cost`, the(lines.fields?.cost), cost);
  }
  expect(totalsOf(form.values, 'lines', lines).map((one) => [one.sub, one.sum])).toEqual([
    ['hours', 95],
    ['cost', 10050],
  ]);
  expect(errorsAt(form)).toEqual([]);
  expect(rowControls(form, 'lines', k1, lines).map((one) => one.path)).toEqual([
    `lines.${k1}.what`,
    `lines.${k1}.hours`,
    `lines.${k1}.cost`,
  ]);
  form = removeRow(form, 'lines', k1);
  expect(totalsOf(form.values, 'lines', lines)[0]?.sum).toBe(20);
  const [op] = opsOf(kind, form);
  expect(Object.keys(op?.k === 'new' ? op.set : {}).filter((path) => path.startsWith('lines.'))).toEqual([
    `lines.${k2}.what`,
    `lines.${k2}.hours`,
    `lines.${k2}.cost`,
  ]);
  for (let i = 0; i < 3; i += 1) form = addRow(form, 'lines', rowKey(NOW + 2 + i, 0));
  expect(errorsAt(form)).toContain('lines');
});

test('row keys keep the order of adding and are keys that both sides take', () => {
  expect(rowKey(NOW, 0.999) < rowKey(NOW + 1, 0)).toBe(true);
  for (const random of [0, 0.5, 0.9999999]) expect(rowKey(NOW, random)).toMatch(/^[a-z][a-z0-9_]{0,39}$/);
});

test('a draft gives back the very keystrokes, the rows and the head it was begun at', () => {
  const form = addRow(typed(put(fresh(), 'name', '半'), 'weight', '12.'), 'lines', 'l1');
  expect(formIn(kind, JSON.parse(JSON.stringify(formDraft(form))))).toEqual(form);
});

test('something that is no draft of this kind is none', () => {
  const draft = formDraft(fresh()) as Record<string, never>;
  expect(formIn(kind, undefined)).toBeNull();
  expect(formIn(kind, 'text')).toBeNull();
  expect(formIn(kindOf('trial.bare'), draft)).toBeNull();
  expect(formIn(kind, { ...draft, values: 3 })).toBeNull();
});

test('the day goes with the moment until somebody sets the day', () => {
  const before = fresh();
  const moved = dated(kind, before, put(before, 'at', Date.UTC(2026, 10, 20, 23, 30)), 'Asia/Shanghai');
  expect(moved.values.day).toBe('2026-11-21');
  const set = put(moved, 'day', '2026-11-01');
  expect(dated(kind, set, put(set, 'at', NOW), 'Asia/Shanghai').values.day).toBe('2026-11-01');
});

test('a refused batch comes back into the form as it was written', () => {
  const ops = [
    { k: 'set', c: 'trial.every', r: 'r1', f: 'story', v: 'mine' },
    { k: 'add', c: 'trial.every', r: 'r1', f: 'trades', v: 'mason' },
  ] as const;
  expect(repairable(ops)).toEqual({ c: 'trial.every', r: 'r1' });
  const form = formOf(kind, 'r1', 12, ops, { name: 'a', story: 'theirs', trades: ['wood'] });
  expect(form.values).toMatchObject({ story: 'mine', trades: ['wood', 'mason'] });
  expect(opsOf(kind, form)).toEqual(ops);
  const made = formOf(
    kind,
    'r2',
    12,
    [{ k: 'new', c: 'trial.every', r: 'r2', set: { name: 'b', 'lines.l1.what': 'x' } }],
    {},
  );
  expect([made.isNew, made.rows.lines]).toEqual([true, ['l1']]);
  expect(repairable([...ops, { k: 'set', c: 'trial.every', r: 'other', f: 'story', v: null }])).toBeNull();
  expect(repairable([{ k: 'act', c: 'trial.every', r: 'r1', act: 'close' }])).toBeNull();
});
