/// <reference lib="webworker" />
// The darkroom: makes of what the camera gave the picture that is kept and a small one, one at a time, away
// from the page. Upright (the file's orientation is used up), never larger than asked, JPEG in any browser,
// and the hashes of what came in and of what is kept.

import type { Asked, Developed, Told, Unreadable } from './developed.ts';

declare const self: DedicatedWorkerGlobalScope;

const THUMB_SIDE = 320;
const QUALITY = 0.82;
const THUMB_QUALITY = 0.7;
/** A phone of 2 GB can hold so many, once. */
const PIXELS_MAX = 110e6;

let before: Promise<void> = Promise.resolve();

self.addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  before = before.then(() => answer(data));
});

async function answer({ id, source, side }: Asked): Promise<void> {
  try {
    const developed = await develop(source, side);
    self.postMessage({ id, developed } satisfies Told, [developed.big, developed.thumb]);
  } catch (error) {
    self.postMessage({ id, why: whyNot(error) } satisfies Told);
  } finally {
    if (!(source instanceof Blob)) source.close();
  }
}

async function develop(source: Blob | ImageBitmap, side: number): Promise<Developed> {
  if (!(source instanceof Blob)) return printed(source, side);
  const bytes = await source.arrayBuffer();
  mustBeReadable(new DataView(bytes));
  const original = await sha256(bytes);
  const picture = await createImageBitmap(new Blob([bytes]), { imageOrientation: 'from-image' });
  try {
    return { ...(await printed(picture, side)), original };
  } finally {
    picture.close();
  }
}

async function printed(picture: ImageBitmap, side: number): Promise<Developed> {
  const canvas = drawn(picture, side);
  const [big, thumb] = await Promise.all([
    jpeg(canvas, QUALITY),
    jpeg(drawn(canvas, THUMB_SIDE), THUMB_QUALITY),
  ]);
  const [sha, thumbSha] = await Promise.all([sha256(big), sha256(thumb)]);
  const { width: w, height: h } = canvas;
  canvas.width = canvas.height = 0;
  return { big, thumb, sha, thumbSha, w, h };
}

function drawn(picture: ImageBitmap | OffscreenCanvas, side: number): OffscreenCanvas {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const w = Math.max(1, Math.round(picture.width * scale));
  const h = Math.max(1, Math.round(picture.height * scale));
  const canvas = new OffscreenCanvas(w, h);
  const pen = canvas.getContext('2d', { alpha: false });
  if (!pen) throw new Trouble('no_memory');
  pen.imageSmoothingQuality = 'high';
  // Where a picture is transparent JPEG would be black.
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, w, h);
  pen.drawImage(picture, 0, 0, w, h);
  return canvas;
}

async function jpeg(canvas: OffscreenCanvas, quality: number): Promise<ArrayBuffer> {
  return (await canvas.convertToBlob({ type: 'image/jpeg', quality })).arrayBuffer();
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

class Trouble extends Error {
  readonly why: Unreadable;
  constructor(why: Unreadable) {
    super(why);
    this.why = why;
  }
}

function whyNot(error: unknown): Unreadable {
  if (error instanceof Trouble) return error.why;
  if (error instanceof RangeError) return 'no_memory';
  return 'damaged';
}

/** Before the decoder gets it: a small file can claim to be a square kilometre of pixels. */
function mustBeReadable(bytes: DataView): void {
  if (bytes.byteLength < 12) throw new Trouble('not_a_photo');
  const brand = text(bytes, 8, 4);
  if (text(bytes, 4, 4) === 'ftyp' && /^(hei[cfsmx]|hev[cx]|mif1|msf1)$/.test(brand) && !readsHeic())
    throw new Trouble('heic');
  const pixels = pixelsOf(bytes);
  if (pixels === null && text(bytes, 4, 4) !== 'ftyp' && text(bytes, 8, 4) !== 'WEBP')
    throw new Trouble('not_a_photo');
  if (pixels !== null && pixels > PIXELS_MAX) throw new Trouble('too_many_pixels');
}

/** Safari does, the others do not. */
function readsHeic(): boolean {
  return /AppleWebKit/.test(navigator.userAgent) && !/Chrome|Chromium/.test(navigator.userAgent);
}

/** Of a JPEG or a PNG; null for what is neither. */
function pixelsOf(bytes: DataView): number | null {
  if (bytes.getUint32(0) === 0x89504e47) {
    return bytes.byteLength < 24 ? 0 : bytes.getUint32(16) * bytes.getUint32(20);
  }
  if (bytes.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 < bytes.byteLength; ) {
    const mark = bytes.getUint16(at);
    const isFrame = mark >= 0xffc0 && mark <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(mark);
    if (isFrame) return bytes.getUint16(at + 5) * bytes.getUint16(at + 7);
    if (mark < 0xff01 || mark === 0xffda) break;
    at += mark === 0xffff ? 1 : 2 + bytes.getUint16(at + 2);
  }
  return 0;
}

function text(bytes: DataView, at: number, length: number): string {
  let all = '';
  for (let i = 0; i < length; i++) all += String.fromCharCode(bytes.getUint8(at + i));
  return all;
}
