/** What an inspection still lacks before it is handed in, what must be there first. Pure. */
import type { Verdict } from './answer.ts';
import type { Question, Sheet } from './sheet.ts';

export interface Lack {
  readonly question: Question;
  readonly what: 'answer' | 'photo';
  readonly isMust: boolean;
}

export function lacksOf(
  sheet: Sheet,
  verdicts: ReadonlyMap<string, Verdict | null>,
  photos: ReadonlyMap<string, readonly string[]>,
): readonly Lack[] {
  const found = sheet.questions.flatMap((question): readonly Lack[] => {
    const verdict = verdicts.get(question.id) ?? null;
    if (verdict === null) return [{ question, what: 'answer', isMust: question.item.required }];
    return wantsPhoto(question, verdict) && !photos.has(question.id)
      ? [{ question, what: 'photo', isMust: true }]
      : [];
  });
  return [...found.filter(({ isMust }) => isMust), ...found.filter(({ isMust }) => !isMust)];
}

function wantsPhoto({ item }: Question, verdict: Verdict): boolean {
  if (verdict === 'na') return false;
  return item.photo === 'always' || (item.photo === 'on_fail' && verdict === 'fail');
}
