// What alerts bring beside their declaration: the list of them, ladders in sentences, channels, the working calendar.

import type { ModuleFace } from '../../ui/module.ts';

type Screens = typeof import('./screens.ts');
const show =
  <Name extends keyof Screens>(name: Name) =>
  async (): Promise<{ default: Screens[Name] }> => ({ default: (await import('./screens.ts'))[name] });

const face: ModuleFace = {
  module: 'alerts',
  routes: {
    alerts: show('alerts'),
    'alerts/ladders': show('ladders'),
    'alerts/channels': show('channels'),
    'alerts/calendar': show('calendar'),
  },
  links: [{ label: 'alert.title', path: '/alerts', icon: 'alert' }],
};

export default face;
