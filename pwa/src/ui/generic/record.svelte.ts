// A record in hand, written field by field while a person works on it, without a "save". A change is in the
// drafts' journal before it is on the screen and in the outbox at the next pause, one small write for each
// field, so that several people work on one record and nothing waits to be lost.

import { untrack } from 'svelte';
import { equal, isMap } from '../../core/value.ts';
import type { Op, Shown, Value } from '../../store/phone.ts';
import type { Site } from '../site.svelte.ts';
import { type Said, troubleWords } from '../words.ts';
import type { Values } from './form.ts';

/** So long after the last tap they are one batch; and no tap waits longer than the second number says. */
const PAUSE_MS = 200;
const PAUSE_MS_MAX = 1000;
/** Words are typed letter by letter: the journal has each, a batch is made when the hand rests. */
const TYPING_MS = 1200;
const TYPING_MS_MAX = 8000;
const OPS_MAX = 400;

/** Changed, and not yet in a batch: with the head that was in hand at the change. */
interface Ahead {
  readonly v: Value;
  readonly base: number;
}

/** A record as it was read a moment ago, by who had to know what it is; with the head of before it was read. */
export interface Found {
  readonly shown: Shown;
  readonly head: number;
  readonly news: number;
}

export async function findRecord(site: Site, r: string): Promise<Found | undefined> {
  const [head, news] = [site.phone.head(site.project), untrack(() => newsOf(site))];
  const shown = await site.phone.get(site.project, r);
  return shown && { shown, head, news };
}

/** Grows whenever records may read otherwise. */
const newsOf = (site: Site): number => site.follow('records') + site.follow('outbox');

interface Opening {
  readonly found?: Found | undefined;
  /** What must be there before the record is shown; what it answers is done in the same moment. */
  readonly also?: (shown: Shown) => Promise<() => void>;
}

export type Changes = Readonly<Record<string, Value>>;
export type InHand = ReturnType<typeof openRecord>;

/** Call it while a component is being made; it follows the record and stops with the component. */
export function openRecord(site: Site, c: string, r: string, { found, also }: Opening = {}) {
  const { project, phone } = site;
  const key = `hand/${project}/${c}/${r}`;
  let shown = $state.raw<Shown | null | undefined>(null);
  let ahead = $state.raw<Readonly<Record<string, Ahead>>>({});
  let trouble = $state.raw<Said | null>(null);
  let base = phone.head(project);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let oldest = 0;
  let saving: Promise<void> | null = null;
  const values = $derived(withAhead(shown?.values ?? {}, ahead));

  $effect(() => {
    const isFresh = newsOf(site) === found?.news;
    void untrack(() => (isFresh ? take(found) : load()));
  });
  $effect(() => {
    void untrack(goOn);
    return () => void flush();
  });

  async function load(): Promise<void> {
    const head = phone.head(project);
    await take({ head, shown: await phone.get(project, r, c) });
  }
  async function take(read: { readonly head: number; readonly shown: Shown | undefined }): Promise<void> {
    const together = read.shown && (await also?.(read.shown));
    together?.();
    base = read.head;
    shown = read.shown;
  }

  /** What was changed before the app was killed. */
  async function goOn(): Promise<void> {
    const left = (await phone.draft(key))?.value;
    if (left === undefined || left === null || !isMap(left)) return;
    ahead = { ...(left as unknown as Record<string, Ahead>), ...ahead };
    await flush();
  }

  function set(changes: Changes, typing = false): void {
    const next = { ...ahead };
    for (const [path, value] of Object.entries(changes)) {
      const v = typeof value === 'string' ? value.normalize('NFC') : value;
      const isSame = equal(v, values[path] ?? null) && !shown?.conflicts.includes(path);
      if (!isSame) next[path] = { v, base };
    }
    ahead = next;
    if (Object.keys(next).length === 0) return;
    phone.saveDraft(key, next as unknown as Value);
    clearTimeout(timer);
    oldest ||= Date.now();
    const [pause, most] = typing ? [TYPING_MS, TYPING_MS_MAX] : [PAUSE_MS, PAUSE_MS_MAX];
    timer = setTimeout(() => void flush(), Math.min(pause, Math.max(0, oldest + most - Date.now())));
  }

  /** Everything changed is in the outbox when it resolves. */
  async function flush(): Promise<void> {
    clearTimeout(timer);
    oldest = 0;
    while (saving) await saving;
    const sending = ahead;
    if (Object.keys(sending).length === 0) return;
    saving = write(sending).finally(() => {
      saving = null;
    });
    await saving;
  }

  async function write(sending: Readonly<Record<string, Ahead>>): Promise<void> {
    try {
      const all = Object.entries(sending);
      for (let i = 0; i < all.length; i += OPS_MAX) {
        const some = all.slice(i, i + OPS_MAX);
        const ops = some.map(([f, { v }]): Op => ({ k: 'set', c, r, f, v }));
        await phone.write(project, ops, Math.min(...some.map(([, one]) => one.base)));
      }
      await load();
      ahead = Object.fromEntries(Object.entries(ahead).filter(([path, one]) => sending[path] !== one));
      trouble = null;
      if (Object.keys(ahead).length === 0) await phone.dropDraft(key);
      else phone.saveDraft(key, ahead as unknown as Value);
    } catch (problem) {
      trouble = troubleWords(problem);
    }
  }

  return {
    site,
    c,
    r,
    get shown() {
      return shown;
    },
    /** With what was changed a moment ago. */
    get values() {
      return values;
    },
    get trouble() {
      return trouble;
    },
    set,
    flush,
    load,
    /** An act and what it needs, after all that was changed. */
    async act(ops: readonly Op[]): Promise<void> {
      await flush();
      await phone.write(project, ops, base);
      await load();
    },
  };
}

function withAhead(values: Values, ahead: Readonly<Record<string, Ahead>>): Values {
  if (Object.keys(ahead).length === 0) return values;
  const next: Record<string, Value> = { ...values };
  for (const [path, { v }] of Object.entries(ahead)) {
    if (v === null) delete next[path];
    else next[path] = v;
  }
  return next;
}
