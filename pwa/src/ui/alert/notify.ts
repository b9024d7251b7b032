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
  await keepInStep(site, true);
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

/** At each opening: subscribes anew where the key or the address has changed, and tells the server of it. */
export async function keepInStep(site: Site, force = false): Promise<void> {
  if (!('PushManager' in globalThis) || !('Notification' in globalThis)) return;
  if (Notification.permission !== 'granted' || localStorage.getItem(OFF) !== null) return;
  const { vapid } = await site.accounts.api<{ vapid: string }>('GET', '/api/hello');
  const found = await current(vapid);
  const told = JSON.stringify(found);
  const key = SENT + site.phone.person.id;
  if (!force && localStorage.getItem(key) === told) return;
  await site.accounts.api('POST', '/api/subscriptions', JSON.parse(told) as Value);
  localStorage.setItem(key, told);
}

async function current(vapid: string): Promise<PushSubscriptionJSON> {
  const { pushManager } = await navigator.serviceWorker.ready;
  const key = bytesOf(vapid);
  const known = await pushManager.getSubscription();
  if (known && sameBytes(known.options.applicationServerKey, key)) return known.toJSON();
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

/** Where a push service cannot be reached some browsers wait for ever. */
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
