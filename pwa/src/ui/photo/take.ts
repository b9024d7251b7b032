// From the shutter to the disk: one picture is developed, kept on strict durability, and only then named.

import { newPhotoKey, type PhotoPlace, type PhotoValue } from '../../core/photo.ts';
import type { Photos } from '../../store/photo.ts';
import { fixAt, type Position } from '../generic/place.ts';
import { develop } from './darkroom.ts';
import { factsOf } from './exif.ts';

/** The place in a record that a photo is for. */
export interface Spot {
  readonly project: string;
  readonly c: string;
  readonly r: string;
  readonly path: string;
  readonly item?: string | undefined;
  /** Key of the earlier photo of which this is the after-picture. */
  readonly pair?: string | undefined;
}

/** What the phone knows at the shutter. */
export interface Moment {
  readonly at: number;
  readonly skew_ms: number | null;
  readonly position: Position | null;
}

export interface Shot {
  readonly key: string;
  readonly value: PhotoValue;
}

/** A frame of the stream, or the file that the system's camera made. */
export async function takePhoto(
  photos: Photos,
  spot: Spot,
  source: ImageBitmap | Blob,
  moment: Moment,
): Promise<Shot> {
  const place = moment.position && fixAt(moment.position, moment.at);
  const known = { at: moment.at, source: 'camera' as const, ...(place && { place }) };
  return keep(photos, spot, source, { ...known, ...skewOf(moment) });
}

/** A picture that was on the phone already: when and where is what its file says. */
export async function pickPhoto(
  photos: Photos,
  spot: Spot,
  file: File,
  moment: Moment,
  zone: string,
): Promise<Shot> {
  const { at = file.lastModified || moment.at, place } = await factsOf(file, zone);
  const known = { at: Math.max(0, at), source: 'picked' as const, ...(place && { place }) };
  return keep(photos, spot, file, { ...known, ...skewOf(moment) });
}

function skewOf({ skew_ms }: Moment): { skew_ms?: number } {
  return skew_ms === null ? {} : { skew_ms };
}

interface Known {
  readonly at: number;
  readonly source: 'camera' | 'picked';
  readonly place?: PhotoPlace;
  readonly skew_ms?: number;
}

async function keep(photos: Photos, spot: Spot, source: ImageBitmap | Blob, known: Known): Promise<Shot> {
  const { side } = await photos.settings();
  const { big, thumb, sha, thumbSha, original, w, h } = await develop(source, side);
  const { item, pair, ...where } = spot;
  const value: PhotoValue = {
    sha,
    thumb: thumbSha,
    w,
    h,
    bytes: big.byteLength,
    ...known,
    ...(original !== undefined && original !== sha && { original }),
    ...(item !== undefined && { item }),
    ...(pair !== undefined && { pair }),
  };
  const key = newPhotoKey((bytes) => crypto.getRandomValues(bytes));
  await photos.add({ ...where, key, value, big, thumb });
  return { key, value };
}
