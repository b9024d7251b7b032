// What a colour means. A declaration names one of these for each of its states.
import type { IconName } from './icons/icons.ts';

export type Tone = 'waits' | 'done' | 'needs_you' | 'hazard' | 'info' | 'plain';

export const TONE_ICON: Readonly<Record<Tone, IconName>> = {
  waits: 'waits',
  done: 'approved',
  needs_you: 'hand',
  hazard: 'hazard',
  info: 'info',
  plain: 'note',
};

export function toneNamed(name: string | undefined): Tone {
  return name !== undefined && Object.hasOwn(TONE_ICON, name) ? (name as Tone) : 'plain';
}
