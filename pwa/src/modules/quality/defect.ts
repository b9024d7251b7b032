/** Whom a defect waits for, and whether it is late. Pure. */
import type { Shown } from '../../store/phone.ts';

export function isLate(shown: Shown, today: string): boolean {
  const { due } = shown.values;
  return typeof due === 'string' && due < today && (shown.state === 'open' || shown.state === 'fixing');
}

interface Me {
  readonly person: string;
  readonly teams: readonly string[];
  readonly rechecks: boolean;
}

/** What waits for me: to fix, to recheck, or to hand out; the nearest day first. */
export function forMe(all: readonly Shown[], me: Me): readonly Shown[] {
  const day = (one: Shown): string => String(one.values.due ?? '9999');
  return all.filter((one) => isMine(one, me)).sort((a, b) => (day(a) < day(b) ? -1 : 1));
}

function isMine({ state, values, record }: Shown, { person, teams, rechecks }: Me): boolean {
  if (state === 'recheck') return rechecks;
  if (state === 'open') return record.by === person;
  return values.person === person || (typeof values.team === 'string' && teams.includes(values.team));
}
