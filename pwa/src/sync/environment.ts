// What the exchange takes from the browser, in one place, so that a test can give its own.

import type { HttpStack } from 'tus-js-client';
import { isWifi } from '../store/connection.ts';
import type { Surroundings } from '../store/local.ts';
import type { OpenEvents } from './live.ts';
import type { Fetch } from './net.ts';

export interface Environment extends Surroundings {
  readonly fetch: Fetch;
  /** [0, 1) */
  readonly chance: () => number;
  readonly locks: Pick<LockManager, 'request'> | null;
  readonly openEvents: OpenEvents | null;
  readonly storage: Pick<StorageManager, 'persist' | 'persisted' | 'estimate'> | null;
  readonly isWifi: () => boolean | null;
  /** How uploads reach the network; the library's own way when left out. */
  readonly tusStack?: HttpStack;
  readonly language: () => string;
  /** How the phone calls itself on the list of devices. */
  readonly deviceLabel: () => string;
  readonly isVisible: () => boolean;
  /** Calls back when the page is shown, focused or online again, or goes offline. */
  readonly onChange: (fn: (change: 'shown' | 'hidden' | 'online' | 'offline') => void) => () => void;
  readonly usable: { readonly ok: true } | { readonly ok: false; readonly why: 'insecure' | 'no_storage' };
}

export function browserEnvironment(): Environment {
  return {
    now: Date.now,
    random: (bytes) => crypto.getRandomValues(bytes),
    chance: Math.random,
    journal: journalOf(),
    fetch: (...asked) => fetch(...asked),
    locks: navigator.locks ?? null,
    openEvents: typeof EventSource === 'undefined' ? null : (path) => new EventSource(path),
    storage: navigator.storage ?? null,
    isWifi,
    language: () => document.documentElement.lang || 'zh-CN',
    deviceLabel: () => labelOf(navigator.userAgent),
    isVisible: () => document.visibilityState === 'visible',
    onChange,
    usable: usable(),
  };
}

function usable(): Environment['usable'] {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) return { ok: false, why: 'insecure' };
  return typeof indexedDB === 'undefined' ? { ok: false, why: 'no_storage' } : { ok: true };
}

/** Some private modes throw on the mere mention of it. */
function journalOf(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** “Android · Chrome”: enough to tell one's own phones apart. */
function labelOf(agent: string): string {
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(agent)?.[0] ?? '';
  const browser = /Edg|MicroMessenger|Firefox|Chrome|Safari/.exec(agent)?.[0] ?? '';
  return [system, browser].filter(Boolean).join(' · ') || 'phone';
}

function onChange(fn: (change: 'shown' | 'hidden' | 'online' | 'offline') => void): () => void {
  const seen = (): void => fn(document.visibilityState === 'visible' ? 'shown' : 'hidden');
  const shown = (): void => fn('shown');
  const online = (): void => fn('online');
  const offline = (): void => fn('offline');
  document.addEventListener('visibilitychange', seen);
  addEventListener('focus', shown);
  addEventListener('pageshow', shown);
  addEventListener('online', online);
  addEventListener('offline', offline);
  return () => {
    document.removeEventListener('visibilitychange', seen);
    removeEventListener('focus', shown);
    removeEventListener('pageshow', shown);
    removeEventListener('online', online);
    removeEventListener('offline', offline);
  };
}
