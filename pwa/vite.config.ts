// How the phone app is built: Svelte, hashed assets, and the service worker last,
// because it carries the list of everything it must keep for offline use.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { declared } from './build-declared.ts';
import { first } from './build-first.ts';
import { serviceWorker } from './build-worker.ts';
import about from './package.json' with { type: 'json' };

// Parts of Svelte's runtime that only screens loaded later use; without this they come with the first.
const LATER = /svelte\/src\/internal\/client\/dom\/(elements\/bindings\/(select|input)|blocks\/await)/;

export default defineConfig({
  base: '/',
  plugins: [
    first(),
    declared(),
    svelte({ configFile: false, compilerOptions: { runes: true } }),
    serviceWorker(),
  ],
  server: { fs: { allow: ['..'] }, proxy: { '/api': process.env.GONGBU ?? 'http://127.0.0.1:8000' } },
  define: { __VERSION__: JSON.stringify(about.version) },
  build: {
    target: ['chrome109', 'firefox115', 'safari16.4'],
    manifest: true,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: {
      polyfill: false,
      // A later screen's scripts need no list of their own: the worker has them all.
      resolveDependencies: (_file, needed, { hostType }) =>
        hostType === 'html' ? needed : needed.filter((file) => file.endsWith('.css')),
    },
    rolldownOptions: {
      output: {
        // The worker carries a list of them all: short names keep it small.
        chunkFileNames: ({ name }) =>
          name.includes('zxing') ? 'assets/[name]-[hash].js' : 'assets/[hash:8].js',
        assetFileNames: (asset) =>
          asset.names.every((name) => name.endsWith('.css'))
            ? 'assets/[hash:8][extname]'
            : 'assets/[name]-[hash][extname]',
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            { name: 'later', test: LATER, priority: 1 },
            // One file instead of a dozen: each costs a phone a way through its worker.
            { name: 'first', tags: ['$initial'] },
          ],
        },
      },
    },
  },
  test: {
    include: ['../tests/pwa/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
    // Its build for browsers, which takes what a browser has, is the one that the phone uses.
    alias: {
      'tus-js-client': fileURLToPath(
        new URL('./node_modules/tus-js-client/lib.esm/browser/index.js', import.meta.url),
      ),
    },
    server: { deps: { inline: ['tus-js-client'] } },
  },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
});
