// The service worker, run whole against small stand-ins for caches and the network:
// never a mixed build, navigations from the cache, the server's own pages left alone; an answer from a
// notification goes out as the answer of whom it was for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { IDBFactory } from 'fake-indexeddb';
import { transformWithOxc } from 'vite';
import { beforeEach, expect, test } from 'vitest';

const SOURCE = readFileSync(join(import.meta.dirname, '../../../pwa/src/sw.ts'), 'utf8');
const ORIGIN = 'https://site.example';
const FILES = ['/assets/app-1.js', '/manifest.webmanifest'];

const LATER = ['/assets/reader-1.wasm'];

type Listener = (event: Record<string, unknown>) => void;

let stored: Map<string, Map<string, string>>;
let online: Map<string, string>;
let asked: string[];
let listeners: Map<string, Listener>;
let skipped: boolean;
/** Devices whose session the server takes; null: no network. */
let sessions: ReadonlyMap<string, number> | null;
let posted: string[];
let opened: string[];
let database: IDBFactory;

const answer = (text: string, status = 200) => ({
  ok: status < 400,
  status,
  text: async () => text,
  clone: () => answer(text, status),
  body: text,
});

async function start(build: string): Promise<void> {
  const { code } = await transformWithOxc(SOURCE, 'sw.ts');
  listeners = new Map();
  const world = {
    __BUILD__: build,
    __FILES__: FILES,
    __LATER__: LATER,
    URL,
    Set,
    Promise,
    Error,
    Date,
    indexedDB: database,
    fetch: async (path: string, how?: { method: string; headers: Record<string, string>; body: string }) => {
      if (how?.method === 'POST') return post(path, how.headers['X-Device'] ?? '', how.body);
      asked.push(path);
      const text = online.get(path);
      if (text === undefined) throw new TypeError('offline');
      return answer(text);
    },
    caches: {
      open: async (name: string) => {
        const cache = stored.get(name) ?? new Map<string, string>();
        stored.set(name, cache);
        return { put: async (path: string, kept: { body: string }) => void cache.set(path, kept.body) };
      },
      match: async (path: string, how?: { cacheName: string }) => {
        const caches = how ? [stored.get(how.cacheName)] : [...stored.values()];
        const text = caches.map((cache) => cache?.get(path)).find((found) => found !== undefined);
        return text === undefined ? undefined : answer(text);
      },
      keys: async () => [...stored.keys()],
      delete: async (name: string) => stored.delete(name),
    },
    self: {
      addEventListener: (name: string, listener: Listener) => listeners.set(name, listener),
      location: { origin: ORIGIN },
      skipWaiting: async () => {
        skipped = true;
      },
      registration: {},
      clients: {
        claim: async () => undefined,
        matchAll: async () => [],
        openWindow: async (path: string) => void opened.push(path),
      },
    },
  };
  runInNewContext(code.replace(/export\s*\{\s*\};?/, ''), world);
}

function post(path: string, device: string, body: string) {
  if (sessions === null) throw new TypeError('offline');
  posted.push(`${device} ${path.split('/')[3]} ${JSON.parse(body).answer}`);
  return answer('', sessions.get(device) ?? 401);
}

async function fire(name: string, event: Record<string, unknown> = {}): Promise<void> {
  let work: Promise<unknown> = Promise.resolve();
  listeners.get(name)?.({ ...event, waitUntil: (promise: Promise<unknown>) => (work = promise) });
  await work;
}

async function open(path: string, mode = 'navigate', method = 'GET'): Promise<string | undefined> {
  let reply: Promise<{ text(): Promise<string> }> | undefined;
  listeners.get('fetch')?.({
    request: { url: new URL(path, ORIGIN).href, mode, method },
    respondWith: (promise: typeof reply) => (reply = promise),
  });
  return (await reply)?.text();
}

const shellOf = (build: string): string => `<meta name="gongbu-build" content="${build}">`;

beforeEach(async () => {
  stored = new Map();
  asked = [];
  skipped = false;
  sessions = new Map();
  posted = [];
  opened = [];
  database = new IDBFactory();
  online = new Map([
    ['/app-shell', shellOf('one')],
    ['/assets/app-1.js', 'app'],
    ['/manifest.webmanifest', '{}'],
  ]);
  await start('one');
});

test('the whole build is kept, and opens with no network', async () => {
  await fire('install');
  online.clear();
  expect(await open('/k/labour.checkin/new?x=1')).toBe(shellOf('one'));
  expect(await open('/assets/app-1.js', 'cors')).toBe('app');
});

test('shell and worker of different builds: the install fails and nothing old is touched', async () => {
  await fire('install');
  await fire('activate');
  await start('two');
  await expect(fire('install')).rejects.toThrow('another build');
  expect([...(stored.get('gongbu-one')?.keys() ?? [])]).toContain('/app-shell');
});

test('a file that does not come fails the install', async () => {
  online.delete('/manifest.webmanifest');
  await expect(fire('install')).rejects.toThrow();
});

test('a new build waits until it is told; what did not change is not fetched again', async () => {
  await fire('install');
  online.set('/app-shell', shellOf('two'));
  asked = [];
  await start('two');
  await fire('install');
  expect(asked).not.toContain('/assets/app-1.js');
  expect(skipped).toBe(false);
  await fire('message', { data: 'skip' });
  expect(skipped).toBe(true);
  await fire('activate');
  expect([...stored.keys()]).toEqual(['gongbu-two']);
});

test('what is large is kept only when a page asks, and then stays over an update', async () => {
  online.set('/assets/reader-1.wasm', 'wasm');
  await fire('install');
  expect(asked).not.toContain('/assets/reader-1.wasm');
  await fire('message', { data: 'later' });
  online.set('/app-shell', shellOf('two'));
  await start('two');
  await fire('install');
  await fire('activate');
  online.clear();
  expect(await open('/assets/reader-1.wasm', 'cors')).toBe('wasm');
});

test("the server's own pages, other methods and other sites are left alone", async () => {
  await fire('install');
  for (const path of [
    '/api/me',
    '/print/labour/month?x',
    '/lan',
    '/healthz',
    '/sw.js',
    'https://other.example/',
  ]) {
    expect(await open(path), path).toBeUndefined();
  }
  expect(await open('/me', 'navigate', 'POST')).toBeUndefined();
});

const tap = (alert: string, device: string | undefined, action = 'seen') =>
  fire('notificationclick', {
    action,
    notification: { close: () => undefined, data: { alert, device, path: '/r/1' } },
  });
async function come(device: string): Promise<string[]> {
  const told: string[] = [];
  const source = {
    postMessage: (said: { device: string; answers: { alert: string; answer: string }[] }) =>
      told.push(...said.answers.map((one) => `${one.alert} ${one.answer}`)),
  };
  await fire('message', { data: { device }, source });
  return told;
}

test('an answer from a notification is that of whom it was for, whoever opens the app next', async () => {
  sessions = null;
  await tap('fire', 'li');
  sessions = new Map([
    ['li', 200],
    ['wang', 200],
  ]);
  expect(await come('wang')).toEqual([]);
  expect(posted).toEqual(['li fire seen']);
  await come('li');
  expect(posted).toHaveLength(1);
});

test('an answer of somebody signed out waits for him, and his page is told of it', async () => {
  await tap('fire', 'li', 'safe');
  await come('wang');
  expect(posted).toEqual(['li fire safe', 'li fire safe']);
  sessions = new Map([['li', 200]]);
  expect(await come('li')).toEqual(['fire safe']);
  expect(await come('li')).toEqual([]);
  expect(posted).toHaveLength(3);
});

test('what the server will never take is given up, what it cannot take now is kept', async () => {
  for (const [status, isKept] of [
    [403, false],
    [404, false],
    [400, false],
    [503, true],
    [429, true],
  ] as const) {
    database = new IDBFactory();
    await start('one');
    sessions = new Map([['li', status]]);
    await tap('fire', 'li');
    expect(await come('li'), String(status)).toEqual(isKept ? ['fire seen'] : []);
  }
});

test('a notification that does not say whose it is opens the app, and nobody is answered for', async () => {
  await tap('fire', undefined);
  expect([posted, opened]).toEqual([[], ['/r/1']]);
});
