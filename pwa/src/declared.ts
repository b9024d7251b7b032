// The declarations of this build: an asset beside the script, in the cache of the same build when offline.
// The page asks for it ahead, so it is mostly there before the script asks.

import address from 'virtual:declared';
import { type Declarations, readDeclarations } from './core/declaration.ts';

const AGAIN_MS = 2_000;

/** Does not give up: without them there is no app, and a first visit may lose its network half way. */
export async function fetchDeclarations(): Promise<Declarations> {
  for (;;) {
    const answer = await fetch(address).catch(() => null);
    if (answer?.ok) return readDeclarations((await answer.json()) as unknown[]);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
