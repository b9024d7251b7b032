/**
 * Pinching, dragging and swiping, as numbers: where a picture lies in its box and how large. The point under
 * the fingers stays under the fingers. Pure.
 */
export interface View {
  readonly scale: number;
  /** Shift of the middle, px. */
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly w: number;
  readonly h: number;
}

export const WHOLE: View = { scale: 1, x: 0, y: 0 };
export const SCALE_MAX = 8;
const SWIPE_PX = 56;

/** Larger or smaller around a point, measured from the middle of the box. */
export function zoomed(view: View, factor: number, at: { x: number; y: number }, box: Box): View {
  const scale = Math.min(SCALE_MAX, Math.max(1, view.scale * factor));
  const by = scale / view.scale;
  return kept({ scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by }, box);
}

export function moved(view: View, dx: number, dy: number, box: Box): View {
  return kept({ ...view, x: view.x + dx, y: view.y + dy }, box);
}

/** The picture is never pushed out of its box. */
function kept({ scale, x, y }: View, { w, h }: Box): View {
  const most = { x: (w * (scale - 1)) / 2, y: (h * (scale - 1)) / 2 };
  const within = (n: number, limit: number): number => Math.min(limit, Math.max(-limit, n)) + 0;
  return { scale, x: within(x, most.x), y: within(y, most.y) };
}

/** Where a swipe leads: to the next (1), to the one before (-1), out (0), or nowhere. */
export function swiped(dx: number, dy: number): -1 | 0 | 1 | null {
  if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > Math.abs(dy) * 1.3) return dx < 0 ? 1 : -1;
  return dy > SWIPE_PX * 1.6 && dy > Math.abs(dx) * 1.3 ? 0 : null;
}
