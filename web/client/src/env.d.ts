declare module '*.vue' {
  import type { DefineComponent } from 'vue';
  const component: DefineComponent<object, object, unknown>;
  export default component;
}

/** Of package.json. */
declare const __TOPUP_VERSION__: string;

// Written by scripts/copy_core.mjs; declared here so that the types hold before the core has been built.
declare module '*/generated/topup.js' {
  import type { Glue } from '@loader/index';
  const glue: Glue;
  export default glue;
}
declare module '*/generated/wasm_name' {
  export const wasmName: string;
}
