// What quality brings beside its declaration: a defect with its pairs of photos, and what is to be fixed on Today.

import type { ModuleFace } from '../../ui/module.ts';

const face: ModuleFace = {
  module: 'quality',
  card: () => import('./Card.svelte'),
  routes: {},
  papers: { 'quality.defect': [{ name: 'notice' }, { name: 'reply' }] },
  records: { 'quality.defect': () => import('./DefectScreen.svelte') },
};

export default face;
