// Where pins lie thick: a cloud over the plan, yellow to red. Each pin is a soft spot; spots that lie on each
// other grow denser, and how dense it is says the colour.

import type { Point } from './page.ts';

/** Drawn small and stretched: soft spots need no more. */
const SHRUNK = 3;
const SPOT_PX = 70;
const ONE = 0.3;
const RAMP: readonly (readonly [number, number, number])[] = [
  [246, 206, 70],
  [236, 138, 30],
  [196, 40, 28],
];

/** `spots` are pixels of the canvas as it stands on the screen. */
export function paintHeat(canvas: HTMLCanvasElement, spots: readonly Point[]): void {
  const w = Math.max(1, Math.round(canvas.clientWidth / SHRUNK));
  const h = Math.max(1, Math.round(canvas.clientHeight / SHRUNK));
  canvas.width = w;
  canvas.height = h;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  if (!pen || spots.length === 0) return;
  const radius = SPOT_PX / SHRUNK;
  for (const spot of spots) {
    const [x, y] = [spot.x / SHRUNK, spot.y / SHRUNK];
    const soft = pen.createRadialGradient(x, y, 0, x, y, radius);
    soft.addColorStop(0, `rgb(0 0 0 / ${ONE})`);
    soft.addColorStop(1, 'rgb(0 0 0 / 0)');
    pen.fillStyle = soft;
    pen.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
  }
  const picture = pen.getImageData(0, 0, w, h);
  for (let i = 3; i < picture.data.length; i += 4) {
    const dense = (picture.data[i] ?? 0) / 255;
    if (dense === 0) continue;
    picture.data.set(colourOf(dense), i - 3);
    picture.data[i] = Math.min(190, 60 + dense * 260) * Math.min(1, dense * 6);
  }
  pen.putImageData(picture, 0, 0);
}

/** 0 to 1 → red, green, blue. */
export function colourOf(dense: number): readonly [number, number, number] {
  const at = Math.min(1, dense * 1.25) * (RAMP.length - 1);
  const low = Math.min(RAMP.length - 2, Math.floor(at));
  const from = RAMP[low] ?? [0, 0, 0];
  const to = RAMP[low + 1] ?? from;
  const mix = (n: 0 | 1 | 2): number => Math.round(from[n] + (to[n] - from[n]) * (at - low));
  return [mix(0), mix(1), mix(2)];
}
