// The first page stands: its parts are drawn and can be tapped. What it does without is loaded after that, so that a
// slow phone is not busy with it meanwhile.

import { idle } from '../store/idle.ts';

/** Something on it may break: the rest comes all the same. */
const STANDS_MS_MAX = 2_000;
/** Who waited for the page taps now: that tap comes first. */
const TAP_MS = 600;

let stand: () => void = () => undefined;
const stands = new Promise<void>((resolve) => {
  stand = resolve;
});
const rests = stands.then(() => new Promise((resolve) => setTimeout(resolve, TAP_MS))).then(idle);

/** Said by the first page; again is nothing new. */
export const firstStands = (): void => stand();

export async function afterFirst<T>(load: () => Promise<T>): Promise<T> {
  setTimeout(stand, STANDS_MS_MAX);
  await rests;
  return load();
}
