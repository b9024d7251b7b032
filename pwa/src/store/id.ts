// A record's id: UUIDv7, made on the phone, so a record can be named before the server knows it.

export type Random = (bytes: Uint8Array<ArrayBuffer>) => void;

export function newId(now: number, random: Random): string {
  const bytes = new Uint8Array(16);
  random(bytes);
  for (let i = 5, rest = now; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
