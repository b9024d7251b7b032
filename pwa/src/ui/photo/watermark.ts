// The watermark: when, where, which site, who, and how sure the time is. It is drawn on what is shown, shared
// and exported, in the language of the moment; the photo that is kept stays clean.

import type { Marks, PhotoPlace, PhotoValue } from '../../core/photo.ts';
import { minutes } from '../format.ts';
import { offsetMin } from '../generic/zone.ts';
import type { Site } from '../site.svelte.ts';
import { strokeMarks } from './marks.ts';

/** A clock this far off is told (M7). */
const SKEW_SHOWN_MS = 120_000;
const OLD_FIX_S = 120;
const QUALITY = 0.9;

/** When it really was: the phone's clock, put right by what the server said of it. */
export function instantOf({ at, skew_ms, source }: PhotoValue): number {
  return source === 'picked' ? at : at + (skew_ms ?? 0);
}

/** The same in every language, so that nobody takes the month for the day. */
export function timeText(photo: PhotoValue, zone: string): string {
  const at = instantOf(photo);
  return new Date(at + offsetMin(zone, at) * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

export function certainty(site: Site, { source, skew_ms }: PhotoValue): string {
  if (source === 'picked') return site.t('photo.time_picked');
  if (skew_ms === undefined) return site.t('photo.time_unknown');
  if (Math.abs(skew_ms) < SKEW_SHOWN_MS) return site.t('photo.time_checked');
  const time = minutes(Math.round(Math.abs(skew_ms) / 60_000));
  return site.t(skew_ms < 0 ? 'photo.time_fast' : 'photo.time_slow', { time });
}

export function placeWords(site: Site, place: PhotoPlace | undefined): string {
  if (place === undefined) return site.t('photo.no_place');
  const at = `${(place.lat / 1e7).toFixed(5)}, ${(place.lng / 1e7).toFixed(5)}`;
  const near = place.accuracy_m === undefined ? '' : ` ±${place.accuracy_m} m`;
  const age = place.fix_age_s ?? 0;
  const old =
    age < OLD_FIX_S ? '' : ` · ${site.t('photo.place_old', { time: minutes(Math.round(age / 60)) })}`;
  return at + near + old;
}

export interface Watermark {
  readonly time: string;
  readonly certainty: string;
  readonly lines: readonly string[];
}

export function watermarkOf(
  site: Site,
  project: string,
  photo: PhotoValue,
  by: string | undefined,
): Watermark {
  const zone = site.phone.zoneOf(project);
  const who = [site.phone.nameOf(project), by].filter(Boolean).join(' · ');
  return {
    time: timeText(photo, zone),
    certainty: certainty(site, photo),
    lines: [placeWords(site, photo.place), who],
  };
}

/** The photo as people hand it on: with its watermark and, if wanted, what is drawn on it. */
export async function stamped(
  clean: Blob,
  photo: PhotoValue,
  marks: Marks | null,
  watermark: Watermark,
): Promise<Blob> {
  const picture = await createImageBitmap(clean);
  const { width: w, height: h } = picture;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: w, height: h });
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas');
  pen.drawImage(picture, 0, 0);
  picture.close();
  if (marks) strokeMarks(pen, marks, { w, h });
  write(pen, watermark, w, h);
  const made = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
  canvas.width = canvas.height = 0;
  if (!made) throw new Error(`no picture of ${photo.sha}`);
  return made;
}

function write(pen: CanvasRenderingContext2D, watermark: Watermark, w: number, h: number): void {
  const size = Math.max(w, h) / 46;
  const lines = [
    { text: watermark.time, font: `700 ${size * 1.35}px system-ui, sans-serif`, high: size * 1.9 },
    ...[watermark.certainty, ...watermark.lines].map((text) => ({
      text,
      font: `500 ${size}px system-ui, sans-serif`,
      high: size * 1.5,
    })),
  ];
  const high = lines.reduce((sum, line) => sum + line.high, 0) + size;
  const shade = pen.createLinearGradient(0, h - high * 1.25, 0, h);
  shade.addColorStop(0, 'rgb(0 0 0 / 0%)');
  shade.addColorStop(0.35, 'rgb(0 0 0 / 48%)');
  shade.addColorStop(1, 'rgb(0 0 0 / 62%)');
  pen.fillStyle = shade;
  pen.fillRect(0, h - high * 1.25, w, high * 1.25);
  pen.fillStyle = '#fff';
  pen.textBaseline = 'top';
  let y = h - high + size / 2;
  for (const line of lines) {
    pen.font = line.font;
    pen.fillText(line.text, size, y, w - 2 * size);
    y += line.high;
  }
}
