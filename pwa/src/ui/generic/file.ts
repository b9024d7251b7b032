// Documents of a record: read from its values, opened and saved from the phone or the server.

import { isMap } from '../../core/value.ts';
import type { Value } from '../../store/phone.ts';
import type { FileValue } from '../../store/photo.ts';
import type { Site } from '../site.svelte.ts';

/** As the server has it; what is larger never gets there. */
export const FILE_BYTES_MAX = 200e6;
const PICTURE_OR_PDF = /^(application\/pdf|image\/(png|jpeg|webp|gif|avif))$/;

export function fileIn(value: Value | undefined): FileValue | null {
  if (value === undefined || !isMap(value)) return null;
  const { sha, name, bytes, type } = value;
  const fits = [sha, name, type].every((one) => typeof one === 'string') && typeof bytes === 'number';
  return fits ? (value as unknown as FileValue) : null;
}

/** Saved under its own name by the browser. Throws Problem. */
export async function saveFile(site: Site, { sha, name, type }: FileValue): Promise<void> {
  const bytes = await (await site.phone.photos()).file(site.project, sha);
  // A type that a browser would run as a page is not given back to it.
  const blob = new Blob([bytes], { type: PICTURE_OR_PDF.test(type) ? type : 'application/octet-stream' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
