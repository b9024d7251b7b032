/**
 * Where this phone is: the best fix so far, with its accuracy and age. Asked for in the background,
 * never waited for. A fix of exactly 0,0 is a broken receiver, not a place.
 */
export interface Fix {
  /** Integer 1e-7 degrees. */
  readonly lat: number;
  readonly lng: number;
  readonly accuracy_m?: number;
  readonly fix_age_s?: number;
}

/** A position as the browser gives it, in plain numbers. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
  readonly accuracy: number;
  readonly timestamp: number;
}

export type PlaceState =
  | { readonly type: 'asking' }
  | { readonly type: 'found'; readonly position: Position }
  | { readonly type: 'none'; readonly why: 'refused' | 'unavailable' | 'timeout' | 'no_gps' };

/** The fix as it is stored, aged to `now`; null for 0,0 or numbers that are none. */
export function fixAt(position: Position, now: number): Fix | null {
  const { latitude, longitude, accuracy, timestamp } = position;
  if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) return null;
  const lat = Math.round(latitude * 1e7);
  const lng = Math.round(longitude * 1e7);
  if ((lat === 0 && lng === 0) || Math.abs(lat) > 900_000_000 || Math.abs(lng) > 1_800_000_000) return null;
  return {
    lat,
    lng,
    ...(Number.isFinite(accuracy) ? { accuracy_m: Math.max(0, Math.round(accuracy)) } : {}),
    fix_age_s: Math.max(0, Math.round((now - timestamp) / 1000)),
  };
}

/** The one to keep: the finer, unless the other is much newer. */
export function better(known: Position | null, next: Position): Position {
  if (known === null) return next;
  const newer_ms = next.timestamp - known.timestamp;
  return next.accuracy <= known.accuracy || newer_ms > 30_000 ? next : known;
}

/** Watches the position until the returned function is called. */
export function watchPlace(onChange: (state: PlaceState) => void): () => void {
  const found = globalThis.navigator?.geolocation;
  if (!found) {
    onChange({ type: 'none', why: 'no_gps' });
    return () => undefined;
  }
  let best: Position | null = null;
  onChange({ type: 'asking' });
  const id = found.watchPosition(
    ({ coords, timestamp }) => {
      const { latitude, longitude, accuracy } = coords;
      best = better(best, { latitude, longitude, accuracy, timestamp });
      onChange({ type: 'found', position: best });
    },
    (error) => {
      if (best !== null) return;
      const why = error.code === 1 ? 'refused' : error.code === 3 ? 'timeout' : 'unavailable';
      onChange({ type: 'none', why });
    },
    { enableHighAccuracy: true, maximumAge: 60_000, timeout: 30_000 },
  );
  return () => found.clearWatch(id);
}
