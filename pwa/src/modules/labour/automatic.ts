// What the app fills in when a check-in is written in the plain form instead of with one tap: how it
// was made, the clock, the team, and whether the place is inside the fence.

import type { Value } from '../../store/phone.ts';
import type { Fix } from '../../ui/generic/place.ts';
import type { Fill } from '../../ui/module.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { methodFor } from './checkin.ts';
import { circleIn, fenceOf } from './fence.ts';
import { facts, teamOf } from './own.svelte.ts';

export async function automatic(site: Site): Promise<Fill> {
  const [project] = await site.phone.list(site.project, 'core.project', { limit: 1 });
  const circle = circleIn(project?.values);
  return (values) => {
    const { worker, at, place } = values;
    const time = typeof at === 'number' ? at : site.now();
    const { offset_min, skew_ms } = facts(site, time);
    const team = typeof worker === 'string' ? teamOf(site, worker) : null;
    return {
      offset_min,
      fence: fenceOf(fixIn(place), circle),
      method: worker === site.phone.person.id ? methodFor('own', time, site.now()) : 'manual',
      ...(team === null ? {} : { team }),
      ...(skew_ms === null ? {} : { device_skew_ms: skew_ms === 0 ? 0 : -skew_ms }),
    };
  };
}

function fixIn(place: Value | undefined): Fix | null {
  if (typeof place !== 'object' || place === null || !('lat' in place)) return null;
  return place as unknown as Fix;
}
