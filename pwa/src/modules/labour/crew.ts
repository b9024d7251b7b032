/**
 * The foreman's list: his people, who is on site, and one batch that checks them in or out, "all
 * present but …". Pure.
 */
import type { Op } from '../../store/phone.ts';
import { type Direction, type Entry, methodFor, openShift, opOf, type Tap } from './checkin.ts';

/** P2: a batch holds at most this many ops. */
export const BATCH_OPS_MAX = 500;

export interface Member {
  readonly id: string;
  readonly name: string;
  readonly team: string;
  /** The shift he is in, or null. */
  readonly open: Entry | null;
  /** His newest entry of the day, open or closed. */
  readonly last: Entry | null;
}

/** People of the foreman's teams, by name, with how they stand at `at`. */
export function membersOf(
  teamsOf: Readonly<Record<string, readonly string[]>>,
  mine: readonly string[],
  nameOf: (id: string) => string,
  entries: readonly Entry[],
  at: number,
  lang: 'zh' | 'en' = 'zh',
): readonly Member[] {
  const byWorker = new Map<string, Entry[]>();
  for (const entry of entries) {
    const known = byWorker.get(entry.worker);
    if (known) known.push(entry);
    else byWorker.set(entry.worker, [entry]);
  }
  const collator = new Intl.Collator(lang === 'zh' ? 'zh-CN' : 'en');
  return Object.entries(teamsOf)
    .flatMap(([id, teams]) => {
      const team = teams.find((one) => mine.includes(one));
      if (team === undefined) return [];
      const own = byWorker.get(id) ?? [];
      const last = own.reduce<Entry | null>((a, b) => (a === null || b.at >= a.at ? b : a), null);
      return [{ id, name: nameOf(id), team, open: openShift(own, at), last }];
    })
    .sort((a, b) => collator.compare(a.name, b.name));
}

/** Whom the button is about: to check in, who is not in yet; to check out, who is. */
export function expected(members: readonly Member[], direction: Direction): readonly Member[] {
  return members.filter((member) => (direction === 'in' ? member.open === null : member.open !== null));
}

/** The direction that most of the crew needs now. */
export function guessCrew(members: readonly Member[]): Direction {
  const inside = members.filter((member) => member.open !== null).length;
  return inside * 2 > members.length ? 'out' : 'in';
}

export type CrewTap = Omit<Tap, 'r' | 'worker' | 'direction' | 'team' | 'method' | 'entries'>;

/** One batch for all who are chosen, at one time; each has its own record. */
export function crewOps(
  chosen: readonly Member[],
  direction: Direction,
  tap: CrewTap,
  now: number,
  newId: () => string,
  entries: readonly Entry[],
): readonly Op[] {
  return chosen.slice(0, BATCH_OPS_MAX).map((member) =>
    opOf({
      ...tap,
      r: newId(),
      worker: member.id,
      team: member.team,
      direction,
      method: methodFor('crew', tap.at, now),
      entries: entries.filter((entry) => entry.worker === member.id),
    }),
  );
}
