// A plan's pages as the server rendered them, and where things lie on them. A page is cut into levels that
// halve until it fits one tile; a point on it is given in millionths of its width and height.
// The twin of server/modules/drawings/pyramid.py.

export const TILE = 512;
export const WHOLE = 1_000_000;

export interface PageOfPlan {
  /** In pixels, at the last level. */
  readonly w: number;
  readonly h: number;
  readonly zooms: number;
  readonly ready: boolean;
}

/** `absent`: its bytes have not come to the server yet. */
export interface PlanFile {
  readonly state: 'absent' | 'waiting' | 'rendering' | 'ready' | 'refused';
  readonly pages: readonly PageOfPlan[];
  readonly percent: number;
  readonly reason: string | null;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Level {
  readonly w: number;
  readonly h: number;
  readonly across: number;
  readonly down: number;
}

export function levelOf({ w, h, zooms }: PageOfPlan, z: number): Level {
  const halves = 2 ** (zooms - 1 - z);
  const wide = Math.ceil(w / halves);
  const high = Math.ceil(h / halves);
  return { w: wide, h: high, across: Math.ceil(wide / TILE), down: Math.ceil(high / TILE) };
}

export function tileName(page: number, z: number, x: number, y: number): string {
  return `${page}/${z}/${x}/${y}.webp`;
}

/** All tiles of a page, the coarse ones first: so a page that is half there shows something everywhere. */
export function allTiles(page: PageOfPlan, number: number): readonly string[] {
  return Array.from({ length: page.zooms }, (_, z) => {
    const { across, down } = levelOf(page, z);
    return Array.from({ length: across * down }, (_one, i) =>
      tileName(number, z, i % across, Math.floor(i / across)),
    );
  }).flat();
}

export const inside = (millionths: number): number => Math.min(WHOLE, Math.max(0, Math.round(millionths)));
