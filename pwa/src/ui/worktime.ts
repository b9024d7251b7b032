/** The site's working calendar as this phone has it: the newest week counts, and every day off the rule. */
import { type Worktime, worktimeOf } from '../core/worktime.ts';
import type { Site } from './site.svelte.ts';

export const WEEK = 'alerts.week';
export const HOLIDAY = 'alerts.holiday';

export async function worktimeHere({ phone, project }: Site): Promise<Worktime> {
  const [weeks, days] = await Promise.all([phone.list(project, WEEK), phone.list(project, HOLIDAY)]);
  const week = [...weeks].sort((a, b) => (a.r < b.r ? -1 : 1)).at(-1);
  return worktimeOf(
    week?.values ?? {},
    [...days].sort((a, b) => (a.r < b.r ? -1 : 1)).map((day) => day.values),
  );
}
