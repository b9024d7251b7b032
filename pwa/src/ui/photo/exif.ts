// When and where a picked photo was taken, as its file says. The library comes when the first one is picked.

import type { PhotoPlace } from '../../core/photo.ts';
import { fixAt } from '../generic/place.ts';
import { instantOf } from '../generic/zone.ts';

export interface FileFacts {
  readonly at?: number;
  readonly place?: PhotoPlace;
}

/** The library's smallest build knows tags by their numbers. */
const TAKEN_AT = 36867;
const OFFSET = 36881;

type Told = Readonly<Record<string, unknown>>;

/** `zone` is the site's: a camera writes the clock on the wall, mostly without saying where. */
export async function factsOf(file: Blob, zone: string): Promise<FileFacts> {
  try {
    const { parse } = await import('exifr/dist/mini.esm.mjs');
    const told = (await parse(file, { reviveValues: false })) as Told | undefined;
    const at = told && instantIn(told, zone);
    const place = told && placeIn(told);
    return { ...(at && { at }), ...(place && { place }) };
  } catch {
    return {}; // Broken or none: the photo is no worse for it.
  }
}

function instantIn(told: Told, zone: string): number | null {
  const text = told[TAKEN_AT];
  const offset = told[OFFSET];
  const found = typeof text === 'string' ? /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d)(:\d\d)?/.exec(text) : null;
  if (!found) return null;
  const [, year, month, day, clock, seconds = ':00'] = found;
  const wall = `${year}-${month}-${day}T${clock}`;
  const isOffset = typeof offset === 'string' && /^[+-]\d\d:\d\d$/.test(offset);
  const at = isOffset ? Date.parse(`${wall}${seconds}${offset}`) : instantOf(zone, wall);
  return at !== null && Number.isFinite(at) && at > 0 ? at : null;
}

function placeIn({ latitude, longitude }: Told): PhotoPlace | null {
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return null;
  const fix = fixAt({ latitude, longitude, accuracy: Number.NaN, timestamp: 0 }, 0);
  return fix && { lat: fix.lat, lng: fix.lng };
}
