// The WebAssembly core, fetched when a page first needs it: a draft of price rules is priced here as the shop would.
import { instantiateInBrowser } from '@loader/browser';
import { makeLoader } from '@loader/index';
import type { Topup } from '@topup/core';

import glue from './generated/topup.js';
import binary from './generated/topup.wasm?url';

let starting: Promise<Topup> | null = null;

export function pricingCore(): Promise<Topup> {
  starting ??= makeLoader(glue, instantiateInBrowser)({ url: binary }).catch((error: unknown) => {
    starting = null;
    throw error;
  });
  return starting;
}
