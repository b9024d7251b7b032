// A page for a screen to stand on in jsdom: what a browser has and jsdom has not, a site over a phone
// in memory, and words in the language asked for.
import { type Component, flushSync, mount, unmount } from 'svelte';
import { vi } from 'vitest';
import type { ModuleFace, ScreenProps } from '../../../pwa/src/ui/module.ts';
import type { FakePhone } from './fake.ts';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal(
  'ResizeObserver',
  class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  },
);
vi.stubGlobal('scrollTo', () => undefined);
Element.prototype.scrollIntoView = () => undefined;
HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
  this.open = false;
};

export interface OpenScreen {
  readonly text: () => string;
  readonly find: <E extends Element = HTMLElement>(selector: string) => E;
  readonly all: (selector: string) => readonly HTMLElement[];
  readonly button: (words: string) => HTMLElement;
  readonly type: (selector: string, words: string) => void;
  readonly close: () => Promise<void>;
}

export interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly lang?: 'zh' | 'en';
  readonly faces?: readonly ModuleFace[];
  /** The app around the site: signing in and out, leaving. */
  readonly app?: Readonly<Record<string, unknown>>;
}

export async function openScreen(
  load: () => Promise<{ default: Component<ScreenProps> }>,
  phone: FakePhone,
  { params = {}, query = '', lang = 'zh', faces = [], app: around = {} }: Asked = {},
): Promise<OpenScreen> {
  const { useLanguage, allWords } = await import('../../../pwa/src/ui/i18n.svelte.ts');
  const { Site } = await import('../../../pwa/src/ui/site.svelte.ts');
  await useLanguage(lang);
  await allWords();
  const { default: screen } = await load();
  const target = document.body.appendChild(document.createElement('div'));
  const app = { accounts: {}, faces, ...around } as unknown as ConstructorParameters<typeof Site>[1];
  const site = new Site(phone, app);
  const component = mount(screen, { target, props: { site, params, query: new URLSearchParams(query) } });
  flushSync();
  const one = <E extends Element>(selector: string): E => {
    const found = target.querySelector<E>(selector);
    if (!found) throw new Error(`no ${selector} in: ${target.innerHTML.slice(0, 2000)}`);
    return found;
  };
  return {
    text: () => (target.textContent ?? '').replace(/\s+/g, ' '),
    find: one,
    all: (selector) => [...target.querySelectorAll<HTMLElement>(selector)],
    button: (words) => {
      const found = [...target.querySelectorAll<HTMLElement>('button, a')].find((node) =>
        node.textContent?.includes(words),
      );
      if (!found) throw new Error(`no button "${words}" in: ${target.textContent}`);
      return found;
    },
    type: (selector, words) => {
      const box = one<HTMLInputElement>(selector);
      box.value = words;
      box.dispatchEvent(new Event('input', { bubbles: true }));
      flushSync();
    },
    close: async () => {
      await unmount(component);
      site.end();
      target.remove();
    },
  };
}

/** The first screen of a run has to be compiled; how long is the machine's affair. */
const WAIT = { timeout: 20_000, interval: 20 };

/** Waits until it holds; the screen does its work in its own time. */
export function until<T>(check: () => T): Promise<T> {
  return vi.waitFor(() => {
    flushSync();
    const found = check();
    if (!found) throw new Error('not yet');
    return found;
  }, WAIT);
}
