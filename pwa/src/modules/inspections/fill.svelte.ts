// One inspection in hand: the record, the template that it keeps, what is asked now and how each item stands.

import type { Shown, Value } from '../../store/phone.ts';
import { type Found, openRecord } from '../../ui/generic/record.svelte.ts';
import type { Site } from '../../ui/site.svelte.ts';
import {
  type Answer,
  answerOf,
  answersOf,
  type Change,
  NO_ANSWER,
  type Verdict,
  verdictOf,
} from './answer.ts';
import { INSPECTION, TEMPLATE } from './declared.generated.ts';
import { photosByItem } from './photos.ts';
import { type Sheet, sheetOf } from './sheet.ts';
import { readTemplate, type Template } from './template.ts';

export type Filling = ReturnType<typeof openFilling>;
/** What the runner needs of it; the office's preview has one that is kept nowhere. */
export type Book = Pick<
  Filling,
  'site' | 'r' | 'shown' | 'template' | 'values' | 'sheet' | 'verdicts' | 'photos' | 'answer' | 'set' | 'put'
>;

/** Call it while a component is being made; it follows the record and stops with the component. */
export function openFilling(site: Site, r: string, found?: Found) {
  let template = $state.raw<Shown | undefined>();
  const also = async ({ values }: Shown): Promise<() => void> => {
    if (typeof values.template !== 'string') return () => undefined;
    const next = await site.phone.get(site.project, values.template, TEMPLATE);
    return () => {
      if (next?.record.seq !== template?.record.seq || next?.r !== template?.r) template = next;
    };
  };
  const hand = openRecord(site, INSPECTION, r, { found, also });
  const plan = $derived<Template | null>(template ? readTemplate(template.values) : null);
  const sheet = $derived<Sheet>(plan ? sheetOf(plan, hand.values) : { blocks: [], questions: [] });
  const photos = $derived(photosByItem(hand.values));
  const verdicts = $derived(verdictsOf(sheet, hand.values, photos));

  return {
    site,
    r,
    get shown() {
      return hand.shown;
    },
    get values() {
      return hand.values;
    },
    get trouble() {
      return hand.trouble;
    },
    get template() {
      return template;
    },
    get plan() {
      return plan;
    },
    get sheet() {
      return sheet;
    },
    get verdicts() {
      return verdicts;
    },
    get photos() {
      return photos;
    },
    answer: (id: string): Answer => answerOf(hand.values, id),
    put: (id: string, change: Change, typing = false): void => hand.set(atAnswer(id, change), typing),
    set: hand.set,
    flush: hand.flush,
    act: hand.act,
    load: hand.load,
  };
}

export function atAnswer(id: string, change: Change): Record<string, Value> {
  return Object.fromEntries(Object.entries(change).map(([sub, v]) => [`answers.${id}.${sub}`, v ?? null]));
}

export function verdictsOf(
  sheet: Sheet,
  values: Readonly<Record<string, Value>>,
  photos: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, Verdict | null> {
  const answers = answersOf(values);
  return new Map(
    sheet.questions.map(({ id, item }) => [
      id,
      verdictOf(item, answers.get(id) ?? NO_ANSWER, photos.has(id)),
    ]),
  );
}
