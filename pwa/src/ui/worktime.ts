/** The site's working calendar as this phone has it: the newest week counts, and every day off the rule. */
import { type Worktime, workedOn, worktimeOf } from '../core/worktime.ts';
import { addDays, dayOf } from './generic/zone.ts';
import type { Site } from './site.svelte.ts';

export const WEEK = 'alerts.week';
export const HOLIDAY = 'alerts.holiday';
const DAYS_TO_FIX = 3;

export async function worktimeHere({ phone, project }: Site): Promise<Worktime> {
  const [weeks, days] = await Promise.all([phone.list(project, WEEK), phone.list(project, HOLIDAY)]);
  const week = [...weeks].sort((a, b) => (a.r < b.r ? -1 : 1)).at(-1);
  return worktimeOf(
    week?.values ?? {},
    [...days].sort((a, b) => (a.r < b.r ? -1 : 1)).map((day) => day.values),
  );
}

/** By when what is found today is mended, until somebody says otherwise: in three days, on a day that is worked. */
export async function dueToFix(site: Site): Promise<string> {
  return workedOn(await worktimeHere(site), addDays(dayOf(site.zone, site.now()), DAYS_TO_FIX));
}
