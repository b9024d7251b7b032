// Runs before the first paint, so that a chosen theme does not flash as paper: what src/ui/preferences.svelte.ts
// kept goes on the page at once; that file has the last word a moment later. A changed file needs a new name.
(() => {
  const root = document.documentElement;
  const system = () => {
    if (matchMedia('(prefers-contrast: more)').matches) return 'sunlight';
    return matchMedia('(prefers-color-scheme: dark)').matches ? 'night' : 'paper';
  };
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem('gongbu.preferences') ?? '{}') ?? {};
  } catch {
    // No storage, or not ours: as the system says.
  }
  root.dataset.theme = ['paper', 'sunlight', 'night'].includes(kept.theme) ? kept.theme : system();
  if (kept.lang === 'en') root.lang = 'en';
  if (kept.scale >= 1 && kept.scale <= 2) root.style.setProperty('--text-scale', String(kept.scale));
})();
