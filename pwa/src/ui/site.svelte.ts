// What every screen is given: the person's phone, the project in hand, words, where to go, a short notice.
// `records`, `outbox`, `status` and `drafts` are counters: read one in an effect to follow that topic.

import type { Declarations } from '../core/declaration.ts';
import type { Actor } from '../core/person.ts';
import type { Accounts } from '../store/account.ts';
import type { Phone, Project, SyncStatus, Topic } from '../store/phone.ts';
import type { App } from './app.svelte.ts';
import { type Key, type Lang, language, type Params, t } from './i18n.svelte.ts';
import type { ModuleFace } from './module.ts';
import { go } from './router.svelte.ts';

export interface Toast {
  readonly text: string;
  readonly undo?: () => void;
}

const PROJECT_KEY = 'gongbu.project.';
const TOAST_MS = 4000;
const RECORD_ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

export class Site {
  readonly phone: Phone;
  readonly app: App;
  project: string = $state('');
  status: SyncStatus = $state.raw() as SyncStatus;
  toastNow: Toast | null = $state.raw(null);
  #seen: Record<Topic, number> = $state({ records: 0, outbox: 0, status: 0, drafts: 0, photos: 0 });
  #stops: (() => void)[] = [];
  #titles: Readonly<Record<string, string>> = $state.raw({});
  readonly #asked = new Set<string>();
  #toastEnds: ReturnType<typeof setTimeout> | undefined;

  constructor(phone: Phone, app: App) {
    this.phone = phone;
    this.app = app;
    this.project = projectBefore(phone);
    this.status = phone.status();
    for (const topic of ['records', 'outbox', 'status', 'drafts', 'photos'] as const) {
      this.#stops.push(phone.watch(topic, () => this.#notice(topic)));
    }
  }

  get accounts(): Accounts {
    return this.app.accounts;
  }
  get faces(): readonly ModuleFace[] {
    return this.app.faces;
  }
  get declarations(): Declarations {
    return this.phone.declarations;
  }
  get lang(): Lang {
    return language();
  }
  /** Roles and teams in the project in hand. */
  get actor(): Actor {
    return this.phone.actor(this.project);
  }
  get projectNow(): Project | undefined {
    return this.phone.projects.find((one) => one.id === this.project);
  }
  /** The records come for the first time: what is not on the screen may only not be here yet. */
  get isFetchingFirst(): boolean {
    const { lastSync, online, signedOut } = this.status;
    return lastSync === null && online && !signedOut;
  }
  get zone(): string {
    return this.phone.zoneOf(this.project);
  }
  /** Of a person, team, place …; of any other record its title, which comes a moment later. */
  nameOf(id: string): string {
    const name = this.phone.nameOf(id);
    return name === id ? (this.#titles[this.lang + id] ?? this.#askTitle(id)) : name;
  }
  #askTitle(id: string): string {
    if (!RECORD_ID.test(id)) return id;
    const key = this.lang + id;
    if (!this.#asked.has(key)) {
      this.#asked.add(key);
      void import('./titles.ts').then(async ({ titleFor }) => {
        const title = await titleFor(this, id);
        this.#titles = { ...this.#titles, [key]: title };
      });
    }
    return '…';
  }

  t(key: Key, params?: Params): string {
    return t(key, params);
  }
  go(path: string, how?: { replace?: boolean }): void {
    go(path, how);
  }
  now(): number {
    return Date.now();
  }
  holds(roles: readonly string[]): boolean {
    const mine = this.projectNow?.roles ?? [];
    return roles.some((role) => mine.includes(role));
  }

  /** Read it in an effect or a derived value: it changes whenever the topic does. */
  follow(topic: Topic): number {
    return this.#seen[topic];
  }

  choose(project: string): void {
    this.project = project;
    localStorage.setItem(PROJECT_KEY + this.phone.person.id, project);
  }

  toast(text: string, more: { undo?: () => void } = {}): void {
    clearTimeout(this.#toastEnds);
    this.toastNow = { text, ...more };
    this.#toastEnds = setTimeout(() => this.quiet(), more.undo ? TOAST_MS * 2 : TOAST_MS);
  }
  quiet(): void {
    this.toastNow = null;
  }

  end(): void {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#toastEnds);
  }

  #notice(topic: Topic): void {
    this.#seen[topic] += 1;
    if (topic === 'status') this.status = this.phone.status();
    if (!this.projectNow) this.project = projectBefore(this.phone);
  }
}

function projectBefore(phone: Phone): string {
  const kept = localStorage.getItem(PROJECT_KEY + phone.person.id);
  return (phone.projects.find((one) => one.id === kept) ?? phone.projects[0])?.id ?? '';
}
