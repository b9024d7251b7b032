/// <reference types="svelte" />
/// <reference types="vite/client" />

declare const __VERSION__: string;

declare module 'virtual:words/*' {
  const words: Readonly<Record<string, string>>;
  export default words;
}
