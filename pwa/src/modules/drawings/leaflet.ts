// Leaflet with what plans need: tiles that come from this phone instead of an address, pins that are drawn
// with the app's own icons, and a long press. Loaded when the first plan is opened.

import 'leaflet/dist/leaflet.css';
import {
  type Coords,
  CRS,
  type DoneCallback,
  GridLayer,
  LatLngBounds,
  type LeafletEvent,
  Map as LeafletMap,
  point,
} from 'leaflet';
import { levelOf, type PageOfPlan, type Point, TILE, WHOLE } from './page.ts';

/** A pixel of the last level is shown up to so many times as large. */
const MAGNIFIED = 2;
const HOLD_MS = 500;
const CLICK_MS_MAX = 350;
const HOLD_MOVES_PX_MAX = 10;

export type LoadTile = (z: number, x: number, y: number) => Promise<Blob>;

/** One page, spread out. Points on it are in millionths. */
export class Sheet {
  readonly map: LeafletMap;
  readonly #page: PageOfPlan;
  readonly #layer: PageLayer;

  constructor(element: HTMLElement, page: PageOfPlan, load: LoadTile) {
    this.#page = page;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.map = new LeafletMap(element, {
      crs: CRS.Simple,
      zoomControl: false,
      attributionControl: false,
      zoomSnap: 0.25,
      zoomDelta: 1,
      minZoom: -3,
      maxZoom: page.zooms - 1 + MAGNIFIED,
      maxBoundsViscosity: 0.8,
      bounceAtZoomLimits: false,
      zoomAnimation: !still,
      fadeAnimation: false,
      inertia: !still,
    });
    const bounds = this.bounds();
    this.map.fitBounds(bounds);
    this.map.setMinZoom(Math.min(0, this.map.getZoom()));
    this.map.setMaxBounds(bounds.pad(0.25));
    this.#layer = new PageLayer(page, load, bounds);
    this.#layer.addTo(this.map);
  }

  /** A network is there again: what is missing may come now. */
  again(): void {
    if (!this.#layer.hasGaps) return;
    this.#layer.hasGaps = false;
    // Its own redraw() loses count where a zoom is no whole number.
    this.#layer.remove();
    this.#layer.addTo(this.map);
  }

  bounds(): LatLngBounds {
    return new LatLngBounds([this.latLng({ x: 0, y: 0 }), this.latLng({ x: WHOLE, y: WHOLE })]);
  }

  latLng({ x, y }: Point): ReturnType<LeafletMap['unproject']> {
    const { w, h, zooms } = this.#page;
    return this.map.unproject(point((x / WHOLE) * w, (y / WHOLE) * h), zooms - 1);
  }

  /** May lie outside the page. */
  pointAt(latLng: ReturnType<LeafletMap['unproject']>): Point {
    const { w, h, zooms } = this.#page;
    const pixel = this.map.project(latLng, zooms - 1);
    return { x: (pixel.x / w) * WHOLE, y: (pixel.y / h) * WHOLE };
  }

  /**
   * A finger that stays: `felt` while it is still down, `held` when it is lifted (what opens then must not
   * be tapped by the same finger). The other mouse button is as good.
   */
  onHold(felt: (at: Point) => void, held: (at: Point) => void): void {
    const element = this.map.getContainer();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from: PointerEvent | null = null;
    let at: Point | null = null;
    const stop = (): void => {
      clearTimeout(timer);
      from = null;
    };
    const place = (event: MouseEvent): Point | null => {
      const found = this.pointAt(this.map.mouseEventToLatLng(event));
      return isOn(found) ? found : null;
    };
    const lift = (): void => {
      stop();
      const chosen = at;
      at = null;
      if (chosen) afterClick(element, () => held(chosen));
    };
    element.addEventListener('pointerdown', (event) => {
      const isSecond = from !== null;
      stop();
      at = null;
      const isPin = event.target instanceof Element && event.target.closest('.leaflet-marker-icon') !== null;
      if (event.pointerType === 'mouse' || isSecond || isPin) return;
      from = event;
      timer = setTimeout(() => {
        at = place(event);
        if (!at) return;
        navigator.vibrate?.(20);
        felt(at);
      }, HOLD_MS);
    });
    element.addEventListener('pointermove', (event) => {
      if (from && Math.hypot(event.x - from.x, event.y - from.y) > HOLD_MOVES_PX_MAX) clearTimeout(timer);
    });
    element.addEventListener('pointerup', lift);
    element.addEventListener('pointercancel', lift);
    element.addEventListener('contextmenu', (event) => {
      event.preventDefault();
      // A phone sends this for a held finger too, beside our own timer.
      if (from !== null || at !== null) return;
      const found = place(event);
      if (found) held(found);
    });
  }

  remove(): void {
    this.map.remove();
  }
}

/** Once the click of a lifted finger is over, or was none. */
function afterClick(element: HTMLElement, then: () => void): void {
  const done = (): void => {
    clearTimeout(timer);
    element.removeEventListener('click', done, true);
    setTimeout(then);
  };
  const timer = setTimeout(done, CLICK_MS_MAX);
  element.addEventListener('click', done, true);
}

export const isOn = ({ x, y }: Point): boolean => x >= 0 && y >= 0 && x <= WHOLE && y <= WHOLE;

class PageLayer extends GridLayer {
  readonly #page: PageOfPlan;
  readonly #load: LoadTile;
  readonly #finer: number;

  constructor(page: PageOfPlan, load: LoadTile, bounds: LatLngBounds) {
    // On a screen of two or three dots a pixel the next finer level is shown at half its size.
    const finer = devicePixelRatio > 1.25 && page.zooms > 1 ? 1 : 0;
    super({
      tileSize: TILE >> finer,
      minNativeZoom: -finer,
      maxNativeZoom: page.zooms - 1 - finer,
      minZoom: -9,
      maxZoom: 99,
      bounds,
      noWrap: true,
      updateWhenIdle: false,
      keepBuffer: 1,
    });
    this.#page = page;
    this.#load = load;
    this.#finer = finer;
    this.on('tileunload', forget);
  }

  /** Some tiles are not there, or only coarser ones in their place. */
  hasGaps = false;

  override createTile({ x, y, z }: Coords, done: DoneCallback): HTMLElement {
    // Tiles at the edge are smaller than the square that Leaflet makes for each.
    const square = document.createElement('div');
    square.style.overflow = 'hidden';
    const picture = document.createElement('img');
    picture.alt = '';
    picture.decoding = 'async';
    picture.style.position = 'absolute';
    square.append(picture);
    this.#nearest(z + this.#finer, x, y).then(
      ({ blob, up }) => {
        this.hasGaps ||= up > 0;
        this.#lay(picture, z + this.#finer, x, y, up);
        picture.src = URL.createObjectURL(blob);
        picture.onload = () => done(undefined, square);
        picture.onerror = () => done(new Error('not a picture'), square);
      },
      (error: unknown) => {
        this.hasGaps = true;
        done(error instanceof Error ? error : new Error(String(error)), square);
      },
    );
    return square;
  }

  /** The tile, or where it is not on the phone and there is no network the next coarser one, `up` levels above. */
  async #nearest(z: number, x: number, y: number, up = 0): Promise<{ blob: Blob; up: number }> {
    try {
      return { blob: await this.#load(z - up, x >> up, y >> up), up };
    } catch (error) {
      if (up >= z) throw error;
      return this.#nearest(z, x, y, up + 1);
    }
  }

  /** So that the part of a coarser tile that is this one fills the square. */
  #lay({ style }: HTMLElement, z: number, x: number, y: number, up: number): void {
    const level = levelOf(this.#page, z - up);
    const times = 2 ** up;
    const share = (length: number, column: number): number =>
      Math.min(1, length / TILE - (column >> up)) * times * 100;
    style.inlineSize = `${share(level.w, x)}%`;
    style.blockSize = `${share(level.h, y)}%`;
    style.insetInlineStart = `${-(x % times) * 100}%`;
    style.insetBlockStart = `${-(y % times) * 100}%`;
  }
}

function forget(event: LeafletEvent): void {
  const { tile } = event as LeafletEvent & { tile: HTMLElement };
  const picture = tile.querySelector('img');
  if (picture?.src.startsWith('blob:')) URL.revokeObjectURL(picture.src);
}
