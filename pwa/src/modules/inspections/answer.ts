/**
 * One answer, as it stands at `answers.<key>.…`, what it says of its item, and what a tap writes. Pure.
 */
import type { Value } from '../../store/phone.ts';
import type { Values } from '../../ui/generic/form.ts';
import type { Item } from './template.ts';

export type Result = 'pass' | 'fail' | 'na';
/** `done`: answered, where there is nothing to pass or fail. */
export type Verdict = Result | 'done';

export interface Answer {
  readonly result: Result | null;
  /** Tenths deducted; null is not answered. */
  readonly points: number | null;
  /** Thousandths. */
  readonly value: number | null;
  readonly choice: string;
  readonly text: string;
  readonly note: string;
  readonly defect: string;
  readonly signature: Value;
}

/** What one tap changes of an answer. */
export type Change = Readonly<Partial<Record<keyof Answer, Value>>>;

export function answerOf(values: Values, id: string): Answer {
  return answerFrom((sub) => values[`answers.${id}.${sub}`]);
}

/** All that was answered, by key, in one pass over the record. */
export function answersOf(values: Values): ReadonlyMap<string, Answer> {
  const found = new Map<string, Record<string, Value>>();
  for (const path in values) {
    if (!path.startsWith('answers.')) continue;
    const [, id = '', sub = ''] = path.split('.');
    const one = found.get(id) ?? {};
    one[sub] = values[path] ?? null;
    found.set(id, one);
  }
  return new Map([...found].map(([id, one]) => [id, answerFrom((sub) => one[sub])] as const));
}

export const NO_ANSWER: Answer = answerFrom(() => undefined);

function answerFrom(at: (sub: keyof Answer) => Value | undefined): Answer {
  const result = at('result');
  return {
    result: result === 'pass' || result === 'fail' || result === 'na' ? result : null,
    points: number(at('points')),
    value: number(at('value')),
    choice: text(at('choice')),
    text: text(at('text')),
    note: text(at('note')),
    defect: text(at('defect')),
    signature: at('signature') ?? null,
  };
}

/** Null: not answered yet. `hasPhoto`: a photo of this item is there. */
export function verdictOf(item: Item, answer: Answer, hasPhoto: boolean): Verdict | null {
  if (answer.result === 'na') return 'na';
  switch (item.kind) {
    case 'check':
      return answer.result;
    case 'score':
      return answer.points === null ? null : answer.points > 0 ? 'fail' : 'pass';
    case 'number':
      return answer.value === null ? null : within(item, answer.value);
    case 'choice':
      return answer.choice === '' ? null : 'done';
    case 'text':
      return answer.text === '' ? null : 'done';
    case 'signature':
      return answer.signature === null ? null : 'done';
    case 'photo':
      return hasPhoto ? 'done' : null;
  }
}

/** Against the limits, each included; without limits a number is neither good nor bad. */
export function within(item: Item, value: number): Verdict {
  if (item.low === null && item.high === null) return 'done';
  return (item.low === null || value >= item.low) && (item.high === null || value <= item.high)
    ? 'pass'
    : 'fail';
}

/** The deduction lines that were tapped: line → tenths. Kept in the answer's choice as `0:5,3:4.5`. */
export type Tapped = ReadonlyMap<number, number>;
/** What the template has no line for. */
export const OTHER_LINE = 99;

export function tappedIn(answer: Answer): Tapped {
  const found = new Map<number, number>();
  for (const part of answer.choice.split(',')) {
    const [line, points] = part.split(':');
    const tenths = Math.round(Number(points) * 10);
    if (points !== undefined && Number.isInteger(Number(line)) && tenths > 0) found.set(Number(line), tenths);
  }
  return found;
}

/** Never more than the item is worth. */
export function deducted(item: Item, tapped: Tapped): number {
  let sum = 0;
  for (const tenths of tapped.values()) sum += tenths;
  return Math.min(sum, item.full);
}

/** A line tapped anew (0 takes it off), with the sum of all. */
export function withLine(item: Item, answer: Answer, line: number, tenths: number): Change {
  const tapped = new Map(tappedIn(answer));
  if (tenths > 0) tapped.set(line, tenths);
  else tapped.delete(line);
  const written = [...tapped].sort(([a], [b]) => a - b).map(([at, points]) => `${at}:${points / 10}`);
  return {
    result: null,
    choice: written.length === 0 ? null : written.join(','),
    points: deducted(item, tapped),
  };
}

/** Nothing to deduct. */
export const FULL_MARKS: Change = { result: null, points: 0, choice: null };
/** Not applicable takes what was measured with it. */
export const NOT_APPLICABLE: Change = { result: 'na', points: null, value: null, choice: null };

/** What another answer says, to be written here: no defect and no note of another day. */
export function sameAs(item: Item, before: Answer): Change {
  if (before.result === 'na') return NOT_APPLICABLE;
  switch (item.kind) {
    case 'check':
      return { result: before.result };
    case 'score':
      return { result: null, points: before.points, choice: before.choice || null };
    case 'choice':
      return { result: null, choice: before.choice };
    case 'text':
      return { result: null, text: before.text };
    default:
      return {};
  }
}

function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}
function number(value: Value | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
