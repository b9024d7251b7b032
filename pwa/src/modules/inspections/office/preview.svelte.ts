// A template tried out as if on a phone: answers that are kept nowhere.

import type { Value } from '../../../store/phone.ts';
import type { Values } from '../../../ui/generic/form.ts';
import type { Site } from '../../../ui/site.svelte.ts';
import { answerOf } from '../answer.ts';
import { atAnswer, type Book, verdictsOf } from '../fill.svelte.ts';
import { photosByItem } from '../photos.ts';
import { sheetOf } from '../sheet.ts';
import type { Template } from '../template.ts';

export function openPreview(site: Site, plan: () => Template): Book {
  let values = $state.raw<Values>({});
  const sheet = $derived(sheetOf(plan(), values));
  const photos = $derived(photosByItem(values));
  const verdicts = $derived(verdictsOf(sheet, values, photos));
  const set = (changes: Readonly<Record<string, Value>>): void => {
    const next = { ...values, ...changes };
    for (const path in next) if (next[path] === null) delete next[path];
    values = next;
  };
  return {
    site,
    r: '',
    shown: null,
    template: undefined,
    get values() {
      return values;
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
    answer: (id) => answerOf(values, id),
    put: (id, change) => set(atAnswer(id, change)),
    set,
  };
}
