// Who wants to hear that something changed: watchers in this tab, and through a channel those of the
// other tabs of the same person. A notice carries no records; whoever hears it reads again.

import type { Topic } from './phone.ts';

export interface Notice {
  /** `saved`: there is a batch to send. */
  readonly topic: Topic | 'saved';
  /** What the exchange reports, for the other tabs' status. */
  readonly report?: unknown;
  /** Names, teams or zones may have changed. */
  readonly isCore?: boolean;
  /** Came from another tab. */
  readonly isOther?: true;
}

export interface Notices {
  watch(topic: Notice['topic'], fn: (notice: Notice) => void): () => void;
  tell(notice: Notice): void;
  /** In this tab only. */
  tellHere(notice: Notice): void;
  close(): void;
}

export function openNotices(name: string): Notices {
  const watchers = new Map<string, Set<(notice: Notice) => void>>();
  const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name);
  let isClosed = false;
  const tellHere = (notice: Notice): void => {
    for (const fn of [...(watchers.get(notice.topic) ?? [])]) fn(notice);
  };
  if (channel)
    channel.onmessage = (event: MessageEvent<Notice>) => tellHere({ ...event.data, isOther: true });
  return {
    watch(topic, fn) {
      const set = watchers.get(topic) ?? new Set();
      watchers.set(topic, set.add(fn));
      return () => set.delete(fn);
    },
    tell(notice) {
      tellHere(notice);
      if (!isClosed) channel?.postMessage(notice);
    },
    tellHere,
    close() {
      isClosed = true;
      watchers.clear();
      channel?.close();
    },
  };
}
