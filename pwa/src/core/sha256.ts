// SHA-256 (FIPS 180-4), synchronous: WebCrypto only answers later, and what a person is about to
// approve must be named in the same breath. For texts of a few kilobytes, not for photos.

/** First 32 bits of the fractional parts of the roots of the first primes, as the standard has them. */
const [START, ROUND] = constants();

/** Lower-case hex of the hash of a text's UTF-8 bytes. */
export function sha256(text: string): string {
  const blocks = padded(new TextEncoder().encode(text));
  const hash = START.slice();
  const schedule = new Uint32Array(64);
  for (let at = 0; at < blocks.length; at += 16) {
    schedule.set(blocks.subarray(at, at + 16));
    for (let i = 16; i < 64; i++) {
      const [a, b] = [word(schedule, i - 15), word(schedule, i - 2)];
      const s0 = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3);
      const s1 = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
      schedule[i] = word(schedule, i - 16) + s0 + word(schedule, i - 7) + s1;
    }
    compress(hash, schedule);
  }
  return Array.from(hash, (part) => part.toString(16).padStart(8, '0')).join('');
}

function compress(hash: Uint32Array, schedule: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = hash as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let i = 0; i < 64; i++) {
    const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const one = (h + s1 + ((e & f) ^ (~e & g)) + word(ROUND, i) + word(schedule, i)) | 0;
    const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((part, i) => {
    hash[i] = word(hash, i) + part;
  });
}

/** The message, a one, zeros, its length in bits: whole blocks of sixteen big-endian words. */
function padded(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(((bytes.length + 8) >> 6) * 16 + 16);
  bytes.forEach((byte, i) => {
    words[i >> 2] = word(words, i >> 2) | (byte << (24 - (i % 4) * 8));
  });
  words[bytes.length >> 2] = word(words, bytes.length >> 2) | (0x80 << (24 - (bytes.length % 4) * 8));
  words[words.length - 1] = bytes.length * 8;
  return words;
}

function constants(): [Uint32Array, Uint32Array] {
  const start = new Uint32Array(8);
  const round = new Uint32Array(64);
  for (let n = 2, found = 0; found < 64; n++) {
    let isPrime = true;
    for (let by = 2; by * by <= n; by++) isPrime &&= n % by !== 0;
    if (!isPrime) continue;
    if (found < 8) start[found] = fraction(Math.sqrt(n));
    round[found++] = fraction(Math.cbrt(n));
  }
  return [start, round];
}

function fraction(root: number): number {
  return Math.floor((root % 1) * 2 ** 32);
}

function turn(value: number, by: number): number {
  return (value >>> by) | (value << (32 - by));
}

function word(words: Uint32Array, i: number): number {
  return words[i] as number;
}
