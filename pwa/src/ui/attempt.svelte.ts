// What a screen does on request, one thing at a time: which it is at, and what went wrong, in words, until the next.

import { type Said, troubleWords } from './words.ts';

/** Call it while a component is being made. */
export function attempts() {
  let at = $state<string | null>(null);
  let trouble = $state.raw<Said | null>(null);
  return {
    get busy(): boolean {
      return at !== null;
    },
    /** The name of what it is at. */
    get at(): string | null {
      return at;
    },
    get trouble(): Said | null {
      return trouble;
    },
    forget(): void {
      trouble = null;
    },
    async run(work: () => Promise<void>, name = ''): Promise<void> {
      at = name;
      trouble = null;
      try {
        await work();
      } catch (problem) {
        trouble = troubleWords(problem);
      } finally {
        at = null;
      }
    },
  };
}
