/** The working calendar in the office: what a list or file says, and the ops that take it over. */
import { Problem } from '../../core/problem.ts';
import type { Op, Shown } from '../../store/phone.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { HOLIDAY } from './declared.generated.ts';

export interface Day {
  readonly day: string;
  readonly works: boolean;
  readonly name: string;
}
export interface Shipped {
  readonly name: { readonly zh: string; readonly en: string };
  readonly source: string;
  readonly days: readonly Day[];
}
export interface LineFault {
  readonly line: number;
  readonly message: string;
}
/** Days, or what is wrong and in which line. */
export interface ReadDays {
  readonly days: readonly Day[];
  readonly faults: readonly LineFault[];
}

const PART = 200; // ops of one batch

export async function readDays(site: Site, body: Blob | string): Promise<ReadDays> {
  const answer = await fetch(`/api/calendar/read?project=${encodeURIComponent(site.project)}`, {
    method: 'POST',
    headers: {
      'X-Requested-With': 'gongbu',
      'Accept-Language': site.lang === 'zh' ? 'zh-CN' : 'en',
      'Content-Type': 'application/octet-stream',
    },
    body,
  }).catch(() => null);
  if (answer === null) throw new Problem({ code: 'offline', do: 'retry' });
  const told = (await answer.json()) as Partial<ReadDays> & { code?: string; message?: string };
  if (told.days) return { days: told.days, faults: [] };
  if (told.faults) return { days: [], faults: told.faults };
  throw new Problem({
    code: told.code ?? 'unexpected',
    do: 'fix',
    ...(told.message && { message: told.message }),
  });
}

/** One record a day: a day that is there gets what differs, another is made. */
export function opsOf(days: readonly Day[], there: readonly Shown[], newId: () => string): readonly Op[] {
  const byDay = new Map(there.map((one) => [String(one.values.day), one]));
  return days.flatMap(({ day, works, name }): Op[] => {
    const before = byDay.get(day);
    const set = { day, works, ...(name && { name }) };
    if (before === undefined) return [{ k: 'new', c: HOLIDAY, r: newId(), set }];
    return Object.entries({ works, name: name || null })
      .filter(([field, value]) => (before.values[field] ?? null) !== value)
      .map(([f, v]): Op => ({ k: 'set', c: HOLIDAY, r: before.r, f, v }));
  });
}

export async function write(site: Site, ops: readonly Op[]): Promise<void> {
  for (let at = 0; at < ops.length; at += PART)
    await site.phone.write(site.project, ops.slice(at, at + PART));
}
