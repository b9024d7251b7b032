// The paths of the icons: those of the first screens at once, the rest right after (see build-first.ts).

import first from 'virtual:first/icons';

type Paths = Readonly<Record<string, string>>;

let paths: Paths = $state.raw(first);
let hasAll = false;

export const pathOf = (name: string): string => paths[name] ?? '';

export async function allIcons(): Promise<void> {
  if (hasAll) return;
  const { default: rest } = await import('virtual:rest/icons');
  hasAll = true;
  paths = { ...first, ...rest };
}
