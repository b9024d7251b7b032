// Values as both languages know them (V1–V3): no floats, NFC text, canonical bytes.

export type Value = null | boolean | number | string | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [key: string]: Value;
}
