// What inspections bring beside their declaration: starting and filling them in, plans, the template editor.

import type { ModuleFace } from '../../ui/module.ts';

type Screens = typeof import('./screens.ts');
const show = <Name extends keyof Screens>(name: Name) =>
  (async () => (await import('./screens.ts'))[name]()) as unknown as Screens[Name];

const face: ModuleFace = {
  module: 'inspections',
  card: show('card'),
  routes: {
    'inspections/start': show('start'),
    'k/inspections.inspection/new': show('start'),
    'inspections/fill/:r': show('fill'),
    'inspections/plans': show('plans'),
    'inspections/templates': show('templates'),
    'inspections/ledger': show('ledger'),
  },
  records: { 'inspections.inspection': show('fill'), 'inspections.template': show('editor') },
  papers: { 'inspections.inspection': [{ name: 'record', xlsx: true }, { name: 'log' }] },
  names: {
    'inspections.inspection': async (...of) => (await import('./names.ts')).pathNames(...of),
  },
  approvals: { 'inspections.inspection': show('approval') },
};

export default face;
