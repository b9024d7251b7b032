// Why a photo could not be taken, in words that say what to do.

import type { Site } from '../site.svelte.ts';
import { troubleWords } from '../words.ts';
import { UnreadablePhoto } from './darkroom.ts';

export function photoTrouble(site: Site, error: unknown): string {
  if (error instanceof UnreadablePhoto) return site.t(`photo.bad_${error.why}`);
  const { title, advice } = troubleWords(error);
  return [title, advice].filter(Boolean).join(' ');
}
