// What inspections bring beside their declaration: starting and filling them in, plans, the template editor.

import type { ModuleFace } from '../../ui/module.ts';
import { INSPECTION, TEMPLATE } from './declared.generated.ts';

const start = () => import('./StartScreen.svelte');
const fill = () => import('./FillScreen.svelte');

const face: ModuleFace = {
  module: 'inspections',
  card: () => import('./Card.svelte'),
  routes: {
    'inspections/start': start,
    [`k/${INSPECTION}/new`]: start,
    'inspections/fill/:r': fill,
    'inspections/plans': () => import('./PlansScreen.svelte'),
    'inspections/templates': () => import('./TemplatesScreen.svelte'),
  },
  records: { [INSPECTION]: fill, [TEMPLATE]: () => import('./EditorScreen.svelte') },
  approvals: { [INSPECTION]: () => import('./Approval.svelte') },
};

export default face;
