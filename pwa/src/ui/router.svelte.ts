// Which screen: a path such as `/k/:kind/new` and what loads it. Screens come when they are opened;
// the service worker keeps them all, so that works offline.

import type { Component } from 'svelte';

export type Params<P extends string = string> = P extends `${string}:${infer Name}/${infer Rest}`
  ? Record<Name, string> & Params<Rest>
  : P extends `${string}:${infer Name}`
    ? Record<Name, string>
    : Record<never, string>;

export interface Route<Props extends Record<string, unknown>> {
  readonly path: string;
  readonly load: () => Promise<{ default: Component<Props> }>;
}

export interface Found<R> {
  readonly route: R;
  readonly params: Readonly<Record<string, string>>;
}

let at: URL = $state.raw(new URL(location.href));

export const here = (): URL => at;

export function go(path: string, how: { replace?: boolean } = {}): void {
  const next = new URL(path, location.href);
  if (next.href === at.href) return;
  if (how.replace) history.replaceState({ inside: history.state?.inside ?? false }, '', next);
  else history.pushState({ inside: true }, '', next);
  at = next;
}

/** Back where one came from; to `otherwise` when the app was opened right here. */
export function back(otherwise = '/'): void {
  if (history.state?.inside) history.back();
  else go(otherwise, { replace: true });
}

/** `href('/k/:kind/new', { kind })` */
export function href<P extends string>(path: P, params: Params<P>): string {
  const given: Readonly<Record<string, string>> = params;
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(given[name] ?? ''));
}

/** The first route that fits, with what stands in its places. */
export function find<R extends { readonly path: string }>(
  routes: readonly R[],
  pathname: string,
): Found<R> | undefined {
  const parts = split(pathname);
  for (const route of routes) {
    const params = paramsOf(split(route.path), parts);
    if (params) return { route, params };
  }
  return undefined;
}

function paramsOf(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, piece] of pattern.entries()) {
    const part = parts[i] ?? '';
    if (piece.startsWith(':')) params[piece.slice(1)] = decoded(part);
    else if (piece !== part) return undefined;
  }
  return params;
}

/** A path that somebody typed may hold a stray `%`. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const split = (path: string): string[] => path.split('/').filter(Boolean);

/** Links inside the app change the screen without loading a page. */
export function followLinks(isApp: (pathname: string) => boolean): void {
  window.addEventListener('popstate', () => {
    at = new URL(location.href);
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (
      !link ||
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey
    )
      return;
    if (
      link.target ||
      link.hasAttribute('download') ||
      link.origin !== location.origin ||
      !isApp(link.pathname)
    )
      return;
    event.preventDefault();
    go(link.href);
  });
}
