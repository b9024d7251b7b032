/** Which items a list shows, in which rows, and which comes next. Pure. */
import type { Verdict } from './answer.ts';
import type { Block, Question, Sheet } from './sheet.ts';

export type Filter = 'all' | 'open' | 'fail' | 'remark' | 'differ';

export interface Known {
  readonly verdict: (question: Question) => Verdict | null;
  readonly remarked: ReadonlySet<string>;
  readonly differing: ReadonlySet<string>;
  /** Stays, whatever the filter says: it is in hand. */
  readonly keep: string;
}

export function filtered(sheet: Sheet, filter: Filter, known: Known): readonly Question[] {
  if (filter === 'all') return sheet.questions;
  return sheet.questions.filter((one) => one.id === known.keep || isWanted(one, filter, known));
}

function isWanted(one: Question, filter: Filter, { verdict, remarked, differing }: Known): boolean {
  if (filter === 'open') return verdict(one) === null;
  if (filter === 'fail') return verdict(one) === 'fail';
  return (filter === 'remark' ? remarked : differing).has(one.id);
}

export type Row =
  | { readonly type: 'block'; readonly id: string; readonly block: Block; readonly isLast: boolean }
  | { readonly type: 'item'; readonly id: string; readonly question: Question };

/** A heading above each block that has wanted items, or could have another part. */
export function rowsOf(sheet: Sheet, wanted: readonly Question[]): readonly Row[] {
  const isWhole = wanted === sheet.questions;
  const ids = new Set(wanted.map(({ id }) => id));
  return sheet.blocks.flatMap((block, i): readonly Row[] => {
    const own = isWhole ? block.questions : block.questions.filter(({ id }) => ids.has(id));
    if (own.length === 0) return [];
    const isLast = sheet.blocks[i + 1]?.section.key !== block.section.key;
    return [
      { type: 'block', id: `block ${block.id}`, block, isLast },
      ...own.map((question): Row => ({ type: 'item', id: question.id, question })),
    ];
  });
}

/** The next open item after this one, round the end; without any the one below. */
export function nextOf(
  sheet: Sheet,
  id: string,
  verdict: (question: Question) => Verdict | null,
): Question | undefined {
  const at = sheet.questions.findIndex((one) => one.id === id);
  const round = [...sheet.questions.slice(at + 1), ...sheet.questions.slice(0, Math.max(0, at))];
  return round.find((one) => verdict(one) === null);
}
