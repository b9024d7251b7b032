// @vitest-environment jsdom
// The pages of the shell: what waits, what needs a person, two values, signing out, people on the site.
import { describe, expect, test, vi } from 'vitest';
import type { OutboxEntry, SyncStatus, Value } from '../../../pwa/src/store/phone.ts';
import { FakePhone, PROJECT } from './fake.ts';
import { openScreen, until } from './page.ts';

const outbox = () => import('../../../pwa/src/ui/screens/Outbox.svelte');
const attention = () => import('../../../pwa/src/ui/screens/Attention.svelte');
const conflict = () => import('../../../pwa/src/ui/screens/Conflict.svelte');
const me = () => import('../../../pwa/src/ui/screens/Me.svelte');
const settings = () => import('../../../pwa/src/ui/screens/Settings.svelte');
const refused = () => import('../../../pwa/src/ui/screens/Refused.svelte');
const team = () => import('../../../pwa/src/ui/screens/Team.svelte');
const teams = () => import('../../../pwa/src/ui/screens/Teams.svelte');
const today = () => import('../../../pwa/src/ui/screens/Today.svelte');

const C = 'trial.every';

class Standing extends FakePhone {
  standing: Partial<SyncStatus> = {};
  override status(): SyncStatus {
    return { ...super.status(), ...this.standing };
  }
}

function entry(n: number, status: OutboxEntry['status'], more: Partial<OutboxEntry> = {}): OutboxEntry {
  const ops = [{ k: 'new', c: C, r: `r${n}`, set: { name: `基坑${n}`, story: '边坡开裂' } }] as const;
  return { n, project: PROJECT, bytes: 640, since: Date.now() - 600_000, status, ops, base: 7, ...more };
}

describe('what waits to be sent', () => {
  test('says how much, since when and why, and the button sends', async () => {
    const phone = new Standing(['worker']);
    phone.out = [entry(1, 'waiting'), entry(2, 'waiting')];
    phone.standing = { waiting: 2, waitingBytes: 1280, since: Date.now() - 600_000 };
    const sendNow = vi.fn(async () => {
      phone.standing = { waiting: 0 };
    });
    const screen = await openScreen(outbox, phone, { app: { accounts: { sendNow } } });
    await until(() => screen.text().includes('基坑1'));
    expect(screen.text()).toContain('2 条在等，共 1.3 kB');
    expect(screen.text()).toContain('10分钟前');
    expect(screen.text()).toContain('没有网络，有了就自动发');
    screen.button('现在发送').click();
    await until(() => sendNow.mock.calls.length === 1);
    await screen.close();
  });

  test('a server that does not answer is named, with the time of the next try', async () => {
    const phone = new Standing(['worker']);
    phone.out = [entry(1, 'waiting')];
    const retryAt = Date.now() + 60_000;
    phone.standing = {
      online: true,
      waiting: 1,
      lastError: { code: 'unavailable', at: Date.now(), retryAt },
    };
    const screen = await openScreen(outbox, phone, { lang: 'en' });
    await until(() => screen.text().includes('The server is busy'));
    expect(screen.text()).toMatch(/Tried again at \d\d:\d\d/);
    await screen.close();
  });

  test('a session that ended asks to sign in again, and says nothing is lost', async () => {
    const phone = new Standing(['worker']);
    phone.out = [entry(1, 'waiting')];
    phone.standing = { waiting: 1, signedOut: true };
    const screen = await openScreen(outbox, phone);
    await until(() => screen.text().includes('登录过期了'));
    expect(screen.find<HTMLAnchorElement>('a[href^="/sign-in"]').getAttribute('href')).toBe(
      '/sign-in?person=me',
    );
    await screen.close();
  });
});

describe('what needs the person', () => {
  const bad = entry(3, 'refused', { code: 'invalid', op: 0, field: 'name', reason: 'max' });

  test('shows their words, the reason at its field, and a way to repair', async () => {
    const phone = new FakePhone(['worker']);
    phone.out = [bad];
    const screen = await openScreen(attention, phone);
    await until(() => screen.text().includes('边坡开裂'));
    expect(screen.text()).toContain('有一处填得不对');
    expect(screen.text()).toContain('太大或太长');
    expect(screen.button('改好再发').getAttribute('href')).toBe(`/k/${C}/new?repair=3`);
    await screen.close();
  });

  test('dropping asks first, and only then drops', async () => {
    const phone = new FakePhone(['worker']);
    phone.out = [bad];
    const screen = await openScreen(attention, phone);
    await until(() => screen.text().includes('边坡开裂'));
    screen.button('不要了').click();
    await until(() => screen.all('dialog[open]').length === 1);
    expect(phone.dropped).toEqual([]);
    screen.find<HTMLElement>('dialog[open] .danger').click();
    await until(() => phone.dropped.length === 1);
    await until(() => screen.text().includes('没有要处理的'));
    await screen.close();
  });

  test('an approval of something that changed leads back to look again, not to sending it again', async () => {
    const phone = new FakePhone(['supervisor']);
    phone.out = [
      entry(4, 'refused', {
        code: 'stale_approval',
        ops: [{ k: 'act', c: C, r: 'r1', act: 'approve', ver: 'x' }],
      }),
    ];
    const screen = await openScreen(attention, phone);
    await until(() => screen.text().includes('您看的时候内容变了'));
    expect(screen.button('再看一遍').getAttribute('href')).toBe('/approve');
    expect(screen.text()).not.toContain('原样再发');
    await screen.close();
  });

  test('a late change that is held says that nothing is to be done', async () => {
    const phone = new FakePhone(['worker']);
    phone.out = [entry(5, 'held', { held: [0] })];
    const screen = await openScreen(attention, phone, { lang: 'en' });
    await until(() => screen.text().includes('Waits for the approver'));
    expect(screen.text()).toContain('Nothing to do');
    await screen.close();
  });
});

test('two values: both are shown with who and when; picking one writes it knowing both', async () => {
  const at = Date.UTC(2026, 10, 23, 1);
  const f = {
    story: [
      [5, 0, 'device-me', 4, at, '有裂缝'],
      [6, 0, 'other', 4, at + 60_000, '没有裂缝'],
    ],
  } as unknown as Record<string, never>;
  const phone = new FakePhone(['worker', 'foreman', 'supervisor', 'manager', 'office']).plant({
    r: 'r1',
    c: C,
    values: { name: '基坑' },
    by: 'me',
    record: { f },
  });
  const screen = await openScreen(conflict, phone, { params: { c: C, r: 'r1' } });
  await until(() => screen.text().includes('没有裂缝'));
  expect(screen.text()).toContain('有裂缝');
  expect(screen.text()).toContain('王建国 写的');
  expect(screen.text()).toContain('这台手机');
  screen.find<HTMLElement>('button[aria-label="用这个: 有裂缝"]').click();
  await until(() => phone.writings.length === 1);
  expect(phone.writings[0]).toMatchObject({
    base: 7,
    ops: [{ k: 'set', c: C, r: 'r1', f: 'story', v: '有裂缝' }],
  });
  await screen.close();
});

describe('signing out', () => {
  async function opened(waiting: number) {
    const phone = new Standing(['worker']);
    phone.standing = { waiting };
    const signOut = vi.fn(async (_person: string, _erase: boolean) => ({ waiting, kept: true }));
    const leave = vi.fn();
    const accounts = { signOut, people: async () => [], sendNow: async () => undefined };
    const screen = await openScreen(me, phone, { app: { accounts, leave } });
    screen.button('退出登录').click();
    await until(() => screen.all('dialog[open]').length === 1);
    return { screen, signOut, leave };
  }

  test('with something unsent, erasing is not even offered', async () => {
    const { screen, signOut, leave } = await opened(3);
    expect(screen.text()).toContain('还有 3 条没发出，会留在本机');
    expect(screen.text()).not.toContain('清掉本机');
    screen.button('本机留一份').click();
    await until(() => leave.mock.calls.length === 1);
    expect(signOut).toHaveBeenCalledWith('me', false);
    await screen.close();
  });

  test('with everything sent, the copy may be cleared', async () => {
    const { screen, signOut } = await opened(0);
    screen.button('清掉本机的').click();
    await until(() => signOut.mock.calls.length === 1);
    expect(signOut).toHaveBeenCalledWith('me', true);
    await screen.close();
  });
});

test('a clock three hours fast is told, with what it means', async () => {
  const phone = new FakePhone(['worker']);
  phone.skew_ms = -3 * 3_600_000;
  const screen = await openScreen(settings, phone, { app: { accounts: { estimate: async () => null } } });
  await until(() => screen.text().includes('快了 3 小时'));
  expect(screen.text()).toContain('不影响记工');
  await screen.close();
});

test('the language changes at once, on the page that is open', async () => {
  const phone = new FakePhone(['worker']);
  const screen = await openScreen(settings, phone, { app: { accounts: { estimate: async () => null } } });
  await until(() => screen.text().includes('字号'));
  screen.find<HTMLInputElement>('input[value="en"]').click();
  await until(() => screen.text().includes('Text size'));
  expect(document.documentElement.lang).toBe('en');
  screen.find<HTMLInputElement>('input[value="zh"]').click();
  await until(() => screen.text().includes('字号'));
  await screen.close();
});

test('Today counts what waits, what needs the person and what is unfinished', async () => {
  const phone = new Standing(['worker']);
  phone.standing = { waiting: 2, refused: 1 };
  phone.saveDraft(`form/${PROJECT}/${C}/new`, { name: '写到一半' });
  const screen = await openScreen(today, phone);
  await until(() => screen.text().includes('1 份草稿'));
  expect(screen.all('a[href="/attention"], a[href="/drafts"], a[href="/outbox"]').length).toBe(3);
  await screen.close();
});

describe('for office and manager', () => {
  test('people are added from a pasted list, and teams that are new are made first', async () => {
    const asked: [string, string, Value | undefined][] = [];
    const api = async (method: string, path: string, body?: Value): Promise<unknown> => {
      asked.push([method, path, body]);
      return method === 'GET' ? { people: [] } : { ids: ['a', 'b'] };
    };
    const sendNow = async (): Promise<void> => undefined;
    const phone = new FakePhone(['office']).plant({ r: 't2', c: 'core.team', values: { name: '木工班' } });
    const screen = await openScreen(team, phone, { app: { accounts: { api, sendNow } } });
    await until(() => asked.length > 0);
    screen.button('添加人员').click();
    await until(() => screen.all('textarea').length === 1);
    const lines = '张伟, 钢筋班\n\n李强\n赵六，木工班';
    screen.type('textarea', lines);
    expect(screen.text()).toContain('添加 3 人');
    expect(screen.text()).toMatch(/会一起建：钢筋班(?!、)/);
    screen.find<HTMLFormElement>('form').requestSubmit();
    await until(() => asked.some(([, path]) => path === '/api/people'));
    expect(asked.filter(([method]) => method === 'POST')).toEqual([
      ['POST', '/api/teams', { project: PROJECT, name: '钢筋班' }],
      ['POST', '/api/people', { project: PROJECT, lines }],
    ]);
    await screen.close();
  });

  test('who is named to lead a team becomes its foreman and a member', async () => {
    const asked: [string, string, Value | undefined][] = [];
    const api = async (method: string, path: string, body?: Value): Promise<unknown> => {
      asked.push([method, path, body]);
      return method === 'GET' ? { people: [{ id: 'u1', roles: ['worker'], teams: [] }] } : { id: 't1' };
    };
    const sendNow = async (): Promise<void> => undefined;
    const phone = new FakePhone(['manager']).plant({ r: 'u1', c: 'core.person', values: { name: '李四' } });
    const screen = await openScreen(teams, phone, { app: { accounts: { api, sendNow } } });
    await until(() => screen.all('option').length === 2 || screen.text().includes('还没有班组'));
    screen.button('新班组').click();
    await until(() => screen.all('form input').length > 0);
    screen.type('form input', '钢筋班');
    const chosen = screen.find<HTMLSelectElement>('select');
    chosen.value = 'u1';
    chosen.dispatchEvent(new Event('change', { bubbles: true }));
    screen.find<HTMLFormElement>('form').requestSubmit();
    await until(() => asked.length === 3);
    expect(asked[0]).toEqual([
      'POST',
      '/api/teams',
      { project: PROJECT, name: '钢筋班', trade: '', employer: '', foreman: 'u1' },
    ]);
    expect(asked[2]).toEqual([
      'PATCH',
      '/api/people/u1',
      { project: PROJECT, roles: ['worker', 'foreman'], teams: ['t1'] },
    ]);
    await screen.close();
  });

  test('the manager reads what was refused, in the words of who wrote it', async () => {
    const payload = JSON.stringify({
      n: 1,
      ops: [{ k: 'new', c: C, r: 'r9', set: { name: '塔吊', story: '钢丝绳断股' } }],
    });
    const one = {
      device: 'd',
      n: 1,
      name: '李四',
      received: Date.now(),
      code: 'forbidden',
      reason: null,
      payload,
    };
    const unreadable = { ...one, n: 2, payload: 'not json' };
    const api = async () => ({ refused: [one, unreadable] });
    const screen = await openScreen(refused, new FakePhone(['manager']), { app: { accounts: { api } } });
    await until(() => screen.text().includes('钢丝绳断股'));
    expect(screen.text()).toContain('李四');
    expect(screen.text()).toContain('not json');
    await screen.close();
  });
});
