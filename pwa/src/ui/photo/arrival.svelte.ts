// What has arrived of the photos on the screen: "3 of 30 photos are still on the inspector's phone". Asked
// of the server once for each photo that is shown and not known to be there; grows only.

import { allPhotos } from '../../core/photo.ts';
import type { Phone, Shown } from '../../store/phone.ts';
import type { PhotoStanding, Photos, WaitingPhoto } from '../../store/photo.ts';
import type { Site } from '../site.svelte.ts';
import { photographerOf } from './author.ts';

interface Known {
  photos: Photos | null;
  /** Own ones that the server has not confirmed. */
  own: ReadonlyMap<string, WaitingPhoto>;
}

const none: ReadonlyMap<string, WaitingPhoto> = new Map();
let phone: Phone | null = null;
let known: Known = $state.raw({ photos: null, own: none });
let stops: (() => void)[] = [];

/** Follows the album of the person at the phone; read in a derived value, it changes with the album. */
function follow(site: Site): Known {
  if (phone !== site.phone) {
    phone = site.phone;
    for (const stop of stops) stop();
    const now = site.phone;
    const look = (): void => void read(now);
    queueMicrotask(() => {
      known = { photos: null, own: none };
      look();
    });
    // An entry that is saved or sent changes how its photos stand.
    stops = [now.watch('photos', look), now.watch('outbox', look)];
  }
  return known;
}

let reading = 0;
async function read(now: Phone): Promise<void> {
  const turn = ++reading;
  const photos = await now.photos().catch(() => null);
  const own = now.status().photos > 0 ? ((await photos?.waiting()) ?? []) : [];
  if (turn === reading && now === phone) known = { photos, own: new Map(own.map((one) => [one.sha, one])) };
}

/** How one photo stands, where there is something to say: it is not yet with the server. */
export function standingOf(site: Site, project: string, sha: string): PhotoStanding | 'elsewhere' | null {
  const { photos, own } = follow(site);
  const mine = own.get(sha);
  if (mine) return mine.standing;
  if (!photos || photos.arrived().has(sha)) return null;
  photos.ask(project, [sha]);
  return 'elsewhere';
}

export interface Missing {
  readonly all: number;
  readonly missing: number;
  /** On this very phone. */
  readonly own: number;
  /** Whose phones have the others. */
  readonly people: readonly string[];
}

/** Null where all photos are there, or nobody knows yet. */
export function missingOf(site: Site, shown: Shown): Missing | null {
  const all = allPhotos(shown.values);
  if (all.length === 0) return null;
  const { photos, own } = follow(site);
  if (!photos) return null;
  const there = photos.arrived();
  const missing = all.filter(({ photo }) => !there.has(photo.sha));
  if (missing.length === 0) return null;
  const others = missing.filter(({ photo }) => !own.has(photo.sha));
  photos.ask(
    site.project,
    others.map(({ photo }) => photo.sha),
  );
  const people = new Set(others.map(({ path, key }) => photographerOf(site, shown, `${path}.${key}`)));
  return {
    all: all.length,
    missing: missing.length,
    own: missing.length - others.length,
    people: [...people],
  };
}
