// What drawings bring beside their declaration: plans by place, a plan with its pins, the control of every
// `pin` field, and the piece of a plan that is shown in an entry.

import type { ModuleFace } from '../../ui/module.ts';

const face: ModuleFace = {
  module: 'drawings',
  routes: {
    'k/drawings.plan': () => import('./PlansScreen.svelte'),
  },
  records: { 'drawings.plan': () => import('./PlanScreen.svelte') },
  controls: { pin: () => import('./PinControl.svelte') },
  values: { pin: () => import('./PinShown.svelte') },
};

export default face;
