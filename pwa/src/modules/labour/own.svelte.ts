// What the check-in screens share: the person's last entries, the site's circle, the position that is
// being looked for meanwhile, and one tap that is on disk before it is shown as saved.

import type { Op, Shown } from '../../store/phone.ts';
import { type Fix, fixAt, type PlaceState, watchPlace } from '../../ui/generic/place.ts';
import { addDays, dayOf, offsetMin } from '../../ui/generic/zone.ts';
import { latest } from '../../ui/latest.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { CHECKIN, type Entry, entryOf } from './checkin.ts';
import { type Circle, circleIn, type Fence, fenceOf } from './fence.ts';

/** Watching stops by itself: a receiver left on empties the battery. */
const WATCH_MS_MAX = 120_000;
/** A page redraws its clock this often. */
const TICK_MS = 10_000;

export interface Facts {
  readonly at: number;
  readonly zone: string;
  readonly offset_min: number;
  readonly skew_ms: number | null;
}

/** Call it while a component is being made; it follows the project and stops with the component. */
export function ownDay(site: Site, mine: (entry: Entry) => boolean) {
  let shown = $state.raw<readonly Shown[] | null>(null);
  let circle = $state.raw<Circle | null>(null);
  let day_minutes = $state.raw<number | null>(null);
  let now = $state(site.now());
  const entries = $derived((shown ?? []).map(entryOf).filter((one): one is Entry => one !== null));

  $effect(() => {
    site.follow('records');
    site.follow('outbox');
    void load();
  });
  $effect(() => {
    const timer = setInterval(() => (now = site.now()), TICK_MS);
    return () => clearInterval(timer);
  });

  const load = latest(async () => {
    const today = dayOf(site.zone, site.now());
    const wanted = (one: Shown): boolean => {
      const entry = entryOf(one);
      return entry !== null && mine(entry);
    };
    const days = { from: addDays(today, -2), to: addDays(today, 1), where: wanted };
    const [found, projects] = await Promise.all([
      site.phone.list(site.project, CHECKIN, days),
      site.phone.list(site.project, 'core.project', { limit: 1 }),
    ]);
    shown = found;
    circle = circleIn(projects[0]?.values);
    const length = projects[0]?.values.day_minutes;
    day_minutes = typeof length === 'number' ? length : null;
    now = site.now();
  });

  return {
    get shown() {
      return shown;
    },
    get entries() {
      return entries;
    },
    get circle() {
      return circle;
    },
    get day_minutes() {
      return day_minutes;
    },
    get now() {
      return now;
    },
    load,
  };
}

/** The position, looked for in the background. `start` asks the system; nothing waits for it. */
export function position(site: Site) {
  let state = $state.raw<PlaceState | null>(null);
  let stop: (() => void) | null = null;
  let ends: ReturnType<typeof setTimeout> | undefined;

  $effect(() => {
    void startIfGranted();
    return halt;
  });

  async function startIfGranted(): Promise<void> {
    const permission = await navigator.permissions?.query({ name: 'geolocation' }).catch(() => null);
    if (permission?.state === 'granted') start();
  }
  function start(): void {
    clearTimeout(ends);
    ends = setTimeout(halt, WATCH_MS_MAX);
    stop ??= watchPlace((next) => (state = next));
  }
  function halt(): void {
    clearTimeout(ends);
    stop?.();
    stop = null;
  }

  return {
    get state() {
      return state;
    },
    /** The best fix so far, aged to now. */
    fix(): Fix | null {
      return state?.type === 'found' ? fixAt(state.position, site.now()) : null;
    },
    start,
  };
}

export function fenceNow(fix: Fix | null, circle: Circle | null): Fence {
  return fenceOf(fix, circle);
}

/** The clock, zone and clock error of this moment. */
export function facts(site: Site, at = site.now()): Facts {
  const phoneOffset = -new Date(at).getTimezoneOffset();
  return {
    at,
    zone: site.zone,
    offset_min: Number.isFinite(phoneOffset) ? phoneOffset : offsetMin(site.zone, at),
    skew_ms: site.status.skew_ms,
  };
}

/** Saves in one batch; on disk when it resolves. */
export async function save(site: Site, ops: readonly Op[]): Promise<void> {
  await site.phone.write(site.project, ops);
}

/** The worker's team: the first that this project gives him. */
export function teamOf(site: Site, worker: string): string | null {
  return site.phone.teamsOf(site.project, worker)[0] ?? null;
}
