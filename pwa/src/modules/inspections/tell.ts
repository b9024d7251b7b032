/** An inspection in words: an answer in a line, what hangs on an item, and what a list says of a whole one. Pure. */

import { scaledText } from '../../ui/generic/quantity.ts';
import { type Reader, say } from '../../ui/generic/words.ts';
import type { IconName } from '../../ui/icons/icons.ts';
import type { Answer, Verdict } from './answer.ts';
import type { Item } from './template.ts';

export interface Mark {
  readonly icon: IconName;
  readonly text: string;
  readonly tone: 'plain' | 'needs_you' | 'hazard';
}
export interface Told {
  readonly marks: readonly Mark[];
}

/** An answer as short as a list has room for; empty while there is none. */
export function spoken(
  item: Item,
  answer: Answer,
  verdict: Verdict | null,
  reader: Pick<Reader, 't' | 'lang'>,
): string {
  if (verdict === null) return '';
  if (verdict === 'na') return reader.t('inspections.na');
  switch (item.kind) {
    case 'check':
      return reader.t(verdict === 'pass' ? 'inspections.pass' : 'inspections.fail');
    case 'score':
      return scaledText(item.full - (answer.points ?? 0), 1);
    case 'number':
      return `${scaledText(answer.value ?? 0, 3)} ${item.unit}`.trim();
    case 'choice': {
      const one = item.choices.find(({ key }) => key === answer.choice);
      return say(one?.words, reader.lang, answer.choice);
    }
    case 'text':
      return answer.text;
    case 'photo':
      return reader.t('inspections.photographed');
    case 'signature':
      return reader.t('form.signed');
  }
}
