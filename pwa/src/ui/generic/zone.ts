/**
 * Instants, days and wall clocks in a named zone, by Intl alone.
 * An instant is integer ms UTC; a day is `YYYY-MM-DD`; a wall time is `YYYY-MM-DDTHH:MM`.
 * A wall time that the zone skips (spring) moves forward by the gap; one that it repeats (autumn) is the first.
 */
const formats = new Map<string, Intl.DateTimeFormat>();

function parts(zone: string, at: number): Record<string, number> {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  const found: Record<string, number> = {};
  for (const part of format.formatToParts(at)) found[part.type] = Number(part.value);
  return found;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** An offset that holds at both ends of two weeks holds between them: no zone goes there and back in that time. */
const SPAN_MS = 14 * 86_400_000;
const KEPT = 'gongbu.offset';
type Spans = Record<string, number | null>;
const offsets = new Map<string, number | null>(Object.entries(recalled()));

/** Minutes east of UTC at that instant. */
export function offsetMin(zone: string, at: number): number {
  const span = Math.floor(at / SPAN_MS);
  const key = `${zone} ${span}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    offset = offsetIn(zone, span);
    offsets.set(key, offset);
  }
  return offset ?? offsetAt(zone, at);
}

/**
 * Looks up again what the next weeks' starts will need: the first use of Intl keeps a slow phone for a tenth of a
 * second, which its first page does without.
 */
export function keepOffset(zone: string, at: number): void {
  const span = Math.floor(at / SPAN_MS);
  const spans: Spans = Object.fromEntries(
    [span, span + 1].map((one) => [`${zone} ${one}`, offsetIn(zone, one)]),
  );
  for (const [key, offset] of Object.entries(spans)) offsets.set(key, offset);
  localStorage.setItem(KEPT, JSON.stringify(spans));
}

function recalled(): Spans {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '{}');
    const known = Object.entries(read ?? {}).filter(([, offset]) => typeof offset === 'number');
    return Object.fromEntries(known);
  } catch {
    return {};
  }
}

/** Of a whole span; null if it changes in it. */
function offsetIn(zone: string, span: number): number | null {
  const first = offsetAt(zone, span * SPAN_MS);
  return first === offsetAt(zone, (span + 1) * SPAN_MS) ? first : null;
}

function offsetAt(zone: string, at: number): number {
  const p = parts(zone, at);
  const wall = Date.UTC(
    p.year ?? 1970,
    (p.month ?? 1) - 1,
    p.day ?? 1,
    p.hour ?? 0,
    p.minute ?? 0,
    p.second ?? 0,
  );
  return Math.round((wall - Math.floor(at / 1000) * 1000) / 60_000);
}

/** `YYYY-MM-DDTHH:MM` as the clock on the wall shows it, for an offset. */
export function wallAt(offset_min: number, at: number): string {
  return new Date(at + offset_min * 60_000).toISOString().slice(0, 16);
}

export function wall(zone: string, at: number): string {
  return wallAt(offsetMin(zone, at), at);
}

export function dayOf(zone: string, at: number): string {
  return wall(zone, at).slice(0, 10);
}

export function timeOf(zone: string, at: number): string {
  return wall(zone, at).slice(11);
}

const WALL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})$/;

/** The instant of a wall time, or null where the text is none. */
export function instantOf(zone: string, text: string): number | null {
  const found = WALL.exec(text);
  if (!found) return null;
  const [year, month, day, hour, minute] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const asUtc = Date.UTC(year, month - 1, day, hour, minute);
  if (Number.isNaN(asUtc)) return null;
  const before = asUtc - offsetMin(zone, asUtc - 86_400_000) * 60_000;
  const after = asUtc - offsetMin(zone, asUtc + 86_400_000) * 60_000;
  const fits = [before, after].filter((at) => wall(zone, at) === text);
  return fits.length > 0 ? Math.min(...fits) : Math.max(before, after);
}

/** `+08:00` */
export function offsetText(offset_min: number): string {
  const size = Math.abs(offset_min);
  return `${offset_min < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `UTC+8`, `UTC+5:30` */
export function utcText(offset_min: number): string {
  return `UTC${offsetText(offset_min)
    .replace(/(?<=^\W)0/, '')
    .replace(':00', '')}`;
}

/** Day arithmetic on the calendar alone; no zone has a say in it. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Monday = 0 … Sunday = 6. */
export function weekday(day: string): number {
  return (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
}

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === text;
}

/** `month` is `YYYY-MM`; `by` may be negative. */
export function addMonths(month: string, by: number): string {
  const [year = 1970, m = 1] = month.split('-').map(Number);
  const index = year * 12 + (m - 1) + by;
  return `${Math.floor(index / 12)}-${two((index % 12) + 1)}`;
}
