// The modules' declarations as one asset, `/assets/declared-<hash of its bytes>.json`: a phone fetches it
// beside the script and not inside it. `virtual:declared` is its address; the page asks for it ahead.
// The name carries the hash, and the page names both, so a script never meets another build's declarations.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';

const ID = 'virtual:declared';

export function declared(): Plugin {
  let folder = '';
  return {
    name: 'gongbu-declared',
    configResolved(config) {
      folder = resolve(config.root, '../shared/modules');
    },
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      for (const file of filesIn(folder)) this.addWatchFile(file);
      return `export default ${JSON.stringify(addressOf(textOf(folder)))};`;
    },
    generateBundle() {
      const source = textOf(folder);
      this.emitFile({ type: 'asset', fileName: addressOf(source).slice(1), source });
    },
    transformIndexHtml: () => [
      {
        tag: 'link',
        attrs: { rel: 'preload', as: 'fetch', crossorigin: true, href: addressOf(textOf(folder)) },
        injectTo: 'head',
      },
    ],
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (!/^\/assets\/declared-\w+\.json$/.test(request.url ?? '')) return next();
        response.setHeader('Content-Type', 'application/json');
        response.end(textOf(folder));
      });
    },
  };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => join(folder, name));
}

/** All modules in one array, without the spaces that people read by. */
function textOf(folder: string): string {
  return JSON.stringify(filesIn(folder).map((file) => JSON.parse(readFileSync(file, 'utf8')) as unknown));
}

function addressOf(text: string): string {
  return `/assets/declared-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`;
}
