// A phone's yes to notifications, kept in step with the server. The browser may change or drop its
// subscription at any time, so it is looked at on each opening; asking the person is another matter (AskNotify).

import type { Value } from '../../store/phone.ts';
import { isInstalled, isIos } from '../platform.ts';
import type { Site } from '../site.svelte.ts';

export type NotifyState =
  /** This browser has no push at all. */
  | 'none'
  /** An iPhone lets only apps on the home screen do it. */
  | 'ios'
  | 'blocked'
  | 'off'
  | 'on';

const SENT = 'gongbu.notify.';
const OFF = 'gongbu.notify.off';
/** A subscription asked for right after the browser's start may be lost: it is asked for again. */
const TRIES = 3;
const WAIT_MS = 20_000;
const PAUSE_MS = 1500;

export async function notifyState(): Promise<NotifyState> {
  if (isIos() && !isInstalled()) return 'ios';
  if (!('PushManager' in globalThis) || !('Notification' in globalThis)) return 'none';
  if (Notification.permission === 'denied') return 'blocked';
  if (Notification.permission !== 'granted' || localStorage.getItem(OFF) !== null) return 'off';
  return (await subscription()) ? 'on' : 'off';
}

async function subscription(): Promise<PushSubscription | null> {
  return (await navigator.serviceWorker.ready).pushManager.getSubscription();
}

/** After the person's tap: asks the browser, subscribes, tells the server. Throws what went wrong. */
export async function turnOn(site: Site): Promise<NotifyState> {
  if ((await Notification.requestPermission()) !== 'granted') return notifyState();
  localStorage.removeItem(OFF);
  await keepInStep(site);
  return notifyState();
}

export async function turnOff(site: Site): Promise<void> {
  localStorage.setItem(OFF, '1');
  await forgetHere(site);
}

/** This person is told nothing more on this phone. Nothing to do where they never said yes. */
export async function forgetHere(site: Site): Promise<void> {
  const key = SENT + site.phone.person.id;
  if (localStorage.getItem(key) === null) return;
  localStorage.removeItem(key);
  await site.accounts.api('DELETE', '/api/subscriptions').catch(() => undefined);
}

/** At each opening: subscribes anew where the key has changed or the server has lost it (its push service no
 *  longer knew it), and tells the server of what is new, the language too. */
export async function keepInStep(site: Site): Promise<void> {
  const { lang } = site;
  if (!('PushManager' in globalThis) || !('Notification' in globalThis)) return;
  if (Notification.permission !== 'granted' || localStorage.getItem(OFF) !== null) return;
  const { vapid } = await site.accounts.api<{ vapid: string }>('GET', '/api/hello');
  const key = SENT + site.phone.person.id;
  const sent = localStorage.getItem(key);
  const isLost = sent !== null && !(await phonesOf(site)).some((one) => one.current);
  const found = JSON.stringify(await current(vapid, isLost));
  if (sent === lang + found && !isLost) return;
  await site.accounts.api('POST', '/api/subscriptions', JSON.parse(found) as Value);
  localStorage.setItem(key, lang + found);
}

/** One of the person's phones, as the server knows it. */
export interface Subscribed {
  readonly device: string;
  readonly label: string;
  readonly current: boolean;
  readonly reached: number | null;
  readonly failed: number | null;
  readonly note: string;
}

export async function phonesOf(site: Site): Promise<readonly Subscribed[]> {
  const path = '/api/subscriptions';
  return (await site.accounts.api<{ subscriptions: readonly Subscribed[] }>('GET', path)).subscriptions;
}

async function current(vapid: string, isLost: boolean): Promise<PushSubscriptionJSON> {
  const { pushManager } = await navigator.serviceWorker.ready;
  const key = bytesOf(vapid);
  const known = await pushManager.getSubscription();
  if (known && !isLost && sameBytes(known.options.applicationServerKey, key)) return known.toJSON();
  await known?.unsubscribe();
  for (let tries = 1; ; tries += 1) {
    try {
      return (await within(subscribe(pushManager, key))).toJSON();
    } catch (error) {
      if (tries === TRIES) throw error;
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }
}

function subscribe(manager: PushManager, key: Uint8Array<ArrayBuffer>): Promise<PushSubscription> {
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** Where a push service cannot be reached some browsers wait for ever; a phone that saves power gets nothing. */
function within<T>(work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, no) => setTimeout(() => no(new Error('timeout')), WAIT_MS));
  return Promise.race([work, late]);
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function sameBytes(known: ArrayBuffer | null, key: Uint8Array): boolean {
  if (known === null || known.byteLength !== key.byteLength) return false;
  const bytes = new Uint8Array(known);
  return key.every((byte, i) => bytes[i] === byte);
}

/** The way of a test message; each step is reached only after the one before. */
export const STEPS = ['allowed', 'subscribed', 'sent', 'arrived'] as const;
/** How the server's part of it ended. */
const ENDS = ['sent', 'gone', 'later', 'failed', 'none'] as const;

/** Where a test got to: how many steps it took, how it ended, and what a push service said. */
export interface Tried {
  readonly steps: number;
  readonly end: Exclude<(typeof ENDS)[number], 'sent'> | 'arrived' | 'lost';
  readonly note: string;
}

/** Sends one to this phone and waits until its worker has shown it. Throws where it cannot even be asked for. */
export async function tryOne(site: Site): Promise<Tried> {
  await keepInStep(site);
  const arrival = shown('test');
  let told = await askForOne(site);
  if (told.end === 'gone') {
    await keepInStep(site); // the server has dropped it: a new one
    told = await askForOne(site);
  }
  if (told.end !== 'sent') return { steps: told.end === 'none' ? 1 : 2, end: told.end, note: told.note };
  return within(arrival).then(
    () => ({ steps: 4, end: 'arrived', note: '' }),
    () => ({ steps: 3, end: 'lost', note: '' }),
  );
}

async function askForOne(site: Site): Promise<{ end: (typeof ENDS)[number]; note: string }> {
  const path = '/api/subscriptions/test';
  const { status, note } = await site.accounts.api<{ status: string; note: string }>('POST', path);
  return { end: ENDS.find((one) => one === status) ?? 'failed', note };
}

/** When the worker has shown this notification. */
function shown(tag: string): Promise<void> {
  const { serviceWorker } = navigator;
  return new Promise((resolve) => {
    const heard = (event: MessageEvent): void => {
      if (event.data?.shown !== tag) return;
      serviceWorker.removeEventListener('message', heard);
      resolve();
    };
    serviceWorker.addEventListener('message', heard);
  });
}
