// Days, times, sizes as people write them, in the language of the moment.

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

export const time = (ms: number, zone?: string): string =>
  date(ms, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, zone);

export const dayAndTime = (ms: number, zone?: string): string =>
  date(ms, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, zone);

/** YYYY-MM-DD of an instant in a zone. */
export function dayOf(ms: number, zone?: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    ...(zone ? { timeZone: zone } : {}),
  });
  return parts.format(ms);
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
  const relative = new Intl.RelativeTimeFormat(locale(), {
    numeric: 'auto',
    style: language() === 'en' ? 'short' : 'long',
  });
  if (past < MINUTE) return t('time.just_now');
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
