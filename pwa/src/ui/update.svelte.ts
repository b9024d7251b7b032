// A new build of the app: it waits until the person says yes; then everything typed in every open tab
// is written down, the new worker takes over, and each tab loads once. Nothing typed is lost.

type Flush = () => void | Promise<void>;

const FLUSH_WAIT_MS = 2000;
const CHECK_EVERY_MS = 60 * 60_000;

export const update = $state({ ready: false, underway: false });

let registration: ServiceWorkerRegistration | undefined;
let loading = false;
const flushes = new Set<Flush>();
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('gongbu.update') : undefined;

/** A form that holds something not yet on disk says how to write it down. Answers how to stop. */
export function beforeReload(flush: Flush): () => void {
  flushes.add(flush);
  return () => flushes.delete(flush);
}

export async function watchForUpdates(onSend: () => void): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  const workers = navigator.serviceWorker;
  const hadOne = workers.controller !== null;
  workers.addEventListener('controllerchange', () => hadOne && void reloadOnce());
  workers.addEventListener('message', (event) => event.data === 'send' && onSend());
  channel?.addEventListener('message', (event) => event.data === 'flush' && void writeDown());
  try {
    registration = await workers.register('/sw.js', { updateViaCache: 'none' });
  } catch {
    return; // The app runs without it; the next visit tries again.
  }
  follow(registration);
  void beClaimed(workers);
  if (!('BarcodeDetector' in globalThis)) void keepLater(workers);
  setInterval(() => void lookForUpdate(), CHECK_EVERY_MS);
}

/** A page that was being opened just as the first worker took over belongs to none: it asks. */
async function beClaimed(workers: ServiceWorkerContainer): Promise<void> {
  const { active } = await workers.ready;
  if (!workers.controller) active?.postMessage('claim');
}

/** This browser cannot read QR codes itself: what can is kept too, so that scanning works offline. */
async function keepLater(workers: ServiceWorkerContainer): Promise<void> {
  (await workers.ready).active?.postMessage('later');
}

export async function lookForUpdate(): Promise<boolean> {
  try {
    await registration?.update();
  } catch {
    return false; // offline
  }
  return update.ready;
}

export async function applyUpdate(): Promise<void> {
  update.underway = true;
  channel?.postMessage('flush');
  await writeDown();
  registration?.waiting?.postMessage('skip');
}

function follow(of: ServiceWorkerRegistration): void {
  const look = (): void => {
    if (of.waiting && navigator.serviceWorker.controller) update.ready = true;
  };
  of.addEventListener('updatefound', () => of.installing?.addEventListener('statechange', look));
  look();
}

async function reloadOnce(): Promise<void> {
  if (loading) return;
  loading = true;
  await writeDown();
  location.reload();
}

/** Everything that is being typed anywhere in this tab is on disk when it resolves. Who came last is asked first: what
 * a form hands over is then in what the app, there before any form, writes down. */
export async function writeDown(): Promise<void> {
  const all = Promise.allSettled([...flushes].reverse().map(async (flush) => flush()));
  await Promise.race([all, new Promise((done) => setTimeout(done, FLUSH_WAIT_MS))]);
}
