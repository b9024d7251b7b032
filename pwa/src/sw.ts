/// <reference lib="webworker" />
// The service worker: keeps one whole build of the app on the phone and answers from it.
// Promises: a shell and its scripts are always of the same build (the install fails otherwise);
// a new build waits until the app says `skip`, so nobody loses what is being typed.
// It keeps no data of people: records, outbox and drafts live in IndexedDB. An alert that was answered from its
// notification with no network waits in a small database of the worker's own.

export {}; // a module of its own, so that `self` can be the worker's

declare const self: ServiceWorkerGlobalScope;
declare const __BUILD__: string;
declare const __FILES__: readonly string[];
/** Large, and needed by some phones only: kept when a page asks for it. */
declare const __LATER__: readonly string[];

const CACHE_PREFIX = 'gongbu-';
const CACHE = CACHE_PREFIX + __BUILD__;
const SHELL = '/app-shell';
const NAME = '工簿 Gongbu';
const ICON = '/assets/icon-192.1.png';
const KEPT: ReadonlySet<string> = new Set([...__FILES__, ...__LATER__]);
// Pages that the server makes itself; everything else that is opened is the app.
const SERVER_PAGE = /^\/(api|assets|static|print|lan|schema|healthz|app-shell)(\/|$)|^\/[^/]+\.[a-z0-9]+$/;

self.addEventListener('install', (event) => event.waitUntil(keepBuild()));
self.addEventListener('activate', (event) => event.waitUntil(takeOver()));
self.addEventListener('message', (event) => {
  if (event.data === 'skip') event.waitUntil(self.skipWaiting());
  if (event.data === 'later') event.waitUntil(keepLater());
  if (event.data?.device) event.waitUntil(meet(event.data.device));
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
self.addEventListener('sync', (event) =>
  (event as ExtendableEvent).waitUntil(Promise.all([tellPages('send'), sendAnswers()])),
);
self.addEventListener('push', (event) => event.waitUntil(show(event.data)));
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(tapped(event.action, event.notification.data ?? {}));
});

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

async function tellPages(message: 'send' | { shown: string }): Promise<void> {
  for (const page of await self.clients.matchAll({ type: 'window' })) page.postMessage(message);
}

/** As the server's notices have it; `actions` are answers with the words on their buttons. */
interface Notice {
  alert: string;
  title: string;
  body: string;
  site: string;
  path: string;
  lang: string;
  urgent: boolean;
  step: number;
  actions: [string, string][];
}

/** Each push shows something (a silent one costs the subscription), whatever came. */
async function show(data: PushMessageData | null): Promise<void> {
  try {
    await showNotice(data?.json());
  } catch {
    await self.registration.showNotification(NAME, { icon: ICON, tag: 'gongbu' });
  }
}

/** A later step rings again in the same place. */
async function showNotice(told: Notice): Promise<void> {
  await self.registration.showNotification(told.title || NAME, {
    body: [told.body, told.site].filter(Boolean).join('\n'),
    tag: told.alert,
    renotify: true,
    requireInteraction: told.urgent,
    icon: ICON,
    lang: told.lang,
    data: told,
    actions: told.actions.map(([action, word]) => ({ action, title: word })),
  } as NotificationOptions);
  await tellPages({ shown: told.alert });
}

async function tapped(answer: string, { alert, path = '/' }: Partial<Notice>): Promise<void> {
  if (!answer || !alert) return openPage(path);
  await change((store) => store.put(answer, alert));
  await sendAnswers();
}

async function openPage(path: string): Promise<void> {
  const [page] = await self.clients.matchAll({ type: 'window' });
  const shown = await page?.navigate(path).catch(() => null);
  await (shown ? shown.focus() : self.clients.openWindow(path));
}

/** Which of a shared phone's people was here last: their session answers. What waited is sent at once. */
async function meet(device: string): Promise<void> {
  await change((store) => store.put(device, DEVICE));
  await sendAnswers();
}

/** Taken, or never to be taken (the alert is gone): done; without a network it waits. */
async function sendAnswers(): Promise<void> {
  const keys = await change((store) => store.getAllKeys());
  const words = await change((store) => store.getAll());
  const all = keys.map((key, i) => [String(key), String(words[i])] as const);
  const device = all.find(([alert]) => alert === DEVICE)?.[1] ?? '';
  for (const [alert, answer] of all) if (alert !== DEVICE) await post(alert, answer, device);
}

async function post(alert: string, answer: string, device: string): Promise<void> {
  try {
    const { ok, status } = await fetch(`/api/alerts/${encodeURIComponent(alert)}/answer`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'gongbu', 'X-Device': device },
      body: JSON.stringify({ answer, via: 'notification' }),
    });
    if (ok || status === 400 || status === 404) await change((store) => store.delete(alert));
  } catch {
    await (self.registration as { sync?: { register(tag: string): Promise<void> } }).sync
      ?.register('answers')
      .catch(() => undefined);
  }
}

const DEVICE = '#device';

function change<T>(work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('gongbu-answers', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('answers');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const db = opening.result;
      const moving = db.transaction('answers', 'readwrite');
      const asked = work(moving.objectStore('answers'));
      moving.oncomplete = () => resolve(asked.result);
      moving.onabort = () => reject(moving.error);
      db.close(); // once the transaction is over
    };
  });
}
