// What labour brings beside its declaration: the card on Today and four screens of its own.

import { utcText } from '../../ui/generic/zone.ts';
import type { ModuleFace } from '../../ui/module.ts';
import { CHECKIN, SHIFT } from './declared.generated.ts';
import { atWork } from './shift.ts';
import TodayCard from './TodayCard.svelte';

const face: ModuleFace = {
  module: 'labour',
  today: TodayCard,
  routes: {
    'labour/crew': () => import('./CrewScreen.svelte'),
    'labour/month': () => import('./MonthScreen.svelte'),
    'labour/scan': () => import('./ScanScreen.svelte'),
    'labour/sheets': () => import('./SheetsScreen.svelte'),
  },
  seen: (shown, now) => (shown.c === SHIFT ? atWork(shown, now) : shown),
  says: {
    // 480 minutes are UTC+8 to who knows what a zone is.
    'labour.checkin.offset_min': (value) => (typeof value === 'number' ? utcText(value) : undefined),
  },
  automatic: async (c, site) =>
    c === CHECKIN ? (await import('./automatic.ts')).automatic(site) : () => ({}),
  links: [
    { label: 'labour.crew', path: '/labour/crew', icon: 'people', roles: ['foreman'] },
    { label: 'labour.scan', path: '/labour/scan', icon: 'scan' },
    { label: 'labour.month', path: '/labour/month', icon: 'calendar' },
    {
      label: 'labour.sheets',
      path: '/labour/sheets',
      icon: 'print',
      roles: ['foreman', 'supervisor', 'manager', 'office'],
    },
  ],
};

export default face;
