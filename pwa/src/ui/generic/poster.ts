/**
 * What the site's poster says: `gongbu:place:<project>:<place id>:<code>`. A code typed by hand is
 * looked for among the places of the project. Pure.
 */
export interface Poster {
  readonly project: string;
  readonly place: string;
  readonly code: string;
}

const POSTER = /^gongbu:place:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]{1,64}):([^:\s]{1,40})$/;

export function readPoster(text: string): Poster | null {
  const found = POSTER.exec(text.trim());
  if (!found) return null;
  const [, project = '', place = '', code = ''] = found;
  return { project, place, code };
}

export interface KnownPlace {
  readonly r: string;
  readonly name: string;
  readonly code: string | null;
}

export type Scan =
  | { readonly type: 'place'; readonly place: KnownPlace }
  /** A true poster of this project that this phone has not heard of yet: recorded as it is. */
  | { readonly type: 'unknown'; readonly code: string }
  | { readonly type: 'other_project' }
  | { readonly type: 'no_poster' };

export function scanned(text: string, project: string, places: readonly KnownPlace[]): Scan {
  const poster = readPoster(text);
  if (poster === null) return typed(text, places);
  if (poster.project !== project) return { type: 'other_project' };
  const place = places.find(
    (one) => one.r === poster.place || (one.code !== null && one.code === poster.code),
  );
  return place ? { type: 'place', place } : { type: 'unknown', code: poster.code };
}

/** A code read out or printed below the poster; case and spaces do not matter. */
function typed(text: string, places: readonly KnownPlace[]): Scan {
  const plain = (one: string): string => one.replace(/[\s-]/g, '').toUpperCase();
  const wanted = plain(text);
  const place =
    wanted === '' ? undefined : places.find((one) => one.code !== null && plain(one.code) === wanted);
  return place ? { type: 'place', place } : { type: 'no_poster' };
}
