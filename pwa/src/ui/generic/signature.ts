/**
 * A signature as strokes: whole numbers on a sheet of a known size, few enough points to store and
 * enough to be the person's hand. Pure.
 */
import type { Value } from '../../store/phone.ts';

export const SHEET_W = 600;
export const SHEET_H = 240;
const STROKES_MAX = 500;
const NUMBERS_MAX = 4000;
/** Points nearer than this to the last one say nothing new. */
const STEP = 3;

export interface Drawing {
  readonly w: number;
  readonly h: number;
  readonly strokes: readonly (readonly number[])[];
}

export function strokesOf(value: Value): Drawing | null {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const { w, h, strokes } = value as Readonly<Record<string, Value>>;
  if (typeof w !== 'number' || typeof h !== 'number' || !Array.isArray(strokes)) return null;
  return {
    w,
    h,
    strokes: strokes.map((stroke) =>
      Array.isArray(stroke) ? stroke.filter((n): n is number => typeof n === 'number') : [],
    ),
  };
}

/** One more point on the last stroke, kept inside the sheet; unchanged where it says nothing new. */
export function extended(stroke: readonly number[], x: number, y: number): readonly number[] {
  const px = Math.round(Math.min(Math.max(x, 0), SHEET_W));
  const py = Math.round(Math.min(Math.max(y, 0), SHEET_H));
  const lastX = stroke.at(-2);
  const lastY = stroke.at(-1);
  if (stroke.length >= NUMBERS_MAX) return stroke;
  if (lastX !== undefined && lastY !== undefined && Math.hypot(px - lastX, py - lastY) < STEP) return stroke;
  return [...stroke, px, py];
}

export function signatureValue(strokes: readonly (readonly number[])[], at: number, by: string): Value {
  const drawn = strokes.filter((stroke) => stroke.length >= 2).slice(0, STROKES_MAX);
  return drawn.length === 0 ? null : { w: SHEET_W, h: SHEET_H, strokes: drawn, at, by };
}

/** Smooth curve through the points, as an SVG path; a single point is a dot. */
export function pathOf(stroke: readonly number[]): string {
  const [x = 0, y = 0] = stroke;
  if (stroke.length < 4) return `M${x} ${y}l.01 0`;
  const parts = [`M${x} ${y}`];
  for (let i = 2; i + 3 < stroke.length; i += 2) {
    const cx = stroke[i] ?? 0;
    const cy = stroke[i + 1] ?? 0;
    parts.push(`Q${cx} ${cy} ${(cx + (stroke[i + 2] ?? 0)) / 2} ${(cy + (stroke[i + 3] ?? 0)) / 2}`);
  }
  parts.push(`L${stroke.at(-2)} ${stroke.at(-1)}`);
  return parts.join('');
}
