// @vitest-environment jsdom
// Screens of one record, each of its own module: what they say of its standing, and what may be done there.
import { expect, test } from 'vitest';
import inspections from '../../../pwa/src/modules/inspections/index.ts';
import safety from '../../../pwa/src/modules/safety/index.ts';
import { FakePhone, the } from './fake.ts';
import { openScreen, until } from './page.ts';

const hazardScreen = () => import('../../../pwa/src/modules/safety/HazardScreen.svelte');
const reportScreen = () => import('../../../pwa/src/modules/safety/ReportScreen.svelte');
const startScreen = () => import('../../../pwa/src/modules/inspections/StartScreen.svelte');
const recordScreen = () => import('../../../pwa/src/ui/generic/RecordScreen.svelte');
const conflictScreen = () => import('../../../pwa/src/ui/screens/Conflict.svelte');
const defectScreen = () => import('../../../pwa/src/modules/quality/DefectScreen.svelte');
const person = (r: string, name: string) => ({ r, c: 'core.person', values: { name }, state: null });
const seal = { seq: 5, i: 0, device: 'd', by: 'u2', et: 5, ver: 'v' };
const photo = { sha: 'a'.repeat(64), at: 1, w: 4, h: 3 };

function closed(c: string, late: string) {
  const op = { k: 'set', c, r: 'r1', f: 'measure', v: late } as const;
  const held = [{ of: [9, 0] as const, op, by: 'u1', device: 'd', base: 3, et: 6 }];
  const values = { level: 'general', description: '洞口没有盖板', measure: '加盖板' };
  return { r: 'r1', c, values, state: 'closed', by: 'u1', record: { seal, held } };
}

test.each([
  ['safety.hazard', hazardScreen],
  ['quality.defect', defectScreen],
] as const)(
  'a change after the closing of a %s stands beside what was approved, to be taken or left',
  async (c, load) => {
    const phone = new FakePhone(['supervisor']).plant(person('u1', '李四'), closed(c, '换成钢盖板'));
    const screen = await openScreen(load, phone, { params: { r: 'r1' } });
    await until(() => screen.text().includes('换成钢盖板'));
    expect(screen.text()).toContain('李四');
    the(screen.all('.halves button')[1]).click();
    await until(() => phone.writings.length === 1);
    expect(phone.writings[0]?.ops[0]).toMatchObject({ k: 'amend', of: [9, 0], ver: expect.any(String) });
    await until(() => !screen.text().includes('换成钢盖板'));
    await screen.close();
  },
);

test('a closed hazard is opened again only once what came late is decided', async () => {
  const phone = new FakePhone(['supervisor']).plant(
    person('u1', '李四'),
    closed('safety.hazard', '换成钢盖板'),
  );
  const screen = await openScreen(hazardScreen, phone, { params: { r: 'r1' } });
  await until(() => screen.text().includes('换成钢盖板'));
  expect(screen.text()).not.toContain('重新打开');
  screen.button('不采纳').click();
  await until(() => screen.find<HTMLDialogElement>('dialog[open]').open);
  the(screen.all('dialog[open] .button').at(-1)).click();
  await until(() => phone.writings.length === 1);
  expect(phone.writings[0]?.ops[0]).toMatchObject({ k: 'decline', of: [9, 0] });
  await until(() => screen.text().includes('重新打开'));
  await screen.close();
});

test('who may not decide what came late only reads it', async () => {
  const phone = new FakePhone(['worker']).plant(person('u1', '李四'), closed('safety.hazard', '换成钢盖板'));
  const screen = await openScreen(hazardScreen, phone, { params: { r: 'r1' } });
  await until(() => screen.text().includes('换成钢盖板'));
  expect(screen.text()).not.toContain('采纳');
  await screen.close();
});

test('a hazard is issued only with all five, and in one batch with them', async () => {
  const values = { level: 'general', description: '洞口没有盖板', 'photos.aaaaaaaaaa': photo };
  const known = { team: 't1', person: 'u1', standard: 'JGJ 80' };
  const phone = new FakePhone(['inspector']).plant(
    person('u1', '李四'),
    { r: 't1', c: 'core.team', values: { name: '木工班' }, state: null },
    { r: 'r1', c: 'safety.hazard', values: { ...values, ...known }, state: 'reported', by: 'u1' },
  );
  const screen = await openScreen(hazardScreen, phone, { params: { r: 'r1' } });
  await until(() => screen.text().includes('下达整改'));
  screen.button('下达整改').click();
  await until(() => screen.all('dialog[open] textarea').length === 1);
  const issue = the(screen.all('dialog[open] .button').at(-1));
  issue.click();
  await until(() => screen.text().includes('五定缺一不可'));
  expect(phone.writings).toHaveLength(0);
  screen.type('dialog[open] textarea', '加盖板');
  issue.click();
  await until(() => phone.writings.length === 1);
  const ops = phone.writings[0]?.ops ?? [];
  expect(ops.map((op) => (op.k === 'set' ? op.f : op.k))).toEqual(['due', 'measure', 'act']);
  await screen.close();
});

test('without a name after the photo was taken: photo and words leave as a tip, nothing as a hazard', async () => {
  const phone = new FakePhone(['worker']);
  const taken = { ...photo, skew_ms: 1234 };
  const values = { 'photos.aaaaaaaaaa': taken, description: '洞口没有盖板' };
  phone.saveDraft('hazard/p1', { r: 'r9', anonymous: false, values });
  const screen = await openScreen(reportScreen, phone);
  await until(() => screen.find<HTMLTextAreaElement>('textarea').value === '洞口没有盖板');
  expect(screen.text()).toContain('只有你自己、本项目的项目经理和管服务器的人能查到');
  screen.find<HTMLInputElement>('.unnamed input').click();
  screen.button('一般').click();
  await until(() => phone.writings.length === 1 && phone.kept.size === 0);
  const set = { level: 'general', description: '洞口没有盖板', 'photos.aaaaaaaaaa': photo };
  expect(phone.writings[0]?.ops).toEqual([{ k: 'new', c: 'safety.tip', r: 'r9', set }]);
  expect(phone.album.filed).toEqual([['r9', 'safety.tip']]);
  await screen.close();
});

test('a spot on a drawing and the position with it stay while templates are searched', async () => {
  const pin = { plan: 'p9', page: 1, x: 5, y: 6 };
  const template = (r: string, name: string) => ({
    r,
    c: 'inspections.template',
    values: { name, family: r, version: 1 },
    state: 'published',
  });
  const phone = new FakePhone(['inspector']).plant(
    ...Array.from({ length: 9 }, (_, i) => template(`t${i}`, `模板 ${i}`)),
    { r: 'pl1', c: 'core.place', values: { name: '2# 楼', code: 'B2' }, state: null },
  );
  const fix = JSON.stringify({ lat: 1, lng: 2, accuracy_m: 5 });
  const query = new URLSearchParams({ pin: JSON.stringify(pin), place: fix }).toString();
  const screen = await openScreen(startScreen, phone, { query });
  await until(() => screen.all('[role=listitem]').length === 9);
  expect(screen.find<HTMLInputElement>('input[type=text]').value).toBe('');
  screen.type('input[type=search]', '模板 7');
  await until(() => screen.all('[role=listitem]').length === 1);
  screen.button('模板 7').click();
  await until(() => phone.writings.length === 1);
  expect(phone.writings[0]?.ops[0]).toMatchObject({ set: { template: 't7', pin, place: JSON.parse(fix) } });
  await screen.close();
});

test.each([
  ['zh', '1.1 洞口盖板固定 · '],
  ['en', '1.1 Hole cover fixed · '],
] as const)('an answer that two gave differently is named by its item, in %s', async (lang, words) => {
  const template = {
    'sections.s.title': '临边洞口',
    'items.hole.section': 's',
    'items.hole.kind': 'check',
    'items.hole.text': '洞口盖板固定',
    'items.hole.text_en': 'Hole cover fixed',
  };
  const f = {
    'answers.hole.result': [
      [5, 0, 'device-me', 4, 1, 'pass'],
      [6, 0, 'other', 4, 2, 'fail'],
    ],
  } as unknown as Record<string, never>;
  const phone = new FakePhone(['inspector']).plant(
    { r: 't1', c: 'inspections.template', values: template, state: 'published' },
    { r: 'r1', c: 'inspections.inspection', values: { template: 't1' }, by: 'me', record: { f } },
  );
  const params = { c: 'inspections.inspection', r: 'r1' };
  const screen = await openScreen(conflictScreen, phone, { params, lang, faces: [inspections] });
  await until(() => screen.find('h2').textContent?.startsWith(words));
  await screen.close();
});

test('a link opened before its record has come shows it on its own screen once it is there', async () => {
  const phone = new FakePhone(['inspector']);
  const screen = await openScreen(recordScreen, phone, { params: { r: 'r1' }, faces: [safety] });
  await until(() => screen.text().includes('这条记录不在本机'));
  phone.plant({ r: 'r1', c: 'safety.hazard', values: { level: 'major' }, state: 'reported', by: 'u1' });
  phone.tell('records');
  await until(() => screen.text().includes('重大隐患：须停工并上报'));
  await screen.close();
});
