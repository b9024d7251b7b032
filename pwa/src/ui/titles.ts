// What a record is called where another one names it: its declared title, with the titles that stand in it.

import { readerOf } from './generic/reader.ts';
import { titleOf } from './generic/words.ts';
import type { Site } from './site.svelte.ts';

const DEPTH_MAX = 3;

/** A dash for a record that is not on this phone. */
export async function titleFor(site: Site, id: string, depth = 0): Promise<string> {
  const shown = await site.phone.get(site.project, id);
  const kind = shown && site.declarations.kind(shown.c);
  if (!shown || !kind) return '–';
  const named = new Map<string, string>();
  for (const path of kind.title) {
    const other = shown.values[path];
    const isRef = kind.fields[path]?.type === 'ref' && typeof other === 'string';
    if (isRef && site.phone.nameOf(other) === other && depth < DEPTH_MAX)
      named.set(other, await titleFor(site, other, depth + 1));
  }
  const reader = readerOf(site);
  return titleOf(kind, shown, { ...reader, nameOf: (one) => named.get(one) ?? reader.nameOf(one) });
}
