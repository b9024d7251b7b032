// The app's icons (icons.json): single paths on a 24 × 24 sheet, drawn with one pen (stroke 2, round ends).
// An icon never stands alone: there is always a word beside it. Like the words they come in two parts.

import type all from './icons.json';

export type IconName = keyof typeof all;

/** Icons that a declaration may name, under their names there. */
const DECLARED: Readonly<Record<string, IconName>> = {
  'hard-hat': 'hat',
  'alert-triangle': 'hazard',
  plan: 'plan',
  repair: 'repair',
};

export function iconNamed(name: string | undefined): IconName {
  return (name !== undefined && DECLARED[name]) || 'book';
}
