// When the page has nothing to draw and no thumb to answer: the time for what nobody waits for.

const IDLE_MS_MAX = 250;

export function idle(): Promise<void> {
  return new Promise((resolve) => {
    // Safari does not tell.
    if (typeof requestIdleCallback === 'undefined') setTimeout(resolve, 0);
    else requestIdleCallback(() => resolve(), { timeout: IDLE_MS_MAX });
  });
}
