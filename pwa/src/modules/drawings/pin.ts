// Pins: every kind of record whose declaration has a `pin` field can stand on a plan. What they are, where
// they lie, and how those that would lie on each other are shown as one.

import type { Kind } from '../../core/declaration.ts';
import { isMap } from '../../core/value.ts';
import type { Shown, Value } from '../../store/phone.ts';
import { readerOf } from '../../ui/generic/reader.ts';
import { type Standing, standingOf, titleOf } from '../../ui/generic/words.ts';
import { seenBy } from '../../ui/module.ts';
import type { Site } from '../../ui/site.svelte.ts';
import type { Point } from './page.ts';

export interface PinValue extends Point {
  readonly plan: string;
  readonly page: number;
}

export interface PinKind {
  readonly kind: Kind;
  /** Its `pin` field. */
  readonly path: string;
}

export interface Pin {
  readonly id: string;
  readonly at: PinValue;
  readonly shown: Shown;
  readonly kind: Kind;
  readonly title: string;
  readonly standing: Standing;
  /** It was put on an older revision of the plan. */
  readonly isOlder: boolean;
}

/** Pins that lie close together on the screen; one, mostly. */
export interface Cluster extends Point {
  readonly pins: readonly Pin[];
}

export function pinValue(value: Value | undefined): PinValue | null {
  if (value === undefined || !isMap(value)) return null;
  const { plan, page, x, y } = value;
  const fits = typeof plan === 'string' && [page, x, y].every((n) => typeof n === 'number');
  return fits ? (value as unknown as PinValue) : null;
}

export function pinKinds(site: Site): readonly PinKind[] {
  return Object.values(site.declarations.kinds).flatMap((kind) =>
    Object.entries(kind.fields)
      .filter(([, field]) => field.type === 'pin')
      .slice(0, 1)
      .map(([path]) => ({ kind, path })),
  );
}

/** Of these kinds, those that this person may make. */
export function mayPin(site: Site): readonly PinKind[] {
  const { person } = site.phone;
  return pinKinds(site).filter(({ kind }) => {
    const named = Object.entries(kind.fields).filter(([, field]) => field.type === 'person');
    const values = Object.fromEntries(named.map(([name]) => [name, person.id]));
    return kind.computed_by === undefined && site.phone.may(site.project, kind.may.create, undefined, values);
  });
}

/** The pins of a plan and of its older revisions, newest record first. */
export async function pinsOn(site: Site, revisions: readonly string[]): Promise<readonly Pin[]> {
  const reader = readerOf(site);
  const found = await Promise.all(
    pinKinds(site).map(async ({ kind, path }) => {
      const isHere = ({ values }: Shown): boolean => revisions.includes(pinValue(values[path])?.plan ?? '');
      const entries = await site.phone.list(site.project, kind.c, { where: isHere });
      return entries.flatMap((entry): Pin[] => {
        const shown = seenBy(site.faces, entry, site.now());
        const at = pinValue(shown.values[path]);
        if (!at) return [];
        const title = titleOf(kind, shown, reader);
        const isOlder = at.plan !== revisions[0];
        return [{ id: shown.r, at, shown, kind, title, standing: standingOf(kind, shown, reader), isOlder }];
      });
    }),
  );
  return found.flat().sort((a, b) => b.shown.record.born[4] - a.shown.record.born[4]);
}

export interface Filter {
  /** Kinds and, as `kind state`, states that are not shown. */
  readonly hidden: ReadonlySet<string>;
  readonly mine: boolean;
  readonly older: boolean;
}

export const EVERYTHING: Filter = { hidden: new Set(), mine: false, older: true };

/** Of one kind, what is not closed; everything where none is named. */
export function openOnly(site: Site, c: string | null): Filter {
  if (c === null) return EVERYTHING;
  const hidden = pinKinds(site).flatMap(({ kind }) =>
    kind.c === c
      ? Object.entries(kind.states).flatMap(([state, { seals }]) => (seals ? [`${c} ${state}`] : []))
      : [kind.c],
  );
  return { ...EVERYTHING, hidden: new Set(hidden) };
}

export function passes(filter: Filter, pin: Pin, person: string): boolean {
  if (filter.hidden.has(pin.kind.c) || filter.hidden.has(stateKey(pin))) return false;
  if (pin.isOlder && !filter.older) return false;
  return !filter.mine || isMine(pin, person);
}

export const stateKey = ({ kind, shown }: Pick<Pin, 'kind' | 'shown'>): string =>
  `${kind.c} ${shown.state ?? ''}`;

/** I wrote it, or a field of it names me. */
function isMine({ kind, shown }: Pin, person: string): boolean {
  if (shown.record.by === person) return true;
  return Object.entries(kind.fields).some(([name, field]) => {
    const value = shown.values[name];
    return (
      (field.type === 'person' && value === person) ||
      (field.type === 'multi_choice' && Array.isArray(value) && value.includes(person))
    );
  });
}

/** Pins nearer than `apart` to the first of a heap go into it; `at` says where a pin lies on the screen. */
export function clustersOf(pins: readonly Pin[], at: (pin: Pin) => Point, apart: number): readonly Cluster[] {
  const heaps: { x: number; y: number; pins: Pin[] }[] = [];
  const squares = new Map<string, typeof heaps>();
  const square = (n: number): number => Math.floor(n / apart);
  for (const pin of pins) {
    const { x, y } = at(pin);
    const near = [-1, 0, 1].flatMap((dx) =>
      [-1, 0, 1].flatMap((dy) => squares.get(`${square(x) + dx} ${square(y) + dy}`) ?? []),
    );
    const heap = near.find((one) => Math.hypot(one.x - x, one.y - y) < apart);
    if (heap) heap.pins.push(pin);
    else {
      const fresh = { x, y, pins: [pin] };
      heaps.push(fresh);
      const key = `${square(x)} ${square(y)}`;
      squares.set(key, [...(squares.get(key) ?? []), fresh]);
    }
  }
  return heaps;
}
