// @vitest-environment jsdom

import type { Component } from 'svelte';
import { expect, test, vi } from 'vitest';
import type { ScreenProps } from '../../../pwa/src/ui/module.ts';
import { FakePhone } from './fake.ts';
import { openScreen, until } from './page.ts';

const C = 'labour.checkin';
const today = () => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
const site = {
  r: 'p1',
  c: 'core.project',
  values: { name: '一号工地', zone: 'Asia/Shanghai', lat: 312000000, lng: 1215000000, radius_m: 300 },
  state: null,
};
const card = async () => {
  const { default: face } = await import('../../../pwa/src/modules/labour/index.ts');
  return { default: face.today as unknown as Component<ScreenProps> };
};
const crew = () => import('../../../pwa/src/modules/labour/CrewScreen.svelte');
const month = () => import('../../../pwa/src/modules/labour/MonthScreen.svelte');
const scan = () => import('../../../pwa/src/modules/labour/ScanScreen.svelte');

function stand(latitude: number): void {
  vi.stubGlobal('navigator', {
    ...navigator,
    language: 'zh-CN',
    permissions: { query: async () => ({ state: 'granted' }) },
    geolocation: {
      watchPosition: (found: (position: object) => void) => {
        found({ coords: { latitude, longitude: 121.5, accuracy: 9 }, timestamp: Date.now() });
        return 1;
      },
      clearWatch: () => undefined,
    },
  });
}

test('one tap checks in, with place and fence, and the next tap checks out', async () => {
  stand(31.2);
  const phone = new FakePhone(['worker'], ['t1'], { me: ['t1'] }).plant(site);
  const screen = await openScreen(card, phone);
  await until(() => screen.text().includes('围栏内'));
  screen.find('.tap').click();
  await until(() => phone.writings.length === 1);
  expect(phone.writings[0]?.ops[0]).toMatchObject({
    k: 'new',
    c: C,
    set: {
      worker: 'me',
      direction: 'in',
      work_date: today(),
      method: 'own',
      fence: 'inside',
      team: 't1',
      place: { lat: 312000000, lng: 1215000000, accuracy_m: 9 },
    },
  });
  await until(() => screen.text().includes('已存在本机'));
  screen.button('改打下班').click();
  await until(() => screen.find('.tap').textContent?.includes('下班'));
  screen.find('.tap').click();
  await until(() => phone.writings.length === 2);
  expect(phone.writings[1]?.ops[0]).toMatchObject({ set: { direction: 'out' } });
  await screen.close();
});

test('outside the fence it is recorded all the same, and the reason goes beside it', async () => {
  stand(31.3);
  const phone = new FakePhone(['worker']).plant(site);
  const screen = await openScreen(card, phone);
  await until(() => screen.text().includes('围栏外'));
  screen.find('.tap').click();
  await until(() => screen.text().includes('你在围栏外'));
  expect(phone.writings[0]?.ops[0]).toMatchObject({ set: { fence: 'outside' } });
  screen.button('去取材料').click();
  await until(() => phone.writings.length === 2);
  expect(phone.writings[1]?.ops[0]).toMatchObject({ k: 'set', f: 'note', v: '去取材料' });
  await screen.close();
});

test('without a position it saves at once, with the fence unknown', async () => {
  vi.stubGlobal('navigator', {
    ...navigator,
    language: 'zh-CN',
    permissions: undefined,
    geolocation: undefined,
  });
  const phone = new FakePhone(['worker']).plant(site);
  const screen = await openScreen(card, phone);
  await until(() => screen.all('.tap:not([disabled])').length === 1);
  screen.find('.tap').click();
  await until(() => phone.writings.length === 1);
  const [op] = phone.writings[0]?.ops ?? [];
  expect(op).toMatchObject({ set: { fence: 'unknown' } });
  expect(op?.k === 'new' && 'place' in op.set).toBe(false);
  await screen.close();
});

test('who only looks after the site is not asked to check in', async () => {
  const screen = await openScreen(card, new FakePhone(['supervisor']).plant(site));
  expect(screen.all('.tap')).toEqual([]);
  expect(screen.text()).toContain('考勤表');
  await screen.close();
});

test('all present but one: one batch, and the one left out stays left out', async () => {
  stand(31.2);
  const phone = new FakePhone(['foreman'], ['t1'], { a: ['t1'], b: ['t1'], c: ['t1'], z: ['t2'] }).plant(
    site,
  );
  const screen = await openScreen(crew, phone);
  await until(() => screen.all('.member').length === 3);
  screen.all('.member')[1]?.click();
  await until(() => screen.text().includes('2 人上班'));
  screen.find('.foot button').click();
  await until(() => phone.writings.length === 1);
  expect(phone.writings[0]?.ops.map((op) => op.k === 'new' && op.set.worker)).toEqual(['a', 'c']);
  await until(() => screen.text().includes('0 人上班'));
  expect(screen.find<HTMLButtonElement>('.foot button').disabled).toBe(true);
  await screen.close();
});

test("the month shows the server's hours, says what a flag means, and calls work in hand no fault", async () => {
  const now = Date.now();
  const shift = (r: string, more: object) => ({
    r,
    c: 'labour.shift',
    state: null,
    values: { worker: 'me', work_date: today(), minutes: 0, approved_minutes: 0, ...more },
  });
  const phone = new FakePhone(['worker']).plant(
    site,
    shift('s1', { start: now - 3_600_000, flags: ['missing_out', 'manual'] }),
  );
  const screen = await openScreen(month, phone);
  await until(() => screen.text().includes('在岗'));
  expect(screen.text()).toContain('事后补录');
  expect(screen.text()).not.toContain('缺下班卡');
  await screen.close();
});

test('a typed poster code checks in with its place', async () => {
  stand(31.2);
  const place = { r: 'pl1', c: 'core.place', state: null, values: { name: '东大门', code: 'EAST-7K' } };
  const phone = new FakePhone(['worker']).plant(site, place);
  const screen = await openScreen(scan, phone);
  await until(() => screen.all('form input').length === 1);
  screen.type('form input', 'east 7k');
  await until(() => {
    screen.find('form').dispatchEvent(new Event('submit', { cancelable: true }));
    return screen.text().includes('东大门');
  });
  screen.find('.foot button').click();
  await until(() => phone.writings.length === 1);
  expect(phone.writings[0]?.ops[0]).toMatchObject({
    set: { method: 'code', fence: 'inside', place: { code: 'EAST-7K' } },
  });
  await screen.close();
});
