// The app's start: words, declarations, modules, the person's notebook; then the first page.
// Once the worker has this build, nothing here waits for the network.

import { mount } from 'svelte';
import { fetchDeclarations } from './declared.ts';
import { createAccounts } from './sync/accounts.ts';
import './ui/styles/tokens.css';
import './ui/styles/base.css';
import AppFrame from './ui/App.svelte';
import { App } from './ui/app.svelte.ts';
import { afterFirst } from './ui/first.ts';
import { keepOffset } from './ui/generic/zone.ts';
import { allWords, useLanguage } from './ui/i18n.svelte.ts';
import { allIcons } from './ui/icons/drawn.svelte.ts';
import { watchForInstall } from './ui/install.svelte.ts';
import type { ModuleFace } from './ui/module.ts';
import { followPreferences } from './ui/preferences.svelte.ts';
import { find, followLinks } from './ui/router.svelte.ts';
import { routesWith } from './ui/routes.ts';
import { beforeReload, watchForUpdates } from './ui/update.svelte.ts';

const faces = import.meta.glob<ModuleFace>('./modules/*/index.ts', { eager: true, import: 'default' });

async function start(): Promise<void> {
  const words = useLanguage();
  watchForInstall();
  followPreferences();
  const accounts = createAccounts({ declarations: fetchDeclarations() });
  const app = new App(accounts, Object.values(faces));
  const routes = routesWith(app.faces);
  followLinks((pathname) => find(routes, pathname) !== undefined);
  beforeReload(() => app.site?.phone.flush());
  await Promise.all([words, app.start()]);
  mount(AppFrame, { target: document.getElementById('app') ?? document.body, props: { app } });
  void afterFirst(() => Promise.all([allWords(), allIcons()])).catch(console.info);
  void afterFirst(async () => app.site && keepOffset(app.site.zone, Date.now())).catch(console.info);
  void watchForUpdates(() => void accounts.sendNow());
}

void start();
