// @vitest-environment jsdom
import { describe, expect, test } from 'vitest';
import { declarations, FakePhone, PROJECT } from './fake.ts';
import { openScreen, until } from './page.ts';

const form = () => import('../../../pwa/src/ui/generic/FormScreen.svelte');
const list = () => import('../../../pwa/src/ui/generic/ListScreen.svelte');
const detail = () => import('../../../pwa/src/ui/generic/DetailScreen.svelte');
const calendar = () => import('../../../pwa/src/ui/generic/CalendarScreen.svelte');
const inbox = () => import('../../../pwa/src/ui/approve/Inbox.svelte');
const office = () => import('../../../pwa/src/ui/office/OfficeScreen.svelte');

const C = 'trial.every';
const kind = declarations.kind(C);
const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
const values = {
  name: '基坑',
  level: 'large',
  day: today,
  who: 'u1',
  story: '有裂缝',
  weight: 1250,
  trades: ['wood'],
};
const planted = (r = 'r1', more = {}) => ({ r, c: C, values, by: 'u1', ...more });
const people = { r: 'u1', c: 'core.person', values: { name: '李四' }, state: null };

describe.each(['zh', 'en'] as const)('in %s', (lang) => {
  test('the form of a made-up kind asks for every field type that it can', async () => {
    const phone = new FakePhone(['worker']).plant(people);
    const screen = await openScreen(form, phone, { params: { kind: C }, lang });
    await until(() => screen.all('form').length === 1);
    for (const [name, field] of Object.entries(kind?.fields ?? {})) {
      const asked = !['why', 'stamp'].includes(name);
      expect(screen.text().includes(field.label[lang]), `${name}: ${field.label[lang]}`).toBe(asked);
    }
    expect(screen.text()).not.toMatch(/missing|undefined|\[object/);
    await screen.close();
  });

  test('list, detail, calendar, inbox and ledger of the same kind say what it says', async () => {
    const phone = new FakePhone(['supervisor']).plant(people, planted());
    for (const [load, params, words] of [
      [
        list,
        { kind: C },
        ['基坑', '李四', lang === 'zh' ? '重大' : 'Large', lang === 'zh' ? '待审' : 'Waiting'],
      ],
      [
        detail,
        { r: 'r1' },
        ['基坑', '有裂缝', '12.5', lang === 'zh' ? '木工' : 'Carpenter', lang === 'zh' ? '通过' : 'Approve'],
      ],
      [calendar, { kind: C }, ['基坑']],
      [inbox, {}, ['基坑', '有裂缝', '12.5', '李四']],
      [office, { kind: C }, ['基坑', '李四', '12.5']],
    ] as const) {
      const screen = await openScreen(load, phone, { params, lang });
      await until(() => words.every((word) => screen.text().includes(word)));
      expect(screen.text()).not.toMatch(/undefined|\[object|NaN/);
      await screen.close();
    }
  });
});

describe('the form', () => {
  test('keeps a draft at each pause, and gives it back after the phone was killed', async () => {
    const phone = new FakePhone(['worker']);
    let screen = await openScreen(form, phone, { params: { kind: C } });
    await until(() => screen.all('input[type=text]').length > 0);
    screen.type('input[type=text]', '写到一半');
    await until(() => phone.kept.has(`form/${PROJECT}/${C}/new`));
    await screen.close();
    screen = await openScreen(form, phone, { params: { kind: C } });
    await until(() => screen.text().includes('接着上次写'));
    expect(screen.find<HTMLInputElement>('input[type=text]').value).toBe('写到一半');
    await screen.close();
  });

  test('leaving in the middle of a word writes it down', async () => {
    const phone = new FakePhone(['worker']);
    const screen = await openScreen(form, phone, { params: { kind: C } });
    await until(() => screen.all('input[type=text]').length > 0);
    screen.type('input[type=text]', '半');
    await screen.close();
    expect(JSON.stringify(phone.kept.get(`form/${PROJECT}/${C}/new`))).toContain('半');
  });

  test('does not save while something is wrong, says what, and saves once it is right', async () => {
    const phone = new FakePhone(['worker']);
    const screen = await openScreen(form, phone, { params: { kind: C } });
    await until(() => screen.all('input[type=text]').length > 0);
    screen.find('form').dispatchEvent(new Event('submit', { cancelable: true }));
    await until(() => screen.all('.error').length === 2);
    expect(phone.writings).toEqual([]);
    screen.type('input[type=text]', '基坑');
    screen.find<HTMLInputElement>('input[value=small]').click();
    screen.find('form').dispatchEvent(new Event('submit', { cancelable: true }));
    await until(() => phone.writings.length === 1);
    expect(phone.writings[0]?.ops[0]).toMatchObject({
      k: 'new',
      c: C,
      set: { name: '基坑', level: 'small', who: 'me', day: today },
    });
    expect(phone.writings[0]?.base).toBe(7);
    await until(() => !phone.kept.has(`form/${PROJECT}/${C}/new`));
    await screen.close();
  });

  test('a draft whose entry was saved before the kill is not offered again', async () => {
    const phone = new FakePhone(['worker']);
    const screen = await openScreen(form, phone, { params: { kind: C } });
    await until(() => screen.all('input[type=text]').length > 0);
    screen.type('input[type=text]', '基坑');
    await until(() => phone.kept.size === 1);
    const draft = phone.kept.get(`form/${PROJECT}/${C}/new`) as { r: string };
    await screen.close();
    phone.plant(planted(draft.r));
    const again = await openScreen(form, phone, { params: { kind: C } });
    await until(() => again.all('input[type=text]').length > 0);
    expect(again.text()).not.toContain('接着上次写');
    await again.close();
  });

  test('an approved entry is not opened for change, a computed kind never', async () => {
    const seal = { seq: 3, i: 0, ver: 'v', by: 'u2', et: 0 };
    const phone = new FakePhone(['foreman']).plant(planted('r1', { state: 'closed', record: { seal } }));
    const sealed = await openScreen(form, phone, { params: { kind: C, r: 'r1' } });
    await until(() => sealed.text().includes('已审核，不能再改'));
    expect(sealed.all('form')).toEqual([]);
    await sealed.close();
    const shift = await openScreen(form, phone, { params: { kind: 'labour.shift' } });
    expect(shift.text()).toContain('由系统汇总');
    await shift.close();
  });

  test('a refused batch is put right and sent as a repair', async () => {
    const phone = new FakePhone(['worker']).plant(planted('r1', { by: 'me' }));
    phone.out = [
      {
        n: 5,
        project: PROJECT,
        bytes: 1,
        since: 0,
        status: 'refused',
        code: 'invalid',
        base: 3,
        ops: [{ k: 'set', c: C, r: 'r1', f: 'name', v: '写得太长的名称' }],
      },
    ];
    const screen = await openScreen(form, phone, { params: { kind: C }, query: 'repair=5' });
    await until(() => screen.all('input[type=text]').length > 0);
    expect(screen.find<HTMLInputElement>('input[type=text]').value).toBe('写得太长的名称');
    screen.type('input[type=text]', '短名');
    screen.find('form').dispatchEvent(new Event('submit', { cancelable: true }));
    await until(() => phone.repaired.length === 1);
    expect(phone.repaired[0]).toEqual({ n: 5, ops: [{ k: 'set', c: C, r: 'r1', f: 'name', v: '短名' }] });
    await screen.close();
  });
});

test('an act that needs something says what is missing instead of failing', async () => {
  const drawn = { shapes: [{ t: 'arrow', c: 'red', p: [0, 0, 9, 9] }] };
  const lacking = { ...values, 'marks.p1': drawn, spot: { plan: 'u1', page: 2, x: 1, y: 1 } };
  const phone = new FakePhone(['worker']).plant(
    people,
    planted('r1', { by: 'me', state: 'back', values: lacking }),
  );
  const screen = await openScreen(detail, phone, { params: { r: 'r1' } });
  await until(() => screen.text().includes('重提'));
  screen.button('重提').click();
  await until(() => screen.text().includes('先要填：照片、签名'));
  expect(phone.writings).toEqual([]);
  await screen.close();
});

describe('the inbox', () => {
  test('approves sixty with one choice, each in a batch of its own with what was seen', async () => {
    const many = Array.from({ length: 60 }, (_, i) =>
      planted(`r${i}`, { values: { ...values, name: `第${i}条` } }),
    );
    const phone = new FakePhone(['supervisor']).plant(...many);
    const screen = await openScreen(inbox, phone);
    await until(() => screen.text().includes('60 条等你审核'));
    screen.button('全选').click();
    await until(() => screen.text().includes('通过 60 条'));
    screen.button('通过 60 条').click();
    await until(() => phone.writings.length === 60);
    expect(new Set(phone.writings.map((one) => one.ops.length))).toEqual(new Set([1]));
    expect(phone.writings[0]?.ops[0]).toMatchObject({
      k: 'act',
      act: 'close',
      ver: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(phone.writings[0]?.memo).toMatchObject({ saw: { day: today } });
    await until(() => screen.text().includes('都审完了'));
    await screen.close();
  });

  test('returning asks why and sends the note', async () => {
    const phone = new FakePhone(['supervisor']).plant(planted());
    const screen = await openScreen(inbox, phone);
    await until(() => screen.all('article').length === 1);
    screen.all('.buttons button')[0]?.click();
    await until(() => screen.all('dialog textarea').length === 1);
    screen.button('退回').click();
    screen.type('dialog textarea', '缺照片');
    screen.all('dialog .actions button')[0]?.click();
    await until(() => phone.writings.length === 1);
    expect(phone.writings[0]?.ops[0]).toMatchObject({ act: 'send_back', note: '缺照片' });
    await screen.close();
  });

  test("one's own entries and those in conflict cannot be approved", async () => {
    const phone = new FakePhone(['supervisor']).plant(
      planted('mine', { by: 'me' }),
      planted('two', { more: { conflicts: ['name'] } }),
    );
    const screen = await openScreen(inbox, phone);
    await until(() => screen.all('article').length === 1);
    expect(screen.text()).toContain('先解决两个值');
    expect(screen.all('.yes')).toEqual([]);
    await screen.close();
  });

  test('what lacks something that the approval needs says what, and is not approved with the rest', async () => {
    const { level: _, ...without } = values;
    const phone = new FakePhone(['supervisor']).plant(planted('good'), planted('bad', { values: without }));
    const screen = await openScreen(inbox, phone);
    await until(() => screen.all('article').length === 2);
    expect(screen.text()).toContain('先要填：等级');
    expect(screen.all('.yes').length).toBe(1);
    expect(screen.all('.pick input:disabled').length).toBe(1);
    await screen.close();
  });

  test('a stale approval shows what was seen beside what is there now, and is given again', async () => {
    const phone = new FakePhone(['supervisor']).plant(planted());
    phone.out = [
      {
        n: 4,
        project: PROJECT,
        bytes: 1,
        since: 0,
        status: 'refused',
        code: 'stale_approval',
        op: 0,
        base: 1,
        ops: [{ k: 'act', c: C, r: 'r1', act: 'close', ver: 'old' }],
        memo: { saw: { ...values, weight: 100 } },
      },
    ];
    const screen = await openScreen(inbox, phone);
    await until(() => screen.all('.stale').length === 1);
    expect(screen.find('del').textContent).toBe('1 吨');
    expect(screen.find('ins').textContent).toBe('12.5 吨');
    screen.button('按现在的通过').click();
    await until(() => phone.dropped.length === 1);
    expect(phone.writings[0]?.ops[0]).toMatchObject({
      k: 'act',
      ver: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await screen.close();
  });

  test('a change after the approval is accepted or declined beside the approved value', async () => {
    const held = [
      {
        of: [9, 0],
        op: { k: 'set', c: C, r: 'r1', f: 'name', v: '改后' },
        by: 'u1',
        device: 'd',
        base: 3,
        et: 5,
      },
    ] as const;
    const phone = new FakePhone(['supervisor']).plant(
      people,
      planted('r1', { state: 'closed', record: { held } }),
    );
    const screen = await openScreen(inbox, phone);
    await until(() => screen.text().includes('改后'));
    expect(screen.find('.pair').textContent).toContain('基坑');
    screen.button('采纳').click();
    screen.all('.halves button')[1]?.click();
    await until(() => phone.writings.length >= 1);
    expect(phone.writings.at(-1)?.ops[0]).toMatchObject({ k: 'amend', of: [9, 0] });
    await screen.close();
  });
});

test('the ledger is worked by keys: j, x, a', async () => {
  const phone = new FakePhone(['supervisor']).plant(planted('a'), planted('b'), planted('c', { by: 'me' }));
  const screen = await openScreen(office, phone, { params: { kind: C } });
  await until(() => screen.all('[role=row]').length > 1);
  for (const key of ['x', 'j', 'x', 'j', 'x', 'a'])
    window.dispatchEvent(new KeyboardEvent('keydown', { key }));
  await until(() => phone.writings.length === 2);
  expect(phone.writings.map((one) => one.ops[0]?.r).sort()).toEqual(['a', 'b']);
  await screen.close();
});
