// Putting the app on the home screen: asks where the browser lets us, shows how on an iPhone.

import { isInstalled, isIos } from './platform.ts';

interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

const LATER_KEY = 'gongbu.install.later';

let prompt: InstallPrompt | null = $state.raw(null);
let later: boolean = $state(localStorage.getItem(LATER_KEY) !== null);
let installed: boolean = $state(isInstalled());

export function watchForInstall(): void {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    prompt = event as InstallPrompt;
  });
  addEventListener('appinstalled', () => {
    installed = true;
    prompt = null;
  });
}

export type InstallWay = 'done' | 'ask' | 'ios' | 'none';

export function installWay(): InstallWay {
  if (installed) return 'done';
  if (prompt) return 'ask';
  return isIos() ? 'ios' : 'none';
}

export const installOffered = (): boolean => !later && (installWay() === 'ask' || installWay() === 'ios');

export async function install(): Promise<void> {
  await prompt?.prompt();
  prompt = null;
}

export function installLater(): void {
  later = true;
  localStorage.setItem(LATER_KEY, '1');
}
