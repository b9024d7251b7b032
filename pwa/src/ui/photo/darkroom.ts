// The page's door to the darkroom. It is opened for the first photo and closed when nobody has used it for
// a while: what it held is the phone's again.

import type { Asked, Developed, Told, Unreadable } from './developed.ts';

const CLOSE_AFTER_MS = 20_000;

export class UnreadablePhoto extends Error {
  readonly why: Unreadable;
  constructor(why: Unreadable) {
    super(why);
    this.why = why;
  }
}

interface Waiting {
  readonly resolve: (developed: Developed) => void;
  readonly reject: (error: UnreadablePhoto) => void;
}

let worker: Worker | null = null;
let closing: ReturnType<typeof setTimeout> | undefined;
let last = 0;
const waiting = new Map<number, Waiting>();

/** A frame is given away: it cannot be used afterwards. */
export function develop(source: Blob | ImageBitmap, side: number): Promise<Developed> {
  clearTimeout(closing);
  worker ??= open();
  const asked: Asked = { id: ++last, source, side };
  worker.postMessage(asked, source instanceof Blob ? [] : [source]);
  return new Promise((resolve, reject) => waiting.set(asked.id, { resolve, reject }));
}

/** The worker's code, ready before the first photo is taken. */
export function warm(): void {
  worker ??= open();
  closeLater();
}

function open(): Worker {
  const made = new Worker(new URL('./darkroom.worker.ts', import.meta.url), { type: 'module' });
  made.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    const { resolve, reject } = waiting.get(data.id) ?? {};
    waiting.delete(data.id);
    if ('developed' in data) resolve?.(data.developed);
    else reject?.(new UnreadablePhoto(data.why));
    if (waiting.size === 0) closeLater();
  });
  // Out of memory, or its code is not there: whoever waits is told, and the next photo begins anew.
  made.addEventListener('error', () => {
    for (const { reject } of waiting.values()) reject(new UnreadablePhoto('no_memory'));
    close();
  });
  return made;
}

function closeLater(): void {
  clearTimeout(closing);
  closing = setTimeout(close, CLOSE_AFTER_MS);
}

function close(): void {
  waiting.clear();
  worker?.terminate();
  worker = null;
}
