/**
 * Numbers as people type them and as they are stored: integers with a declared scale, money in fen,
 * durations in minutes. Nothing passes through a float, so 0.1 + 0.2 never shows.
 */
const WIDE = /[０-９．：，－]/g;
const narrow: Readonly<Record<string, string>> = { '．': '.', '：': ':', '，': ',', '－': '-' };

/** Full-width digits and marks, as Chinese keyboards give them, become plain ones. */
export function plain(text: string): string {
  return text
    .replace(WIDE, (c) => narrow[c] ?? String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replaceAll('。', '.')
    .trim();
}

/** Text → integer at `scale`; null for nothing, 'wrong' for what is no number or has too many places. */
export function parseScaled(text: string, scale: number): number | null | 'wrong' {
  const clean = plain(text)
    .replace(/[,\s]/g, '')
    .replace(/^[¥￥]/, '');
  if (clean === '') return null;
  const found = /^([-+]?)(\d*)(?:\.(\d*))?$/.exec(clean.replace('−', '-'));
  if (!found) return 'wrong';
  const [, sign = '', whole = '', part = ''] = found;
  if (whole + part === '' || part.replace(/0+$/, '').length > scale) return 'wrong';
  const digits = `${whole}${part.slice(0, scale).padEnd(scale, '0')}`;
  const size = Number(digits);
  if (!Number.isSafeInteger(size)) return 'wrong';
  return size === 0 ? 0 : sign === '-' ? -size : size;
}

/** Integer at `scale` → text without needless zeros (`fixed` keeps them, as money does). */
export function scaledText(value: number, scale: number, fixed = false): string {
  const sign = value < 0 ? '-' : '';
  const digits = String(Math.abs(value)).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const part = scale === 0 ? '' : digits.slice(-scale);
  const kept = fixed ? part : part.replace(/0+$/, '');
  return kept === '' ? `${sign}${whole}` : `${sign}${whole}.${kept}`;
}

/** Thousands with commas, for reading, never for typing. */
export function grouped(text: string): string {
  const [whole = '', part] = text.split('.');
  const marked = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return part === undefined ? marked : `${marked}.${part}`;
}

/** `7:30`, `7` or `7.5` hours → minutes. */
export function parseMinutes(text: string): number | null | 'wrong' {
  const clean = plain(text);
  if (clean === '') return null;
  const clock = /^(\d{1,4}):([0-5]?\d)$/.exec(clean);
  if (clock) return Number(clock[1]) * 60 + Number(clock[2]);
  const hours = parseScaled(clean, 2);
  if (hours === null || hours === 'wrong') return 'wrong';
  return (hours * 60) % 100 === 0 && hours >= 0 ? (hours * 60) / 100 : 'wrong';
}

export function minutesText(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : ''}${Math.floor(size / 60)}:${String(size % 60).padStart(2, '0')}`;
}
