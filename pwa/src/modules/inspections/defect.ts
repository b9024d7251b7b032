// A failed item becomes a defect: its words, place, photos and standard are there already; one tap makes it.

import { photosIn } from '../../core/photo.ts';
import type { Op, Value } from '../../store/phone.ts';
import { say } from '../../ui/generic/words.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { tappedIn } from './answer.ts';
import { INSPECTION } from './declared.generated.ts';
import type { Book } from './fill.svelte.ts';
import type { Question } from './sheet.ts';

/** Of another module, named only. */
export const DEFECT = 'quality.defect';

const WORDS_MAX = 2000;
const ITEM_MAX = 500;

/** The ops that make it and tie it to the answer. `due`: YYYY-MM-DD. */
export function defectOps(
  site: Site,
  book: Book,
  question: Question,
  due: string,
): { readonly r: string; readonly ops: readonly Op[] } {
  const r = site.phone.newId();
  const { item, id } = question;
  const words = say(item.words, site.lang, item.key);
  const answer = book.answer(id);
  const lines = [...tappedIn(answer).keys()].flatMap((line) => {
    const one = item.deductions[line];
    return one ? [say(one.words, site.lang)] : [];
  });
  const found = [answer.note, ...lines].filter((one) => one !== '');
  const set: Record<string, Value> = {
    description: (found.length > 0 ? `${words}：${found.join('；')}` : words).slice(0, WORDS_MAX),
    inspection: book.r,
    item: words.slice(0, ITEM_MAX),
    level: item.veto || item.guarantee ? 'major' : 'minor',
    due,
  };
  if (book.values.place !== undefined) set.place = book.values.place;
  if (book.values.pin !== undefined) set.pin = book.values.pin;
  if (item.clause !== '') set.standard = item.clause;
  for (const { key, photo } of photosIn(book.values, 'photos', id)) {
    const { item: _, ...same } = photo;
    set[`photos.${key}`] = { ...same } as unknown as Value;
    const marks = book.values[`marks.${key}`];
    if (marks !== undefined) set[`marks.${key}`] = marks;
  }
  return {
    r,
    ops: [
      { k: 'new', c: DEFECT, r, set },
      { k: 'set', c: INSPECTION, r: book.r, f: `answers.${id}.defect`, v: r },
    ],
  };
}
