/// <reference lib="webworker" />
// The service worker: keeps one whole build of the app on the phone and answers from it.
// Promises: a shell and its scripts are always of the same build (the install fails otherwise);
// a new build waits until the app says `skip`, so nobody loses what is being typed.
// It keeps no data of people: records, outbox and drafts live in IndexedDB.

export {}; // a module of its own, so that `self` can be the worker's

declare const self: ServiceWorkerGlobalScope;
declare const __BUILD__: string;
declare const __FILES__: readonly string[];
/** Large, and needed by some phones only: kept when a page asks for it. */
declare const __LATER__: readonly string[];

const CACHE_PREFIX = 'gongbu-';
const CACHE = CACHE_PREFIX + __BUILD__;
const SHELL = '/app-shell';
const KEPT: ReadonlySet<string> = new Set([...__FILES__, ...__LATER__]);
// Pages that the server makes itself; everything else that is opened is the app.
const SERVER_PAGE = /^\/(api|assets|static|print|lan|schema|healthz|app-shell)(\/|$)|^\/[^/]+\.[a-z0-9]+$/;

self.addEventListener('install', (event) => event.waitUntil(keepBuild()));
self.addEventListener('activate', (event) => event.waitUntil(takeOver()));
self.addEventListener('message', (event) => {
  if (event.data === 'skip') event.waitUntil(self.skipWaiting());
  if (event.data === 'later') event.waitUntil(keepLater());
});
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (event.request.mode === 'navigate') {
    if (!SERVER_PAGE.test(url.pathname)) event.respondWith(shell());
  } else if (KEPT.has(url.pathname)) {
    event.respondWith(kept(url.pathname));
  }
});
// Chromium wakes the worker when the network is back; open pages hold the keys, they send.
self.addEventListener('sync', (event) => (event as ExtendableEvent).waitUntil(tellPages('send')));

async function keepBuild(): Promise<void> {
  const answer = await fetch(SHELL, { cache: 'no-store', credentials: 'omit' });
  const text = await answer.clone().text();
  if (!answer.ok || !text.includes(`content="${__BUILD__}"`)) throw new Error('shell is of another build');
  const cache = await caches.open(CACHE);
  await Promise.all(__FILES__.map((path) => keep(cache, path)));
  await Promise.all(__LATER__.map((path) => keepKnown(cache, path)));
  await cache.put(SHELL, answer);
}

async function keepLater(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(__LATER__.map((path) => keep(cache, path)));
}

async function keep(cache: Cache, path: string): Promise<void> {
  if (await keepKnown(cache, path)) return;
  const answer = await fetch(path, { credentials: 'omit' });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  await cache.put(path, answer);
}

/** Hashed files do not change: what an older build already brought is not fetched again. */
async function keepKnown(cache: Cache, path: string): Promise<boolean> {
  const known = path.startsWith('/assets/') ? await caches.match(path) : undefined;
  if (known) await cache.put(path, known);
  return known !== undefined;
}

async function takeOver(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function shell(): Promise<Response> {
  return (await caches.match(SHELL, { cacheName: CACHE })) ?? fetch(SHELL);
}

async function kept(path: string): Promise<Response> {
  return (await caches.match(path, { cacheName: CACHE })) ?? fetch(path);
}

async function tellPages(message: string): Promise<void> {
  for (const page of await self.clients.matchAll({ type: 'window' })) page.postMessage(message);
}
