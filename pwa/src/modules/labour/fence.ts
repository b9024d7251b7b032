/**
 * Inside, outside or unknown: a fix against the circle around the site. Position is evidence, not a
 * gate: a coarse or old fix gives the benefit of the doubt, and no fix is `unknown`, never 0,0.
 */
import type { Fix } from '../../ui/generic/place.ts';

export type Fence = 'inside' | 'outside' | 'unknown';

export interface Circle {
  /** Integer 1e-7 degrees. */
  readonly lat: number;
  readonly lng: number;
  readonly radius_m: number;
}

const EARTH_M = 6_371_008.8;
/** A fix coarser or older than this proves nothing by itself. */
export const ACCURACY_M_MAX = 500;
export const FIX_AGE_S_MAX = 600;
/** The most that a fix's own uncertainty widens the circle. */
const BENEFIT_M_MAX = 100;

export function fenceOf(fix: Fix | null, circle: Circle | null): Fence {
  if (fix === null || circle === null) return 'unknown';
  const distance = distance_m(fix, circle);
  const accuracy = fix.accuracy_m ?? ACCURACY_M_MAX;
  if (distance <= circle.radius_m + Math.min(accuracy, BENEFIT_M_MAX) && accuracy <= ACCURACY_M_MAX) {
    return (fix.fix_age_s ?? 0) > FIX_AGE_S_MAX ? 'unknown' : 'inside';
  }
  if ((fix.fix_age_s ?? 0) > FIX_AGE_S_MAX) return 'unknown';
  return distance - accuracy > circle.radius_m ? 'outside' : 'unknown';
}

/** Great-circle distance; the points are integer 1e-7 degrees. */
export function distance_m(
  a: { readonly lat: number; readonly lng: number },
  b: { readonly lat: number; readonly lng: number },
): number {
  const radians = Math.PI / 180 / 1e7;
  const dLat = (b.lat - a.lat) * radians;
  const dLng = (b.lng - a.lng) * radians;
  const h =
    Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * Math.sin(dLng / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The circle in a core.project or core.place record, or null where it has none. */
export function circleIn(values: Readonly<Record<string, unknown>> | undefined): Circle | null {
  const { lat, lng, radius_m } = values ?? {};
  if (typeof lat !== 'number' || typeof lng !== 'number' || typeof radius_m !== 'number') return null;
  return { lat, lng, radius_m };
}
