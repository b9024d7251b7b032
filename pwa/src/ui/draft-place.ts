// Where a draft was being written: `form/<project>/<kind>/<record | new | new-id | repair-n>` → the form that goes on with it;
// `hand/<project>/<kind>/<record>` → the record itself.

import { href } from './router.svelte.ts';

export interface DraftPlace {
  readonly project: string;
  readonly kind: string;
  readonly path: string;
}

export function draftPlace(key: string): DraftPlace | undefined {
  const [sort, project, kind, what] = key.split('/');
  if (!project || !kind || !what) return undefined;
  if (sort === 'hand') return { project, kind, path: href('/r/:r', { r: what }) };
  if (sort !== 'form') return undefined;
  return { project, kind, path: pathOf(kind, what) };
}

function pathOf(kind: string, what: string): string {
  const fresh = href('/k/:kind/new', { kind });
  if (what === 'new') return fresh;
  const own = /^new-(.+)$/.exec(what)?.[1];
  if (own) return `${fresh}?draft=${encodeURIComponent(own)}`;
  const repair = /^repair-(\d+)$/.exec(what)?.[1];
  return repair ? `${fresh}?repair=${repair}` : href('/k/:kind/:r/edit', { kind, r: what });
}
