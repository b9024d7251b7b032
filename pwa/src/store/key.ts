// The phone's signing key (P4): ECDSA P-256, made here, never extractable. What it signs is the exact
// text that is sent.

import type { ValueMap } from '../core/value.ts';

export interface PhoneKey {
  readonly sign: CryptoKey;
  /** Public JWK. */
  readonly jwk: ValueMap;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };

export async function makeKey(): Promise<PhoneKey> {
  const pair = (await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify'])) as CryptoKeyPair;
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return { sign: pair.privateKey, jwk: { kty: kty ?? 'EC', crv: crv ?? 'P-256', x: x ?? '', y: y ?? '' } };
}

/** Raw r‖s, base64url. */
export async function signText(key: CryptoKey, text: string): Promise<string> {
  const signature = await crypto.subtle.sign(SIGNING, key, new TextEncoder().encode(text));
  return base64url(new Uint8Array(signature));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
