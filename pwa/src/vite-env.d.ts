/// <reference types="svelte" />
/// <reference types="vite/client" />

declare const __VERSION__: string;

declare module 'virtual:declared' {
  const address: string;
  export default address;
}

declare module 'virtual:first/*' {
  const named: Readonly<Record<string, string>>;
  export default named;
}

declare module 'virtual:rest/*' {
  const named: Readonly<Record<string, string>>;
  export default named;
}
