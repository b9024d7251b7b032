// The service worker, run whole against small stand-ins for caches and the network:
// never a mixed build, navigations from the cache, the server's own pages left alone.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
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
    fetch: async (path: string) => {
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
      clients: { claim: async () => undefined, matchAll: async () => [] },
    },
  };
  runInNewContext(code.replace(/export\s*\{\s*\};?/, ''), world);
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
