// The words of the app: complete in both languages, none missing, none left over.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const zh = JSON.parse(read('shared/locales/zh-CN.json')) as Record<string, string>;
const en = JSON.parse(read('shared/locales/en.json')) as Record<string, string>;
const keys = Object.keys(zh);

function sources(folder: string, wanted: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => wanted.test(name) && !/node_modules|\.generated\./.test(name))
    .map((name) => read(join(folder, name)));
}
const app = sources('pwa/src', /\.(ts|svelte)$/).join('\n');
const server = sources('server', /\.(py|html)$/).join('\n');

const params = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();
const unique = (names: string[]): string[] => [...new Set(names)];

describe('the words', () => {
  test('both languages have the same keys, in order', () => {
    expect(Object.keys(en)).toEqual(keys);
    expect(keys).toEqual([...keys].sort());
  });

  test('no text is empty, and Chinese texts are Chinese', () => {
    for (const key of keys) {
      expect(zh[key]?.trim(), key).not.toBe('');
      expect(en[key]?.trim(), key).not.toBe('');
      expect(/[一-鿿]/.test(en[key] ?? ''), `${key} in English: ${en[key]}`).toBe(false);
    }
  });

  test('both languages fill in the same names', () => {
    for (const key of keys) {
      expect(unique(params(en[key] ?? '')), key).toEqual(unique(params(zh[key] ?? '')));
    }
  });

  test('every key that the app asks for is there', () => {
    const asked = [...app.matchAll(/\bt\(\s*'([a-z_]+(?:\.[a-z0-9_]+)+)'/g)].map(([, key]) => key ?? '');
    expect(asked.length).toBeGreaterThan(100);
    expect(unique(asked.filter((key) => !Object.hasOwn(zh, key)))).toEqual([]);
  });

  test('what Today says is named key by key, so that it comes with the first words', () => {
    const cards = sources('pwa/src/modules', /\/TodayCard\.svelte$/).concat(
      sources('pwa/src/ui', /^screens\/Today\.svelte$|^components\/Strip\.svelte$/),
    );
    expect(cards.length).toBe(3);
    expect(cards.flatMap((text) => [...text.matchAll(/\bt\(`[^`]*`/g)].map(([built]) => built))).toEqual([]);
  });

  test('no key is left over that nobody asks for', () => {
    const text = `${app}\n${server}`;
    const prefixes = unique(
      [...text.matchAll(/[`"']([a-z_]+\.(?:[a-z0-9_.]*))(?:\$\{|\{|["'] \+)/g)].map(([, p]) => p ?? ''),
    );
    const isUsed = (key: string): boolean =>
      [`'${key}'`, `"${key}"`, `\`${key}\``].some((word) => text.includes(word)) ||
      prefixes.some((prefix) => prefix.length > 2 && key.startsWith(prefix));
    expect(keys.filter((key) => !isUsed(key))).toEqual([]);
  });

  test('every problem says what to do', () => {
    const problems = keys.filter((key) => /^problem\.[a-z_]+$/.test(key));
    expect(problems.length).toBeGreaterThan(20);
    for (const key of problems) expect(keys).toContain(`${key}.do`);
  });

  test("every code of the server's catalogue has words", () => {
    const catalogue = read('server/core/problem.py');
    const codes = [...catalogue.matchAll(/^ {4}"([a-z_]+)": Sort\(/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(15);
    for (const code of codes) expect(keys).toContain(`problem.${code}`);
  });

  test('every reason that either side can give has words', () => {
    const core = sources('server/core', /\.py$/).join('\n');
    const given = [...core.matchAll(/BadValue\("([a-z_]+)"\)|reason="([a-z_]+)"/g)].map(([, a, b]) => a ?? b);
    for (const reason of unique(given.map(String))) expect(keys).toContain(`reason.${reason}`);
  });
});
