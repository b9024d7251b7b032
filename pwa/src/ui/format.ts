// Days, times, sizes as people write them, in the language of the moment.

import { offsetMin, wallAt, weekday } from './generic/zone.ts';
import { language, locale, t } from './i18n.svelte.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const made = new Map<string, Intl.DateTimeFormat>();

/** `zone` is an IANA name; without it the phone's own zone. */
export function date(ms: number, options: Intl.DateTimeFormatOptions, zone?: string): string {
  const key = `${locale()} ${zone} ${JSON.stringify(options)}`;
  let format = made.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale(), { ...options, ...(zone ? { timeZone: zone } : {}) });
    made.set(key, format);
  }
  return format.format(ms);
}

/** `07:58`; without a zone by the phone's own clock. */
export function time(ms: number, zone?: string): string {
  return wallAt(zone ? offsetMin(zone, ms) : -new Date(ms).getTimezoneOffset(), ms).slice(11);
}

export const dayAndTime = (ms: number, zone?: string): string =>
  date(ms, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, zone);

/** A day in full: its month, its weekday, and all of it as one reads it out. Without Intl, see `keepOffset`. */
export function dayWords(iso: string): { month: string; weekday: string; full: string } {
  const [year = '', m = 1, d = 1] = iso.split('-').map(Number);
  const month = t('day.months').split(' ')[Number(m) - 1] ?? '';
  const name = t('day.weekdays').split(' ')[weekday(iso)] ?? '';
  const full = t('day.full', { year: String(year), month, d: String(d), weekday: name });
  return { month, weekday: name, full };
}

/** A day of the calendar (no zone: it is a date, not an instant). */
export function day(
  iso: string,
  options: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric', weekday: 'short' },
): string {
  return date(Date.parse(`${iso}T00:00:00Z`), options, 'UTC');
}

/** "3 minutes ago", in words. */
export function ago(ms: number, now: number): string {
  const past = Math.max(0, now - ms);
  if (past < MINUTE) return t('time.just_now');
  const relative = new Intl.RelativeTimeFormat(locale(), {
    numeric: 'auto',
    style: language() === 'en' ? 'short' : 'long',
  });
  if (past < HOUR) return relative.format(-Math.round(past / MINUTE), 'minute');
  if (past < DAY) return relative.format(-Math.round(past / HOUR), 'hour');
  return relative.format(-Math.round(past / DAY), 'day');
}

/** "8 h 30 min" */
export function minutes(total: number): string {
  const sign = total < 0 ? '−' : '';
  const whole = Math.abs(total);
  const hours = Math.floor(whole / 60);
  const rest = whole % 60;
  if (hours === 0) return sign + t('time.minutes', { n: rest });
  return (
    sign + (rest === 0 ? t('time.hours', { n: hours }) : t('time.hours_minutes', { hours, minutes: rest }))
  );
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ['kB', 'MB', 'GB'];
  let value = count;
  let unit = -1;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)} ${units[unit]}`;
}

export const number = (value: number, digits = 0): string =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    value,
  );
