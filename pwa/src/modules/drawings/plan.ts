// Plans as the screens read them: the file of a plan, its revisions, plans by place.

import type { Shown, Value } from '../../store/phone.ts';
import type { FileValue } from '../../store/photo.ts';
import { fileIn } from '../../ui/generic/file.ts';
import { placeText } from '../../ui/generic/words.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { PLAN } from './declared.generated.ts';

type Values = Readonly<Record<string, Value>>;

export interface Group {
  readonly place: string;
  readonly plans: readonly Shown[];
}

export function fileOf(values: Values): FileValue | null {
  for (const [path, value] of Object.entries(values)) {
    const file = path.startsWith('file.') ? fileIn(value) : null;
    if (file) return file;
  }
  return null;
}

export const allPlans = (site: Site): Promise<Shown[]> => site.phone.list(site.project, PLAN);

/** By place, those without one last; in a place by name, the newest revision of a name first. */
export function byPlace(plans: readonly Shown[], site: Site): readonly Group[] {
  const collator = new Intl.Collator(site.lang === 'zh' ? 'zh-CN' : 'en', { numeric: true });
  const groups = new Map<string, Shown[]>();
  for (const plan of plans) {
    const place = placeText(plan.values.place ?? null, site);
    groups.set(place, [...(groups.get(place) ?? []), plan]);
  }
  const order = (a: Shown, b: Shown): number =>
    collator.compare(text(a, 'name'), text(b, 'name')) ||
    collator.compare(text(b, 'version'), text(a, 'version'));
  return [...groups]
    .sort(([a], [b]) => Number(a === '') - Number(b === '') || collator.compare(a, b))
    .map(([place, its]) => ({ place, plans: its.sort(order) }));
}

export function text(plan: Shown, path: string): string {
  const value = plan.values[path];
  return typeof value === 'string' ? value : '';
}

export const nameOf = (plan: Shown): string =>
  [text(plan, 'name'), text(plan, 'version')].filter(Boolean).join(' · ');

/** The plan and the older revisions behind it, newest first. A ring of them ends where it began. */
export function revisions(plan: Shown, plans: readonly Shown[]): readonly Shown[] {
  const found = [plan];
  for (let older = before(plan, plans); older && !found.includes(older); older = before(older, plans))
    found.push(older);
  return found;
}

const before = (plan: Shown, plans: readonly Shown[]): Shown | undefined =>
  plans.find(({ r }) => r === plan.values.replaces);

/** The revision that took a plan's place, if one did. */
export const after = (plan: Shown, plans: readonly Shown[]): Shown | undefined =>
  plans.find(({ values }) => values.replaces === plan.r);
