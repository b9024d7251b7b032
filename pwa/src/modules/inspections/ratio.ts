/** Exact fractions of whole numbers, always in lowest terms with a positive denominator. Pure. */

export interface Ratio {
  readonly top: bigint;
  readonly bottom: bigint;
}

export const ZERO: Ratio = { top: 0n, bottom: 1n };

export function ratio(top: number | bigint, bottom: number | bigint): Ratio {
  return lowest(BigInt(top), BigInt(bottom));
}

export const plus = (a: Ratio, b: Ratio): Ratio =>
  lowest(a.top * b.bottom + b.top * a.bottom, a.bottom * b.bottom);
export const times = (a: Ratio, b: Ratio): Ratio => lowest(a.top * b.top, a.bottom * b.bottom);

/** Above 0 if a is the greater. */
export function compare(a: Ratio, b: Ratio): number {
  const difference = a.top * b.bottom - b.top * a.bottom;
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

/** As so many of a whole, half up; for fractions that are not negative. */
export function rounded(part: Ratio, whole: number): number {
  return Number((part.top * 2n * BigInt(whole) + part.bottom) / (2n * part.bottom));
}

function lowest(top: bigint, bottom: bigint): Ratio {
  const shared = divisor(top, bottom);
  return { top: top / shared, bottom: bottom / shared };
}

function divisor(a: bigint, b: bigint): bigint {
  let [one, other] = [a, b];
  while (other !== 0n) [one, other] = [other, one % other];
  return one < 0n ? -one : one;
}
