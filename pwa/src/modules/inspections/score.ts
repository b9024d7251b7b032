/**
 * What an inspection scores, what is missing, and what costs it most. Pure.
 *
 * Same results as `score.py`, by shared/vectors/scores.json. All sums are exact fractions of whole numbers; a
 * number is rounded once, when it is shown: to hundredths, half up. The grade goes by the rounded score, as it
 * stands on the paper.
 *
 *     deduct    Σ got / Σ full × 100 over everything that was answered
 *     jgj59     a table is Σ got / Σ full × 100; tables of one group (scaffolds, cranes) count by their mean, a
 *               group by its weight; what does not apply is left out on both sides of the fraction (ΣD / ΣE). A
 *               table is zero if a guarantee item scores nothing, or all its guarantee items together less than
 *               2/3 of their full score (40 of 60).
 *     weighted  the same without zero tables; within a table items count by their weight
 *     none      no score; passes if nothing failed and nothing is missing
 */
import { isMap } from '../../core/value.ts';
import type { Values } from '../../ui/generic/form.ts';
import { answerOf, type Verdict, verdictOf } from './answer.ts';
import { compare, plus, type Ratio, ratio, rounded, times, ZERO } from './ratio.ts';
import { type Block, idOf, type Question, type Sheet, sheetOf } from './sheet.ts';
import { type Item, readTemplate, type Template } from './template.ts';

export { readTemplate };

export type Grade = 'excellent' | 'pass' | 'fail';

/** One section, gone through once. `got` and `full` in tenths, `score` in hundredths of 100. */
export interface Table {
  readonly key: string;
  readonly part: string | null;
  readonly got: number;
  readonly full: number;
  readonly score: number;
  readonly zero: boolean;
}

/**
 * `lost`, in hundredths of the total's points: by an item (`key` of its answer), or by a table that is zero
 * over and above what its items lost (`key` of the section, or `section__part`).
 */
export interface Cost {
  readonly key: string;
  readonly lost: number;
}

/** `score` in hundredths. `grade` is as things stand: final once nothing is `missing`. */
export interface Score {
  readonly score: number | null;
  readonly grade: Grade | null;
  readonly answered: number;
  readonly asked: number;
  readonly failed: number;
  readonly missing: readonly string[];
  readonly vetoed: readonly string[];
  readonly tables: readonly Table[];
  readonly costs: readonly Cost[];
}

const EXCELLENT = 8000;
const PASS = 7000;
/** Of a weighted item that says none: 1.0. */
const FULL = 10;
const POINTS = 10_000;

export function score(template: Template, values: Values, sheet: Sheet = sheetOf(template, values)): Score {
  const { scheme } = template;
  const pictured = photoItems(values);
  const tables = sheet.blocks
    .filter(({ questions }) => questions.length > 0)
    .map((block) => added(block, scheme, values, pictured));
  const lines = tables.flatMap((table) => table.lines);
  const shares = sharesOf(tables, scheme);
  const points = tables.some(({ counts }) => counts) ? rounded(totalOf(tables, shares), POINTS) : null;
  const missing = lines.filter((line) => isMissing(line, pictured)).map(({ id }) => id);
  const vetoed = lines.filter(isVetoed).map(({ id }) => id);
  const isOut = vetoed.length > 0 || tables.some(({ zero }) => zero);
  return {
    score: points,
    grade: scheme === 'none' ? plainGrade(lines, isOut, missing.length > 0) : gradeOf(points, isOut),
    answered: lines.filter(({ verdict }) => verdict !== null).length,
    asked: lines.length,
    failed: lines.filter(({ verdict }) => verdict === 'fail').length,
    missing,
    vetoed,
    tables: tables.filter(({ counts }) => counts).map(shownTable),
    costs: costsOf(tables, shares),
  };
}

/** The answers that have a photo. */
function photoItems(values: Values): ReadonlySet<string> {
  const found = new Set<string>();
  for (const path in values) {
    if (!path.startsWith('photos.')) continue;
    const photo = values[path] ?? null;
    const item = isMap(photo) ? photo.item : null;
    if (typeof item === 'string') found.add(item);
  }
  return found;
}

/** A question with its verdict, and what it counts: `got` of `full`, both 0 if it does not. */
interface Line {
  readonly id: string;
  readonly item: Item;
  readonly verdict: Verdict | null;
  readonly got: number;
  readonly full: number;
}

function lineOf({ id, item }: Question, scheme: string, values: Values, pictured: ReadonlySet<string>): Line {
  const answer = answerOf(values, id);
  const verdict = verdictOf(item, answer, pictured.has(id));
  const counts = scheme !== 'none' && (verdict === 'pass' || verdict === 'fail');
  const full = counts ? item.full || (scheme === 'weighted' ? FULL : 0) : 0;
  const deducted = item.kind === 'score' ? (answer.points ?? full) : full;
  return { id, item, verdict, full, got: verdict === 'fail' ? Math.max(0, full - deducted) : full };
}

function isVetoed({ item, verdict, got }: Line): boolean {
  return item.veto && verdict === 'fail' && (item.kind !== 'score' || got === 0);
}

function isMissing({ id, item, verdict }: Line, pictured: ReadonlySet<string>): boolean {
  if (verdict === null) return item.required;
  return needsPhoto(item, verdict) && !pictured.has(id);
}

function needsPhoto(item: Item, verdict: Verdict): boolean {
  return item.photo === 'always' ? verdict !== 'na' : item.photo === 'on_fail' && verdict === 'fail';
}

/** A table added up. `earned` is the share of its full score; `share` that, or none if it is zero. */
interface Sum {
  readonly block: Block;
  readonly lines: readonly Line[];
  readonly got: number;
  readonly full: number;
  /** What its items are weighed by: their weights, or their full scores. */
  readonly whole: number;
  readonly isWeighted: boolean;
  readonly counts: boolean;
  readonly earned: Ratio;
  readonly zero: boolean;
  readonly share: Ratio;
}

function added(block: Block, scheme: string, values: Values, pictured: ReadonlySet<string>): Sum {
  const lines = block.questions.map((question) => lineOf(question, scheme, values, pictured));
  const counting = lines.filter(({ full }) => full > 0);
  const full = sum(counting, (line) => line.full);
  const got = sum(counting, (line) => line.got);
  const isWeighted = scheme === 'weighted';
  const whole = isWeighted ? sum(counting, ({ item }) => item.weight) : full;
  const counts = whole > 0;
  const earned = !counts ? ZERO : isWeighted ? weighed(counting, whole) : ratio(got, full);
  const zero = scheme === 'jgj59' && isZero(counting);
  return { block, lines, got, full, whole, isWeighted, counts, earned, zero, share: zero ? ZERO : earned };
}

function weighed(lines: readonly Line[], whole: number): Ratio {
  const kept = lines.reduce((sum, { item, got, full }) => plus(sum, ratio(item.weight * got, full)), ZERO);
  return times(kept, ratio(1, whole));
}

function isZero(lines: readonly Line[]): boolean {
  const guarantee = lines.filter(({ item }) => item.guarantee);
  return (
    guarantee.some(({ got }) => got === 0) ||
    sum(guarantee, ({ got }) => got) * 3 < sum(guarantee, ({ full }) => full) * 2
  );
}

/** What part of the total each table is: one over all that count is 1. */
function sharesOf(tables: readonly Sum[], scheme: string): readonly Ratio[] {
  const counting = tables.filter(({ counts }) => counts);
  if (scheme === 'deduct') {
    const all = sum(counting, ({ full }) => full);
    return tables.map(({ counts, full }) => (counts ? ratio(full, all) : ZERO));
  }
  const groups = new Map<string, { weight: number; tables: number }>();
  for (const { block } of counting) {
    const known = groups.get(block.section.group);
    if (known) known.tables++;
    else groups.set(block.section.group, { weight: block.section.weight, tables: 1 });
  }
  const all = sum([...groups.values()], ({ weight }) => weight);
  return tables.map(({ block, counts }) => {
    const group = groups.get(block.section.group);
    return counts && group && all > 0 ? ratio(group.weight, all * group.tables) : ZERO;
  });
}

function totalOf(tables: readonly Sum[], shares: readonly Ratio[]): Ratio {
  return tables.reduce((total, { share }, i) => plus(total, times(share, shares[i] ?? ZERO)), ZERO);
}

/** Largest first; what costs the same stays in the order of the paper. */
function costsOf(tables: readonly Sum[], shares: readonly Ratio[]): readonly Cost[] {
  const lost: { key: string; points: Ratio }[] = [];
  for (const [i, table] of tables.entries()) {
    const share = shares[i] ?? ZERO;
    if (!table.counts) continue;
    const { section, part } = table.block;
    if (table.zero) lost.push({ key: idOf(section.key, part), points: times(share, table.earned) });
    for (const line of table.lines) {
      if (line.full > line.got) lost.push({ key: line.id, points: times(share, lostBy(line, table)) });
    }
  }
  return lost
    .filter(({ points }) => points.top > 0n)
    .sort((a, b) => compare(b.points, a.points))
    .map(({ key, points }) => ({ key, lost: rounded(points, POINTS) }));
}

/** Of its table: by points, or where the scheme is weighted by the share of its weight. */
function lostBy({ item, got, full }: Line, { whole, isWeighted }: Sum): Ratio {
  return isWeighted ? ratio((full - got) * item.weight, full * whole) : ratio(full - got, whole);
}

function shownTable({ block, got, full, share, zero }: Sum): Table {
  return { key: block.section.key, part: block.part, got, full, score: rounded(share, POINTS), zero };
}

function gradeOf(points: number | null, isOut: boolean): Grade | null {
  if (isOut) return 'fail';
  if (points === null) return null;
  return points >= EXCELLENT ? 'excellent' : points >= PASS ? 'pass' : 'fail';
}

function plainGrade(lines: readonly Line[], isOut: boolean, isMissingAny: boolean): Grade | null {
  if (isOut || lines.some(({ verdict }) => verdict === 'fail')) return 'fail';
  return !isMissingAny && lines.some(({ verdict }) => verdict === 'pass') ? 'pass' : null;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
