// Which pages of the bottom bar a person gets, by role; more of them on the rail of a wide screen.

import type { Key } from './i18n.svelte.ts';
import type { IconName } from './icons/icons.ts';
import type { Site } from './site.svelte.ts';

export interface Place {
  readonly path: string;
  readonly label: Key;
  readonly icon: IconName;
}

const TODAY: Place = { path: '/', label: 'nav.today', icon: 'today' };
const ENTRIES: Place = { path: '/entries', label: 'nav.entries', icon: 'entries' };
const APPROVE: Place = { path: '/approve', label: 'nav.approve', icon: 'approve' };
const ME: Place = { path: '/me', label: 'nav.me', icon: 'me' };
export const OFFICE: Place = { path: '/office', label: 'nav.office', icon: 'table' };

export function bar(site: Site): readonly Place[] {
  return approves(site) ? [TODAY, ENTRIES, APPROVE, ME] : [TODAY, ENTRIES, ME];
}

export function rail(site: Site): readonly Place[] {
  const [first, second, ...rest] = bar(site);
  return [first ?? TODAY, second ?? ENTRIES, OFFICE, ...rest];
}

/** Holds a role that some declared act into a sealing state names. */
export function approves(site: Site): boolean {
  return Object.values(site.declarations.kinds).some((kind) =>
    Object.values(kind.acts).some(
      (act) =>
        kind.states[act.to]?.seals === true && site.holds(act.roles.map((who) => who.split(':', 1)[0] ?? '')),
    ),
  );
}

export function isHere(place: Place, pathname: string): boolean {
  return place.path === '/'
    ? pathname === '/'
    : pathname === place.path || pathname.startsWith(`${place.path}/`);
}
