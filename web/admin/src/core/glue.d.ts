// The faces of what is not written here: Emscripten's glue, and the loader, whose own project checks it.
declare module '*/generated/topup.js' {
  const glue: unknown;
  export default glue;
}
declare module '@loader/browser' {
  export const instantiateInBrowser: unknown;
}
declare module '@loader/index' {
  import type { Topup } from '@topup/core';

  export function makeLoader(glue: unknown, instantiate: unknown): (source: { url: string }) => Promise<Topup>;
}
