// Our own SHA-256 against the platform's.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../../../pwa/src/core/sha256.ts';

const platform = (text: string): string => createHash('sha256').update(text).digest('hex');

test('every length around the ends of blocks hashes as the platform says', () => {
  for (let length = 0; length <= 200; length++) {
    const text = 'x'.repeat(length);
    expect(sha256(text), `${length}`).toBe(platform(text));
  }
});

test('any text hashes as the platform says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      expect(sha256(text)).toBe(platform(text));
    }),
  );
});
