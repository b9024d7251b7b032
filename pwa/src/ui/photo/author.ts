// Who took a photo: whoever's phone wrote it into the record.

import type { Shown } from '../../store/phone.ts';
import type { Site } from '../site.svelte.ts';

/** The person's id; the record's author where the device belongs to nobody known. */
export function photographerOf(site: Site, shown: Shown, path: string): string {
  const device =
    shown.record.f[path]?.at(-1)?.[2] ?? (path in shown.record.set ? shown.record.born[2] : undefined);
  return (device && site.phone.personOfDevice(device)) ?? shown.record.by;
}
