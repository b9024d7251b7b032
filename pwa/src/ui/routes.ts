// Every screen and its path. Today comes with the app; the others when they are opened (the worker keeps all).
// A module's screens stand above these, under the paths that it names itself: its own form comes before the generic one.

import type { Component } from 'svelte';
import type { App } from './app.svelte.ts';
import type { ModuleFace, ScreenProps } from './module.ts';
import type { Route } from './router.svelte.ts';
import Today from './screens/Today.svelte';

export interface GateProps extends Record<string, unknown> {
  app: App;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
}

/** `gate`: can be opened by nobody in particular. `root`: a page of the bottom bar. */
export type AppRoute =
  | (Route<GateProps> & { readonly gate: true })
  | (Route<ScreenProps> & { readonly gate: false; readonly root?: boolean });

const today = async (): Promise<{ default: Component<ScreenProps> }> => ({ default: Today });

/** Opened now and then: path → its name in later.ts. */
const LATER: Readonly<Record<string, keyof typeof import('./later.ts')>> = {
  '/outbox': 'outbox',
  '/photos': 'photos',
  '/attention': 'attention',
  '/conflict/:c/:r': 'conflict',
  '/papers/:r': 'papers',
  '/settings': 'settings',
  '/devices': 'devices',
  '/password': 'password',
  '/invites': 'invites',
  '/refused': 'refused',
  '/team': 'team',
  '/teams': 'teams',
  '/site': 'site',
  '/places': 'places',
  '/about': 'about',
  '/drafts': 'drafts',
  '/k/:kind/calendar': 'calendar',
  '/office': 'office',
  '/office/:kind': 'office',
};

const OWN: readonly AppRoute[] = [
  { path: '/sign-in', gate: true, load: () => import('./screens/SignIn.svelte') },
  { path: '/enrol', gate: true, load: () => import('./screens/Enrol.svelte') },
  { path: '/people', gate: true, load: () => import('./screens/People.svelte') },
  { path: '/', gate: false, root: true, load: today },
  { path: '/entries', gate: false, root: true, load: () => import('./screens/Entries.svelte') },
  { path: '/approve', gate: false, root: true, load: () => import('./approve/Inbox.svelte') },
  { path: '/me', gate: false, root: true, load: () => import('./screens/Me.svelte') },
  { path: '/k/:kind', gate: false, load: () => import('./generic/ListScreen.svelte') },
  { path: '/k/:kind/new', gate: false, load: () => import('./generic/FormScreen.svelte') },
  { path: '/k/:kind/:r/edit', gate: false, load: () => import('./generic/FormScreen.svelte') },
  { path: '/r/:r', gate: false, load: () => import('./generic/RecordScreen.svelte') },
];

const rest = Object.entries(LATER).map(
  ([path, name]): AppRoute => ({
    path,
    gate: false,
    load: async () => (await import('./later.ts'))[name](),
  }),
);

/** No such path. */
export const NOT_FOUND: AppRoute = { path: '', gate: true, load: () => import('./screens/NotFound.svelte') };
/** The browser forbids what the app lives on. */
export const UNUSABLE: AppRoute = { path: '', gate: true, load: () => import('./screens/Unusable.svelte') };

export function routesWith(faces: readonly ModuleFace[]): readonly AppRoute[] {
  const added = faces.flatMap((face) =>
    Object.entries(face.routes).map(([path, load]): AppRoute => ({ path: `/${path}`, gate: false, load })),
  );
  return [...added, ...OWN, ...rest];
}
