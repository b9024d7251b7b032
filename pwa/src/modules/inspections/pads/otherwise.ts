// What stands below an answer that is typed, drawn or photographed: it does not apply, or on to the next.
import type { Site } from '../../../ui/site.svelte.ts';

export const otherwise = (site: Site) =>
  [
    { value: 'na', label: site.t('inspections.na'), icon: 'minus', tone: 'na' },
    { value: 'next', label: site.t('inspections.next'), icon: 'forward', tone: 'plain', share: 1.8 },
  ] as const;
