// A2 `ver`: what an approval names. In a file of its own, because only approving needs the hash.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Kind } from './declaration.ts';
import { type MergeRecord, shown } from './merge.ts';
import { canonical } from './value.ts';

/** SHA-256 (lower-case hex) of the canonical bytes of the covered content as shown. */
export function version(record: MergeRecord, kind: Kind | undefined): string {
  // The keys of `f` are paths; their dots and letters are ASCII, so they sort as bytes do.
  const content = { c: record.c, f: shown(record, kind), r: record.r };
  return bytesToHex(sha256(new TextEncoder().encode(canonical(content))));
}
