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

self.addEventListener('install', (event) => {
  event.waitUntil(keepBuild());
  // Where the browser can, it takes what is kept by itself, and wakes no worker for it.
  const straight = event as ExtendableEvent & { addRoutes?(rules: object): Promise<void> };
  straight
    .addRoutes?.({ condition: { urlPattern: '/assets/*' }, source: { cacheName: CACHE } })
    .catch(console.info);
});
self.addEventListener('activate', (event) => event.waitUntil(takeOver()));
self.addEventListener('message', (event) => {
  if (event.data === 'skip') event.waitUntil(self.skipWaiting());
  if (event.data === 'later') event.waitUntil(keepLater());
  if (event.data === 'claim') event.waitUntil(self.clients.claim());
  if (event.data?.device) event.waitUntil(meet(event.data.device, event.source));
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
  /** Whose phone it is for. */
  device: string;
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

/** The answer is of whom the notification was for; where that is not said he answers in the app. */
async function tapped(answer: string, { alert, device, path = '/' }: Partial<Notice>): Promise<void> {
  if (!answer || !alert || !device) return openPage(path);
  const given: Given = { alert, answer, device, at: Date.now() };
  await change((store) => store.put(given, `${device} ${alert}`));
  await sendAnswers();
}

async function openPage(path: string): Promise<void> {
  const [page] = await self.clients.matchAll({ type: 'window' });
  const shown = await page?.navigate(path).catch(() => null);
  await (shown ? shown.focus() : self.clients.openWindow(path));
}

/** An answer that waits; `device` is whose it is: on a shared phone everybody has one, with a session of its own. */
interface Given {
  alert: string;
  answer: string;
  device: string;
  at: number;
}
/** What its person never came back to send is over. */
const KEPT_MS_MAX = 30 * 24 * 3_600_000;

/** Somebody opened the app: he is told which answers of his wait, and all that wait are tried. */
async function meet(device: string, page: ExtendableMessageEvent['source']): Promise<void> {
  const answers = (await waiting()).filter((one) => one.device === device);
  page?.postMessage({ device, answers });
  await sendAnswers();
}

async function sendAnswers(): Promise<void> {
  for (const one of await waiting()) await post(one);
}

/** Taken or never to be taken: done. Without a network, or while its person is signed out, it waits. */
async function post({ alert, answer, device, at }: Given): Promise<void> {
  try {
    const { status } = await fetch(`/api/alerts/${encodeURIComponent(alert)}/answer`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'gongbu', 'X-Device': device },
      body: JSON.stringify({ answer, via: 'notification' }),
    });
    const waits = status >= 500 || [401, 408, 429].includes(status);
    if (!waits || Date.now() - at > KEPT_MS_MAX) await change((store) => store.delete(`${device} ${alert}`));
  } catch {
    await (self.registration as { sync?: { register(tag: string): Promise<void> } }).sync
      ?.register('answers')
      .catch(() => undefined);
  }
}

const waiting = (): Promise<Given[]> => change((store) => store.getAll());

function change<T>(work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('gongbu-answers', 2);
    opening.onupgradeneeded = ({ oldVersion }) => {
      // The first kept no word of whose an answer was.
      if (oldVersion > 0) opening.result.deleteObjectStore('answers');
      opening.result.createObjectStore('answers');
    };
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
