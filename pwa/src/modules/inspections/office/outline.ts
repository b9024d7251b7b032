/**
 * What the editor writes into a template: new sections and items, another order, copies, and what stands in the
 * way of publishing it. All as flat paths → values; null takes one off. Pure.
 */
import type { Value } from '../../../store/phone.ts';
import type { Values } from '../../../ui/generic/form.ts';
import type { Item, ItemKind, Section, Template } from '../template.ts';

export type Changes = Readonly<Record<string, Value>>;

/** Room between two neighbours, so that most moves touch one row. */
const STEP = 10;

export function newSection(template: Template, key: string, title: string): Changes {
  return {
    [`sections.${key}.title`]: title,
    [`sections.${key}.order`]: orderAfter(template.sections.length),
  };
}

export function newItem(section: Section, key: string, kind: ItemKind): Changes {
  return {
    [`items.${key}.section`]: section.key,
    [`items.${key}.kind`]: kind,
    [`items.${key}.order`]: orderAfter(section.items.length),
    ...(kind === 'score' ? { [`items.${key}.full`]: 100 } : {}),
  };
}

const orderAfter = (count: number): number => (count + 1) * STEP;

/** The rows of a key below `items` or `sections`, all taken off. */
export function without(values: Values, root: 'items' | 'sections', key: string): Changes {
  return Object.fromEntries(
    Object.keys(values)
      .filter((path) => path.startsWith(`${root}.${key}.`))
      .map((path) => [path, null]),
  );
}

/** A section with everything in it. */
export function withoutSection(values: Values, section: Section): Changes {
  return Object.assign(
    without(values, 'sections', section.key),
    ...section.items.map(({ key }) => without(values, 'items', key)),
  );
}

/** An item below the one it was copied from. */
export function copied(template: Template, values: Values, item: Item, key: string): Changes {
  const own = Object.entries(values).filter(([path]) => path.startsWith(`items.${item.key}.`));
  const copy = Object.fromEntries(own.map(([path, value]) => [`items.${key}.${path.split('.')[2]}`, value]));
  const section = template.sections.find(({ items }) => items.some((one) => one.key === item.key));
  if (!section) return copy;
  const at = section.items.findIndex((one) => one.key === item.key) + 1;
  return { ...copy, ...moved(template, key, section.key, at) };
}

/** The item at this place of that section; `at` counts without the item itself. */
export function moved(template: Template, key: string, to: string, at: number): Changes {
  const section = template.sections.find((one) => one.key === to);
  if (!section) return {};
  const others = section.items.filter((one) => one.key !== key).map((one) => one.key);
  others.splice(Math.max(0, Math.min(at, others.length)), 0, key);
  const changes: Record<string, Value> = Object.fromEntries(
    others.map((one, i) => [`items.${one}.order`, (i + 1) * STEP]),
  );
  changes[`items.${key}.section`] = to;
  return changes;
}

export function movedSection(template: Template, key: string, at: number): Changes {
  const others = template.sections.map((one) => one.key).filter((one) => one !== key);
  others.splice(Math.max(0, Math.min(at, others.length)), 0, key);
  return Object.fromEntries(others.map((one, i) => [`sections.${one}.order`, (i + 1) * STEP]));
}

/** One step up or down with the keyboard, over the edge of a section too. */
export function stepped(template: Template, key: string, way: 1 | -1): Changes {
  const s = template.sections.findIndex((one) => one.items.some((item) => item.key === key));
  const section = template.sections[s];
  if (!section) return {};
  const at = section.items.findIndex((item) => item.key === key);
  const next = at + way;
  if (next >= 0 && next < section.items.length) return moved(template, key, section.key, next);
  const other = template.sections[s + way];
  return other ? moved(template, key, other.key, way === 1 ? 0 : other.items.length) : {};
}

export interface Fault {
  readonly key: string;
  readonly why: 'no_text' | 'no_full' | 'no_choices' | 'limits' | 'when' | 'empty';
}

/** Why it cannot be published yet. */
export function faultsOf(template: Template): readonly Fault[] {
  const items = template.sections.flatMap((section) => section.items);
  const keys = new Set(items.map(({ key }) => key));
  if (items.length === 0) return [{ key: '', why: 'empty' }];
  return items.flatMap((item): readonly Fault[] => {
    const found: Fault['why'][] = [];
    if (item.words.zh === '') found.push('no_text');
    if (item.kind === 'score' && item.full <= 0) found.push('no_full');
    if (item.kind === 'choice' && item.choices.length < 2) found.push('no_choices');
    if (item.low !== null && item.high !== null && item.low > item.high) found.push('limits');
    if (item.when && (!keys.has(item.when.item) || item.when.item === item.key)) found.push('when');
    return found.map((why) => ({ key: item.key, why }));
  });
}

/** A new record of the same lineage. */
export function nextVersion(values: Values, family: string, version: number): Record<string, Value> {
  const set: Record<string, Value> = {};
  for (const [path, value] of Object.entries(values)) if (value !== null) set[path] = value;
  return { ...set, family, version };
}
