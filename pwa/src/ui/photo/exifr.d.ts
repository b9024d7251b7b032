// The library's smallest build has no types of its own.
declare module 'exifr/dist/mini.esm.mjs' {
  export { parse } from 'exifr';
}
