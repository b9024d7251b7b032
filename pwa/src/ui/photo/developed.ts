// What the page and the darkroom say to each other.

export interface Developed {
  readonly big: ArrayBuffer;
  readonly thumb: ArrayBuffer;
  /** SHA-256 of the big picture, of the small one, and of the file that came in (a frame is none). */
  readonly sha: string;
  readonly thumbSha: string;
  readonly original?: string;
  readonly w: number;
  readonly h: number;
}

/** Why a file cannot be taken. */
export type Unreadable = 'heic' | 'damaged' | 'not_a_photo' | 'too_many_pixels' | 'no_memory';

export interface Asked {
  readonly id: number;
  readonly source: Blob | ImageBitmap;
  /** Longest side that is kept, px. */
  readonly side: number;
}

export type Told =
  | { readonly id: number; readonly developed: Developed }
  | { readonly id: number; readonly why: Unreadable };
