// Deeds on one record in hand: the acts that this person may do now, decisions on what came after the approval,
// one at a time. What failed stays in words until the next try; nothing is decided but what was on the screen.

import type { Op, Shown } from '../../store/phone.ts';
import {
  type Amendment,
  accept,
  actsOn,
  amendmentsOf,
  approve,
  type Decision,
  decline,
  giveBack,
  isBlocked,
  type MayAsk,
  maySettle,
  type NamedAct,
  needsWords,
} from '../approve/approve.ts';
import type { Key } from '../i18n.svelte.ts';
import type { Site } from '../site.svelte.ts';
import { type Said, troubleWords } from '../words.ts';
import type { Values } from './form.ts';
import { readerOf } from './reader.ts';

/** A record that is open: one written field by field (`openRecord`), or one that is only read. */
export interface Hand {
  readonly site: Site;
  readonly r: string;
  readonly shown: Shown | null | undefined;
  /** With what was changed a moment ago. */
  readonly values: Values;
  readonly trouble: Said | null;
  flush(): Promise<void>;
  load(): Promise<void>;
  act(ops: readonly Op[]): Promise<void>;
}

export type Asking = { readonly act: NamedAct } | { readonly amendment: Amendment };
export type Deeds = ReturnType<typeof deedsOn>;

interface Ways {
  /** What a sheet asks for before an act need not be there for the act to be offered. */
  readonly assume?: (values: Values) => Values;
  /** Act → what is said once it is done. */
  readonly said?: Readonly<Record<string, Key>>;
}

/** Call it while a component is being made. */
export function deedsOn(hand: Hand, { assume = (values) => values, said = {} }: Ways = {}) {
  const { site } = hand;
  const { phone, project } = site;
  let busy = $state(false);
  let trouble = $state.raw<Said | null>(null);
  /** What is missing for the act that was asked for. */
  let needs = $state('');
  /** The act or the refusal that waits for a note. */
  let asking = $state.raw<Asking | null>(null);

  const may: MayAsk = (who, shown) => phone.may(project, who, shown);
  const shown = $derived(hand.shown);
  const kind = $derived(shown ? site.declarations.kind(shown.c) : undefined);
  const acts = $derived(
    kind && shown && !isBlocked(shown) ? actsOn(kind, { ...shown, values: assume(hand.values) }, may) : [],
  );
  const canEdit = $derived(
    kind !== undefined && shown
      ? kind.computed_by === undefined &&
          shown.record.seal === null &&
          !shown.deleted &&
          may(kind.may.edit, shown)
      : false,
  );
  const amendments = $derived(kind && shown ? amendmentsOf(kind, shown) : []);
  const settles = $derived(kind !== undefined && shown ? maySettle(kind, shown, may) : false);
  const act = (name: string): NamedAct | undefined => acts.find((one) => one.name === name);

  /** `done`: what is said then; null where the screen itself shows it. */
  async function attempt(work: () => Promise<void>, done: Key | null = 'detail.done'): Promise<void> {
    busy = true;
    trouble = null;
    needs = '';
    try {
      await work();
      if (done !== null) site.toast(site.t(done));
    } catch (problem) {
      trouble = troubleWords(problem);
    } finally {
      busy = false;
    }
  }
  /** A batch of its own, made of the record as it stands once everything changed is written. */
  function decide(make: (shown: Shown) => Decision | Promise<Decision>, done?: Key): Promise<void> {
    asking = null;
    return attempt(async () => {
      await hand.flush();
      if (!hand.shown) return;
      const decision = await make(hand.shown);
      await phone.writeEach(project, [{ ...decision, base: phone.head(project) }]);
      await hand.load();
    }, done);
  }
  /** Does it, with the changes that belong to it; first asks for a note where the act wants one. */
  async function perform(name: string, ops: readonly Op[] = []): Promise<void> {
    const one = act(name);
    const [of, now] = [kind, shown];
    if (!one || !of || !now) return;
    const set = Object.fromEntries(ops.flatMap((op) => (op.k === 'set' ? [[op.f, op.v]] : [])));
    needs = needsWords(of, { ...now, values: { ...hand.values, ...set } }, one, readerOf(site));
    if (needs !== '') return;
    if (one.act.needs_note) {
      asking = { act: one };
    } else if (one.approves) {
      const waiting = (seen: Shown) => ({ kind: of, shown: seen, approve: one, back: null });
      await decide(async (seen) => approve(waiting(seen), await phone.version(seen)), said[name]);
    } else {
      await attempt(() => hand.act([...ops, { k: 'act', c: now.c, r: now.r, act: name }]), said[name]);
    }
  }
  async function noted(note: string): Promise<void> {
    const [asked, of] = [asking, kind];
    if (!asked || !of) return;
    if ('amendment' in asked) return decide(() => decline(asked.amendment, note));
    const one = asked.act;
    await decide(
      (seen) => giveBack({ kind: of, shown: seen, approve: one, back: null }, one, note),
      said[one.name],
    );
  }

  return {
    hand,
    site,
    get kind() {
      return kind;
    },
    get acts() {
      return acts;
    },
    get canEdit() {
      return canEdit;
    },
    get amendments() {
      return amendments;
    },
    /** May take or leave what came after the approval. */
    get settles() {
      return settles;
    },
    get busy() {
      return busy;
    },
    get trouble() {
      return trouble ?? hand.trouble;
    },
    get needs() {
      return needs;
    },
    get asking() {
      return asking;
    },
    act,
    may: (who: readonly string[]): boolean => (shown ? may(who, shown) : false),
    attempt,
    perform,
    acceptLate: (one: Amendment): Promise<void> =>
      decide(async (seen) => accept(one, await phone.amendVersion(seen, one.of))),
    declineLate: (one: Amendment): void => {
      asking = { amendment: one };
    },
    noted,
    leave: (): void => {
      asking = null;
    },
  };
}
