/**
 * What is drawn on a photo, as geometry: shapes in millionths of the photo's width and height become SVG
 * paths and canvas strokes on a sheet of the photo's own size. Pure.
 */
import type { MarkColour, Marks, Shape } from '../../core/photo.ts';
import type { Value } from '../../store/phone.ts';
import { pathOf } from '../generic/signature.ts';

export const MILLION = 1_000_000;
export const SHAPES_MAX = 60;
export const NUMBERS_MAX = 2000;
export const TEXT_MAX = 100;
/** Points nearer than this (thousandths of the longer side) to the last one say nothing new. */
const STEP = 3;

/** Ink on a photo stands on any ground: each stroke has an edge of the other brightness. */
export const INK: Readonly<Record<MarkColour, { readonly fill: string; readonly edge: string }>> = {
  red: { fill: '#e4281b', edge: '#ffffff' },
  yellow: { fill: '#ffd400', edge: '#1d1a12' },
  blue: { fill: '#1769e0', edge: '#ffffff' },
  white: { fill: '#ffffff', edge: '#1d1a12' },
  black: { fill: '#15130d', edge: '#ffffff' },
};

export interface Sheet {
  readonly w: number;
  readonly h: number;
}

/** Width of the pen, and of the edge around it, on a sheet of that size. */
export const penOf = ({ w, h }: Sheet): number => Math.max(w, h) / 160;
export const letterOf = ({ w, h }: Sheet): number => Math.max(w, h) / 26;

/** Points of a shape on the sheet: x, y, x, y … */
export function pointsOf(shape: Shape, { w, h }: Sheet): readonly number[] {
  return shape.p.map((n, i) => (n / MILLION) * (i % 2 === 0 ? w : h));
}

/** The SVG path of a shape; a text has none. */
export function shapePath(shape: Shape, sheet: Sheet): string {
  const p = pointsOf(shape, sheet).map((n) => Math.round(n * 10) / 10);
  const [x1 = 0, y1 = 0, x2 = x1, y2 = y1] = p;
  if (shape.t === 'rect') return `M${x1} ${y1}H${x2}V${y2}H${x1}Z`;
  if (shape.t === 'free') return pathOf(p);
  if (shape.t === 'circle') return ellipse(x1, y1, x2, y2);
  return shape.t === 'arrow' ? arrow(x1, y1, x2, y2, penOf(sheet)) : '';
}

function ellipse(x1: number, y1: number, x2: number, y2: number): string {
  const rx = round(Math.abs(x2 - x1) / 2);
  const ry = round(Math.abs(y2 - y1) / 2);
  const cx = (x1 + x2) / 2;
  const cy = round((y1 + y2) / 2);
  return `M${round(cx - rx)} ${cy}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0Z`;
}

/** From the tail to the point, and the two barbs. */
function arrow(x1: number, y1: number, x2: number, y2: number, pen: number): string {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const barb = Math.min(pen * 6, Math.hypot(x2 - x1, y2 - y1) * 0.6);
  const end = (turn: number): string =>
    `${round(x2 - barb * Math.cos(angle + turn))} ${round(y2 - barb * Math.sin(angle + turn))}`;
  return `M${x1} ${y1}L${x2} ${y2}M${end(0.5)}L${x2} ${y2}L${end(-0.5)}`;
}

const round = (n: number): number => Math.round(n * 10) / 10;

/** A shape being drawn, with one more point; two-point shapes move their second. */
export function extended(shape: Shape, x: number, y: number, ratio: number): Shape {
  const px = millionth(x);
  const py = millionth(y);
  if (shape.t === 'text') return { ...shape, p: [px, py] };
  if (shape.t !== 'free') return { ...shape, p: [shape.p[0] ?? px, shape.p[1] ?? py, px, py] };
  const dx = (px - (shape.p.at(-2) ?? px)) * Math.min(1, ratio);
  const dy = (py - (shape.p.at(-1) ?? py)) * Math.min(1, 1 / ratio);
  const isNear = shape.p.length >= 2 && Math.hypot(dx, dy) < (STEP * MILLION) / 1000;
  return isNear || shape.p.length >= NUMBERS_MAX ? shape : { ...shape, p: [...shape.p, px, py] };
}

/** Something a person meant to draw: not a tap that slipped. */
export function isDrawn(shape: Shape): boolean {
  if (shape.t === 'text') return (shape.s ?? '').trim() !== '';
  const [x1 = 0, y1 = 0, x2 = x1, y2 = y1] = shape.p;
  if (shape.t === 'free') return shape.p.length >= 4;
  return Math.hypot(x2 - x1, y2 - y1) > 0.01 * MILLION;
}

export const millionth = (part: number): number => Math.round(Math.min(1, Math.max(0, part)) * MILLION);

export function marksValue(shapes: readonly Shape[]): Value {
  if (shapes.length === 0) return null;
  return {
    shapes: shapes
      .slice(0, SHAPES_MAX)
      .map(({ t, c, p, s }) => ({ t, c, p: [...p], ...(s !== undefined && { s }) })),
  };
}

/** The same drawing on a canvas: what is shared and printed. */
export function strokeMarks(pen: CanvasRenderingContext2D, marks: Marks, sheet: Sheet): void {
  pen.save();
  pen.lineCap = pen.lineJoin = 'round';
  for (const shape of marks.shapes) {
    const { fill, edge } = INK[shape.c];
    if (shape.t === 'text') {
      const [x = 0, y = 0] = pointsOf(shape, sheet);
      pen.font = `700 ${letterOf(sheet)}px system-ui, sans-serif`;
      outlined(pen, shape.s ?? '', x, y, fill, edge, letterOf(sheet) / 6);
      continue;
    }
    const path = new Path2D(shapePath(shape, sheet));
    for (const [colour, width] of [
      [edge, 1.9],
      [fill, 1],
    ] as const) {
      pen.strokeStyle = colour;
      pen.lineWidth = penOf(sheet) * width;
      pen.stroke(path);
    }
  }
  pen.restore();
}

function outlined(
  pen: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  fill: string,
  edge: string,
  width: number,
): void {
  pen.lineWidth = width;
  pen.strokeStyle = edge;
  pen.fillStyle = fill;
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}
