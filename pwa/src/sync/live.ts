// Live: one open connection on which the server says that there is something new (P7). A poke carries no
// content; a lost one only costs time. It is open only while somebody looks.

export interface Live {
  readonly isOpen: boolean;
  start(): void;
  stop(): void;
}

const REOPEN_MS = 5_000;
const REOPEN_MS_MAX = 120_000;

export type OpenEvents = (path: string) => EventSource;

export function createLive(
  open: OpenEvents | null,
  device: string,
  poked: (project: string, head: number) => void,
  reopened: () => void,
): Live {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = REOPEN_MS;
  let isOpen = false;

  function start(): void {
    if (source || !open) return;
    clearTimeout(timer);
    source = open(`/api/live?${new URLSearchParams({ device })}`);
    source.addEventListener('open', () => {
      isOpen = true;
      wait = REOPEN_MS;
      // Pokes may have been lost while it was closed.
      reopened();
    });
    source.addEventListener('poke', (event) => {
      const { project, head } = JSON.parse((event as MessageEvent<string>).data) as {
        project: string;
        head: number;
      };
      poked(project, head);
    });
    source.addEventListener('error', () => {
      isOpen = false;
      // The browser tries again by itself unless the server said no.
      if (source?.readyState !== 2) return;
      stop();
      timer = setTimeout(start, wait);
      wait = Math.min(wait * 2, REOPEN_MS_MAX);
    });
  }

  function stop(): void {
    clearTimeout(timer);
    source?.close();
    source = null;
    isOpen = false;
  }

  return {
    get isOpen() {
      return isOpen;
    },
    start,
    stop,
  };
}
