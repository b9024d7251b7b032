/**
 * What an inspection asks now: the template's items in order, once more for each added part of a section that
 * repeats, without those whose condition does not hold. Pure.
 *
 * An answer's key is the item's; in an added part `<item>__<part>`.
 */
import type { Values } from '../../ui/generic/form.ts';
import { answerOf, type Verdict, verdictOf } from './answer.ts';
import type { Item, Section, Template } from './template.ts';

export interface Question {
  /** The answer's key. */
  readonly id: string;
  readonly item: Item;
  readonly part: string | null;
  /** Where it stands on the whole sheet, from 1. */
  readonly n: number;
  /** `3.2`: the section, and the place in it. */
  readonly number: string;
}

/** A section, or one part of a section that repeats. */
export interface Block {
  readonly id: string;
  readonly section: Section;
  readonly part: string | null;
  /** What the people on the site call this part: `2# 塔吊`. */
  readonly label: string;
  readonly questions: readonly Question[];
}

export interface Sheet {
  readonly blocks: readonly Block[];
  readonly questions: readonly Question[];
}

export function idOf(item: string, part: string | null): string {
  return part === null ? item : `${item}__${part}`;
}

export function sheetOf(template: Template, values: Values): Sheet {
  const asked = conditions(template, values);
  const parts = partsOf(values);
  const questions: Question[] = [];
  const blocks: Block[] = [];
  for (const [s, section] of template.sections.entries()) {
    for (const { part, label } of section.repeats ? [ONCE, ...(parts.get(section.key) ?? [])] : [ONCE]) {
      const own: Question[] = [];
      for (const item of section.items) {
        if (!asked(item, section, part)) continue;
        const number = `${s + 1}.${own.length + 1}`;
        own.push({
          id: idOf(item.key, part),
          item,
          part,
          n: questions.length + own.length,
          number,
        });
      }
      questions.push(...own);
      const named = label || (section.repeats ? String(values[`parts.${section.key}.label`] ?? '') : '');
      blocks.push({ id: idOf(section.key, part), section, part, label: named, questions: own });
    }
  }
  return { blocks, questions };
}

interface Part {
  readonly part: string | null;
  readonly label: string;
}
const ONCE: Part = { part: null, label: '' };

/** Section → its added parts in order. */
function partsOf(values: Values): ReadonlyMap<string, readonly Part[]> {
  const found = new Map<string, (Part & { readonly order: number })[]>();
  for (const path in values) {
    const [root, part, sub] = path.split('.');
    const section = values[path];
    if (root !== 'parts' || sub !== 'section' || part === undefined || typeof section !== 'string') continue;
    const label = values[`parts.${part}.label`];
    const order = values[`parts.${part}.order`];
    found.set(section, [
      ...(found.get(section) ?? []),
      {
        part,
        label: typeof label === 'string' ? label : '',
        order: typeof order === 'number' ? order : 0,
      },
    ]);
  }
  for (const all of found.values())
    all.sort((a, b) => a.order - b.order || ((a.part ?? '') < (b.part ?? '') ? -1 : 1));
  return found;
}

type Asked = (item: Item, section: Section, part: string | null) => boolean;

/** Whether an item is asked: the one it hangs on must be asked itself, and answered so. */
function conditions(template: Template, values: Values): Asked {
  const home = new Map<string, { readonly item: Item; readonly section: Section }>();
  for (const section of template.sections)
    for (const item of section.items) home.set(item.key, { item, section });
  const asked = (item: Item, section: Section, part: string | null, depth: number): boolean => {
    if (item.when === null) return true;
    const other = home.get(item.when.item);
    if (!other || depth > home.size) return true;
    const there = other.section === section ? part : null;
    if (!asked(other.item, other.section, there, depth + 1)) return false;
    return meets(item.when.is, other.item, values, idOf(other.item.key, there));
  };
  return (item, section, part) => asked(item, section, part, 0);
}

/** Of several answers one is enough; none named: any answer will do. */
function meets(is: readonly string[], on: Item, values: Values, id: string): boolean {
  const answer = answerOf(values, id);
  const verdict = verdictOf(on, answer, false);
  if (is.length === 0) return verdict !== null;
  return is.includes(answer.choice) || (verdict !== null && is.includes(verdict as Verdict));
}
