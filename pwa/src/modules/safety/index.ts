// What safety brings beside its declaration: a hazard in three taps, its way to closing, the board, broadcasts.

import type { ModuleFace } from '../../ui/module.ts';

type Screens = typeof import('./screens.ts');
const show =
  <Name extends keyof Screens>(name: Name) =>
  async (): Promise<{ default: Screens[Name] }> => ({ default: (await import('./screens.ts'))[name] });

const face: ModuleFace = {
  module: 'safety',
  urgent: true,
  card: () => import('./Card.svelte'),
  routes: {
    'k/safety.hazard/new': show('report'),
    'k/safety.broadcast/new': show('call'),
    'safety/board': show('board'),
  },
  papers: { 'safety.hazard': [{ name: 'notice' }, { name: 'reply' }] },
  records: { 'safety.hazard': show('hazard'), 'safety.broadcast': show('broadcast') },
};

export default face;
