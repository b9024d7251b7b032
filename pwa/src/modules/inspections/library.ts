// The templates of the site as a person chooses among them: of each lineage the newest version, unless it is retired.

import type { Shown } from '../../store/phone.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { TEMPLATE } from './declared.generated.ts';

export const lineOf = (template: Shown): string => String(template.values.family ?? template.r);
const versionOf = (template: Shown): number => Number(template.values.version ?? 1);

export async function templates(site: Site): Promise<readonly Shown[]> {
  return site.phone.list(site.project, TEMPLATE);
}

/** What is in use, by code and name. Retiring a version does not bring the one before it back. */
export function current(all: readonly Shown[]): readonly Shown[] {
  const newest = new Map<string, Shown>();
  for (const one of all) {
    if (one.state === 'draft') continue;
    const known = newest.get(lineOf(one));
    if (!known || versionOf(known) < versionOf(one)) newest.set(lineOf(one), one);
  }
  const name = (one: Shown): string => `${one.values.code ?? '~'} ${one.values.name ?? ''}`;
  return [...newest.values()]
    .filter(({ state }) => state === 'published')
    .sort((a, b) => name(a).localeCompare(name(b), 'zh-CN'));
}

/** The version in use of a template that was named at some time; itself where none is. */
export async function inUse(site: Site, r: string): Promise<string> {
  const all = await templates(site);
  const named = all.find((one) => one.r === r);
  return (named && current(all).find((one) => lineOf(one) === lineOf(named))?.r) ?? r;
}

/** The number of a lineage's next version. */
export function nextOf(all: readonly Shown[], line: string): number {
  return 1 + Math.max(0, ...all.filter((one) => lineOf(one) === line).map(versionOf));
}

/** Every version of the same template. */
export async function familyOf(site: Site, template: Shown | undefined): Promise<readonly string[]> {
  if (!template) return [];
  const line = lineOf(template);
  return (await templates(site)).filter((one) => lineOf(one) === line).map(({ r }) => r);
}
