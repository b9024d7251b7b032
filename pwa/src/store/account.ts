// Who is on this phone; signing in, enrolling, signing out; sending now. Sync implements it, `app.ts`
// hands it to the screens. Nothing here ever discards unsent work without being told to.

import type { Value } from '../core/value.ts';
import type { Phone } from './phone.ts';

export interface PersonHere {
  readonly id: string;
  readonly name: string;
  /** ms, device time */
  readonly lastUsed: number;
  /** Batches not yet answered. */
  readonly waiting: number;
  /** False: must sign in again before the database opens. */
  readonly signedIn: boolean;
}

export interface SignedOut {
  /** Batches that were not sent. */
  readonly waiting: number;
  /** The database is still here (because something waits, or because it was asked to stay). */
  readonly kept: boolean;
}

export interface Accounts {
  /** Not ok where the page cannot work: no keys on plain http, no database in some private modes. */
  readonly usable: { readonly ok: true } | { readonly ok: false; readonly why: 'insecure' | 'no_storage' };
  people(): Promise<readonly PersonHere[]>;
  /** The person last used and still signed in; read synchronously, so that Today opens at once. */
  current(): string | null;
  /** Offline too; starts the exchange in the background. */
  open(person: string): Promise<Phone>;
  /** Throws Problem. */
  signIn(name: string, password: string): Promise<Phone>;
  enrol(code: string, name: string): Promise<Phone>;
  /** The server's session ends when online; the database stays whenever anything waits, or when not `erase`. */
  signOut(person: string, erase: boolean): Promise<SignedOut>;
  /** Erases a person from this phone, unsent batches included: only after asking. */
  forget(person: string): Promise<void>;
  /** Drains the outbox and pulls now; `status()` tells the outcome. */
  sendNow(): Promise<void>;
  /** The same, and the photos too, whatever the line: resolves when they are there or it failed. */
  sendPhotos(): Promise<void>;
  /** Closes the open person and stops the exchange; everything stays as it is. */
  stop(): void;
  /** Asks the browser to keep the storage; the answer is in the status too. */
  persist(): Promise<boolean>;
  estimate(): Promise<{ readonly usage: number; readonly quota: number } | null>;
  /** Online only: signed-in call with the CSRF header and the language; throws Problem. */
  api<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: Value): Promise<T>;
}
