// Words and icons in two parts: `first`, those of the screens that come with the app itself, and `rest`.
// A new phone waits for the first part only. Which is which is read from the sources, so that nobody has
// to keep a list: what is named in a file that `app.ts` imports at once is of the first part.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Plugin } from 'vite';

const ID = /^virtual:(first|rest)\/(zh-CN|en|icons)$/;
const IMPORT = /^\s*(?:import|export)\s+(?!type\b)(?:[^'"]*?\bfrom\s*)?['"](\.[^'"]+\.(?:ts|svelte))['"]/gm;
const EAGER = /import\.meta\.glob(?:<[^>]*>)?\(\s*'(\.\/[^']+\.ts)',\s*\{\s*eager: true/g;
// An icon is named by `icon="x"`, `icon: 'x'` or one side of a choice; other words may look like its name.
const ICON = /(?:icon|name)=["']([a-z]+)["']|[?:]\s*["']([a-z]+)["']/g;
// Words of the pages that the server makes: no phone needs them.
const SERVER = /^page\./;
const NAMED = /['"`]([a-z_]+(?:\.[a-z0-9_]+)*)['"`]/g;

export function first(): Plugin {
  let root = '';
  return {
    name: 'gongbu-first',
    configResolved(config) {
      root = config.root;
    },
    resolveId: (id) => (ID.test(id) ? `\0${id}` : undefined),
    load(id) {
      const [, part, what] = ID.exec(id.replace('\0', '')) ?? [];
      if (!what) return undefined;
      const file = resolve(
        root,
        what === 'icons' ? 'src/ui/icons/icons.json' : `../shared/locales/${what}.json`,
      );
      this.addWatchFile(file);
      const named = namesIn(join(root, 'src/app.ts'), what === 'icons' ? ICON : NAMED);
      const all = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>);
      const wanted = all.filter(([name]) => !SERVER.test(name) && named.has(name) === (part === 'first'));
      return `export default ${JSON.stringify(Object.fromEntries(wanted))};`;
    },
  };
}

function namesIn(entry: string, pattern: RegExp): Set<string> {
  const sources = [...reached(entry, new Map()).values()];
  return new Set(
    sources.flatMap((text) => [...text.matchAll(pattern)].map(([, name, other]) => name ?? other ?? '')),
  );
}

/** Every file that is loaded at once with this one → its text. */
function reached(file: string, seen: Map<string, string>): Map<string, string> {
  if (seen.has(file)) return seen;
  const text = readFileSync(file, 'utf8');
  seen.set(file, text);
  const folder = dirname(file);
  const named = [...text.matchAll(IMPORT)].map(([, path]) => resolve(folder, path ?? ''));
  const globbed = [...text.matchAll(EAGER)].flatMap(([, pattern]) => matching(folder, pattern ?? ''));
  for (const next of [...named, ...globbed]) reached(next, seen);
  return seen;
}

/** A pattern with one star that stands for a folder: `./modules/<any>/index.ts`. */
function matching(folder: string, pattern: string): string[] {
  const [above = '', below = ''] = pattern.split('*');
  return readdirSync(join(folder, above))
    .map((name) => join(folder, above, name + below))
    .filter(existsSync);
}
