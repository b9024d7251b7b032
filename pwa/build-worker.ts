// Builds the service worker after the app, with two things told to it: the build id
// (a hash over every file of the app) and the list of files to keep for offline use.
// The same id stands in index.html, so the worker can see that both belong together.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';

const BUILD_MARK = '__GONGBU_BUILD__';
// Kept by the browser or by the server, not needed to run the app offline.
const NOT_KEPT = /(^index\.html|^build\.json|\.map|^\..*)$/;

// Half a megabyte that only browsers without their own QR reader need.
const LATER = /\.wasm$/;
const PACKED = /\.(js|css|svg|wasm|json)$/;

export function serviceWorker(): Plugin {
  let root = '';
  let dist = '';
  let id = 'dev';
  return {
    name: 'gongbu-service-worker',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      root = config.root;
      dist = resolve(root, config.build.outDir);
    },
    generateBundle(_options, bundle) {
      id = buildId(Object.keys(bundle), JSON.stringify(bundle['index.html']));
      const shell = bundle['index.html'];
      if (shell?.type === 'asset') shell.source = String(shell.source).replaceAll(BUILD_MARK, id);
    },
    async closeBundle(error) {
      if (error) return; // the build has said what is wrong
      const files = filesIn(dist).filter((file) => !NOT_KEPT.test(file) && file !== 'sw.js');
      const paths = files.map((file) => `/${file}`);
      const later = paths.filter((path) => LATER.test(path));
      await buildWorker(root, dist, { id, later, files: paths.filter((path) => !later.includes(path)) });
      writeFileSync(join(dist, 'build.json'), JSON.stringify({ build: id, files }));
      for (const file of files) if (PACKED.test(file)) pack(join(dist, file));
    },
  };
}

/** The server sends these in place of the plain file to whoever takes them. */
function pack(file: string): void {
  const bytes = readFileSync(file);
  writeFileSync(`${file}.br`, brotliCompressSync(bytes));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}

function buildId(names: string[], shell: string): string {
  const hash = createHash('sha256');
  for (const name of names.toSorted()) hash.update(`${name}\n`);
  return hash.update(shell).digest('hex').slice(0, 12);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .toSorted();
}

async function buildWorker(
  root: string,
  dist: string,
  about: { id: string; files: string[]; later: string[] },
): Promise<void> {
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    define: {
      __BUILD__: JSON.stringify(about.id),
      __FILES__: JSON.stringify(about.files),
      __LATER__: JSON.stringify(about.later),
    },
    build: {
      outDir: dist,
      emptyOutDir: false,
      lib: { entry: join(root, 'src/sw.ts'), formats: ['iife'], name: 'worker', fileName: () => 'sw.js' },
    },
  });
}
