// The only importer of the WebAssembly core. Where it cannot load, the server prices instead: same face, slower.
import { shallowRef } from 'vue';
import type { Send } from '@api/transport';
import type { Money, Outcome, PhoneCheck, Quote } from '@topup/core';
import { makeLoader } from '@loader/index';
// #ifdef H5
import { instantiateInBrowser } from '@loader/browser';
// #endif
import glue from './generated/topup.js';
import { wasmName } from './generated/wasm_name';
import { makeServerCore } from './server_core';
import type { ShopBook } from './shop_book';

export interface Core {
  source: 'wasm' | 'server';
  loadPriceBook(bytes: Uint8Array): Outcome<ShopBook>;
  checkPhone(typed: string): PhoneCheck;
  quote(productId: string, accountNumber: string): Promise<Outcome<Quote>>;
  decimalText(amount: Money): string;
  maskPhone(number: string): string;
}

/** Empty until startCore() has settled; reactive, so what is drawn early is drawn again. */
export const core = shallowRef<Core | null>(null);

async function startWasm(): Promise<Core> {
  // #ifdef H5
  const load = makeLoader(glue, instantiateInBrowser);
  const topup = await load({ url: `/static/wasm/${wasmName}` });
  return {
    source: 'wasm',
    loadPriceBook: (bytes) => topup.loadPriceBook(bytes),
    checkPhone: (typed) => topup.checkPhone(typed),
    quote: (productId, accountNumber) => Promise.resolve(topup.quote(productId, accountNumber)),
    decimalText: (amount) => topup.decimalText(amount),
    maskPhone: (number) => topup.maskPhone(number),
  };
  // #endif
  // #ifndef H5
  throw new Error('This platform asks the server for prices.');
  // #endif
}

let starting: Promise<Core> | null = null;

/** Settles once, always with a core that works. */
export function startCore(send: Send): Promise<Core> {
  starting ??= startWasm()
    .catch(() => makeServerCore(send))
    .then((ready) => (core.value = ready));
  return starting;
}
