/** Inspections with their scores, one line each, in values that can be put in order. Pure. */
import type { Shown, Value } from '../../store/phone.ts';

export interface Entry {
  readonly shown: Shown;
  readonly date: string;
  readonly template: string;
  readonly place: string;
  readonly lead: string;
  /** Hundredths. */
  readonly score: number | null;
  readonly grade: string | null;
  readonly failed: number | null;
  readonly missing: number | null;
  readonly state: string;
}
export type LedgerColumn = Exclude<keyof Entry, 'shown'>;

export interface Names {
  nameOf(id: string): string;
  placeOf(value: Value): string;
}

export function ledger(
  inspections: readonly Shown[],
  scores: readonly Shown[],
  { nameOf, placeOf }: Names,
): readonly Entry[] {
  const scoreOf = new Map(scores.map((one) => [one.values.inspection, one.values]));
  return inspections.map((shown): Entry => {
    const { values, state } = shown;
    const sum = scoreOf.get(shown.r) ?? {};
    return {
      shown,
      date: String(values.date ?? ''),
      template: nameOf(String(values.template ?? '')),
      place: placeOf(values.place ?? null),
      lead: typeof values.lead === 'string' ? nameOf(values.lead) : '',
      score: number(sum.score),
      grade: typeof sum.grade === 'string' ? sum.grade : null,
      failed: number(sum.failed),
      missing: number(sum.missing),
      state: state ?? '',
    };
  });
}

const number = (value: Value | undefined): number | null => (typeof value === 'number' ? value : null);
