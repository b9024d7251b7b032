// The app as a whole: who is at the phone now, and coming and going. One Site at a time;
// the others' databases stay closed and whole.

import type { Accounts } from '../store/account.ts';
import type { Phone } from '../store/phone.ts';
import type { ModuleFace } from './module.ts';
import { persistsQuietly } from './platform.ts';
import { go } from './router.svelte.ts';
import { Site } from './site.svelte.ts';

export class App {
  readonly accounts: Accounts;
  readonly faces: readonly ModuleFace[];
  site: Site | null = $state.raw(null);
  /** A database is being opened: nothing to show yet, and no reason to ask for a name. */
  opening: boolean = $state(true);
  /** The page that was asked for before anybody was signed in. */
  #wanted = '/';

  constructor(accounts: Accounts, faces: readonly ModuleFace[]) {
    this.accounts = accounts;
    this.faces = faces;
  }

  /** Whoever used this phone last; nobody is asked anything if that works. */
  async start(): Promise<void> {
    try {
      const person = this.accounts.usable.ok ? (this.accounts.current() ?? (await this.#only())) : null;
      if (person !== null) this.#take(await this.accounts.open(person));
    } finally {
      this.opening = false;
    }
  }

  enter(phone: Phone): void {
    this.#take(phone);
    go(this.#wanted, { replace: true });
    this.#wanted = '/';
  }

  /** Nobody is signed in: asks who it is, and remembers where he wanted to go. */
  async ask(wanted: URL): Promise<void> {
    this.#wanted = wanted.pathname + wanted.search;
    const people = await this.accounts.people();
    if (!this.site) go(people.length > 0 ? '/people' : '/sign-in', { replace: true });
  }

  /** Another person takes the phone; what the first was writing stays on disk. */
  async switchTo(person: string): Promise<void> {
    await this.site?.phone.flush();
    this.enter(await this.accounts.open(person));
  }

  /** Nobody is at the phone. */
  leave(path = '/people'): void {
    this.site?.end();
    this.site = null;
    go(path, { replace: true });
  }

  /** A browser killed at the wrong moment forgets who was last; with one person here there is no question. */
  async #only(): Promise<string | null> {
    const [one, ...others] = await this.accounts.people();
    return one?.signedIn && others.length === 0 ? one.id : null;
  }

  #take(phone: Phone): void {
    if (this.site?.phone === phone) return;
    this.site?.end();
    this.site = new Site(phone, this);
    if (persistsQuietly()) void this.accounts.persist();
  }
}
