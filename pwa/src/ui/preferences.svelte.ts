// What a person chose for this phone: language, theme, size of the text. Kept in localStorage,
// because it must be there before anything else is and holds nothing that needs guarding.

export type Lang = 'zh' | 'en';
export type Theme = 'system' | 'paper' | 'sunlight' | 'night';
export const THEMES: readonly Theme[] = ['system', 'paper', 'sunlight', 'night'];
export const TEXT_SCALES = [1, 1.15, 1.3, 1.5] as const;

const KEY = 'gongbu.preferences';

interface Kept {
  lang: Lang;
  theme: Theme;
  scale: number;
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const contrast = matchMedia('(prefers-contrast: more)');

export const preferences: Kept = $state(kept());

export function choose(change: Partial<Kept>): void {
  Object.assign(preferences, change);
  localStorage.setItem(KEY, JSON.stringify(preferences));
  show();
}

/** Puts the choice on the page, now and whenever the system changes its mind. */
export function followPreferences(): void {
  dark.addEventListener('change', show);
  contrast.addEventListener('change', show);
  show();
}

function show(): void {
  const root = document.documentElement;
  root.dataset.theme = themeNow(preferences.theme);
  root.lang = preferences.lang === 'zh' ? 'zh-CN' : 'en';
  root.style.setProperty('--text-scale', String(preferences.scale));
  const paper = getComputedStyle(root).getPropertyValue('--paper').trim();
  for (const meta of document.querySelectorAll('meta[name="theme-color"]'))
    meta.setAttribute('content', paper);
}

function themeNow(theme: Theme): Theme {
  if (theme !== 'system') return theme;
  if (contrast.matches) return 'sunlight';
  return dark.matches ? 'night' : 'paper';
}

function kept(): Kept {
  const standard: Kept = {
    lang: navigator.language.startsWith('en') ? 'en' : 'zh',
    theme: 'system',
    scale: 1,
  };
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return { ...standard, ...known(read) };
  } catch {
    return standard;
  }
}

function known(read: unknown): Partial<Kept> {
  if (typeof read !== 'object' || read === null) return {};
  const { lang, theme, scale } = read as Record<string, unknown>;
  return {
    ...(lang === 'zh' || lang === 'en' ? { lang } : {}),
    ...(THEMES.some((one) => one === theme) ? { theme: theme as Theme } : {}),
    ...(typeof scale === 'number' && scale >= 1 && scale <= 2 ? { scale } : {}),
  };
}
