// The budgets of the first load, in bytes after gzip: what a new phone must fetch before Today stands.
// Script: the entry, everything it imports at once, and one language. Fails above the limit.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMITS_KB = { script: 60, style: 12, declared: 16, worker: 4, part: 60 };
// Large by nature, loaded only where a browser cannot read QR codes itself.
const LARGE = /zxing/;

const dist = new URL('./dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
const sum = (files) => [...files].reduce((total, file) => total + size(file), 0);

function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}

// Fetched beside the script: what the modules declare.
const isDeclared = (name) => /^declared-.*\.json$/.test(name);
const first = closure('index.html');
const language = Object.keys(manifest).find((key) => key.endsWith('virtual:first/zh-CN'));
for (const key of closure(language)) first.add(key);

const scripts = new Set([...first].map((key) => manifest[key].file));
const styles = new Set([...first].flatMap((key) => manifest[key].css ?? []));
const parts = Object.values(manifest).filter(
  (one) => one.isDynamicEntry && one.file.endsWith('.js') && !LARGE.test(one.file),
);
const largest = parts.toSorted((a, b) => size(b.file) - size(a.file))[0];

const found = {
  script: sum(scripts),
  style: sum(styles),
  declared: sum(
    readdirSync(new URL('assets/', dist))
      .filter(isDeclared)
      .map((name) => `assets/${name}`),
  ),
  worker: size('sw.js'),
  part: largest ? size(largest.file) : 0,
};
let failed = false;
for (const [name, bytes] of Object.entries(found)) {
  const limit = LIMITS_KB[name];
  const over = bytes > limit * 1024;
  failed ||= over;
  const which = name === 'part' ? ` (${largest?.file})` : '';
  console.log(
    `${over ? 'TOO LARGE' : 'ok'}  ${name.padEnd(8)} ${(bytes / 1024).toFixed(1)} of ${limit} KB${which}`,
  );
}
process.exitCode = failed ? 1 : 0;
