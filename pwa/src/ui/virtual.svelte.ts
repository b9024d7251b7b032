// Long lists: only the rows near the window exist. A thin runes face on @tanstack/virtual-core;
// the page itself scrolls, so the list knows how far down the page it begins.

import {
  observeWindowOffset,
  observeWindowRect,
  type VirtualItem,
  Virtualizer,
  type VirtualizerOptions,
  windowScroll,
} from '@tanstack/virtual-core';
import { untrack } from 'svelte';

export interface VirtualRows {
  readonly items: readonly VirtualItem[];
  readonly total: number;
  readonly start: number;
  /** Scrolls no more than is needed to see it; with `top` always to the top of what is free. */
  toIndex(index: number, align?: 'auto' | 'top'): void;
  /** The row that stands this far below the top of the window. */
  indexAt(below: number): number;
  measure(node: Element): void;
}

interface Options {
  readonly count: () => number;
  readonly estimate: (index: number) => number;
  readonly key?: (index: number) => string | number;
  readonly list: () => HTMLElement | undefined;
  readonly overscan?: number;
  /** What stands over the list's window, above and below: bars that stay while the list scrolls. */
  readonly covered?: () => { readonly top: number; readonly bottom: number };
  /** The row that is in sight when the list is seen first; none below 0. */
  readonly first?: () => number;
}

/**
 * Call it while a component is being made. Rows are made once it is known where the list stands on the page, so
 * that none is made for a place that nobody sees.
 */
export function virtualRows(options: Options): VirtualRows {
  let version = $state(0);
  let isPlaced = false;
  let start = 0;

  const settings = (): VirtualizerOptions<Window, Element> => ({
    count: options.count(),
    estimateSize: options.estimate,
    ...(options.key ? { getItemKey: options.key } : {}),
    overscan: options.overscan ?? 8,
    scrollMargin: start,
    ...(options.list() && options.covered ? padded(options.covered()) : {}),
    getScrollElement: () => window,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    initialOffset: () => window.scrollY,
    onChange: () => {
      version += 1;
    },
  });

  const virtual = new Virtualizer<Window, Element>(settings());
  $effect(() => virtual._didMount());
  $effect(() => {
    options.list();
    options.count();
    untrack(settle);
  });
  // What stands above the list can grow or go: the list then begins elsewhere on the page.
  $effect(() => {
    const above = new ResizeObserver(() => {
      if (beginning() !== start) settle();
    });
    above.observe(document.body);
    return () => above.disconnect();
  });

  function beginning(): number {
    const list = options.list();
    return list ? list.getBoundingClientRect().top + window.scrollY : 0;
  }
  function settle(): void {
    const isThere = options.list() !== undefined;
    start = beginning();
    virtual.setOptions(settings());
    virtual._willUpdate();
    if (isThere && !isPlaced) place();
    version += 1;
  }
  function place(): void {
    isPlaced = true;
    const first = options.first?.() ?? -1;
    if (first < 0) return;
    virtual.scrollToIndex(first);
    // The browser tells of it in the next frame; the rows are made for it at once.
    virtual.scrollOffset = window.scrollY;
  }

  return {
    get items() {
      void version;
      return isPlaced ? virtual.getVirtualItems() : [];
    },
    get total() {
      void version;
      return virtual.getTotalSize();
    },
    get start() {
      void version;
      return start;
    },
    toIndex: (index, align = 'auto') => {
      virtual.setOptions(settings()); // the bars may have grown
      virtual.scrollToIndex(index, { align: align === 'top' ? 'start' : 'auto' });
    },
    indexAt: (below) => virtual.getVirtualItemForOffset(window.scrollY + below)?.index ?? 0,
    measure: (node) => virtual.measureElement(node),
  };
}

function padded({ top, bottom }: { readonly top: number; readonly bottom: number }): {
  readonly scrollPaddingStart: number;
  readonly scrollPaddingEnd: number;
} {
  return { scrollPaddingStart: top, scrollPaddingEnd: bottom };
}
