// The only importer of the WebAssembly core. Where it cannot load, the server prices instead: same face, slower.
import { shallowRef } from 'vue';
import type { Send } from '@api/transport';
import type { AmountCheck, CardCheck, CardComparison, CardIssuer, Money, Outcome, PhoneCheck, Quote, Topup } from '@topup/core';
import { makeLoader, type Instantiate } from '@loader/index';
// #ifdef H5
import { instantiateInBrowser } from '@loader/browser';
// #endif
// #ifdef MP-WEIXIN
import { instantiateInMiniProgram } from '@loader/mini_program';
// #endif
import glue from './generated/topup.js';
import { wasmName } from './generated/wasm_name';
import { draftCore } from './draft_core';
import { offerCore, quoteExtras, type OfferCore } from './offers';
import { makeServerCore } from './server_core';
import type { PriceWish, ShopBook, ShopProduct } from './shop_book';

export interface Core {
  source: 'wasm' | 'server';
  loadPriceBook(bytes: Uint8Array): Outcome<ShopBook>;
  /** What an operator has on sale now; [] without a book. */
  listProducts(operatorId: string): ShopProduct[];
  /** The verdict on what has been typed for a country; '' guesses the country. */
  checkPhone(typed: string, country: string): PhoneCheck;
  checkCard(typed: string, issuer: CardIssuer): CardCheck | null;
  sameCard(first: string, second: string): CardComparison | null;
  checkAmount(typed: string, currency: string, least: number, most: number): AmountCheck | null;
  /** At once where the core is on the device, so that a tap is answered by one drawing. */
  quote(wish: PriceWish): Outcome<Quote> | Promise<Outcome<Quote>>;
  decimalText(amount: Money): string;
  maskPhone(number: string): string;
  /** Coupons, levels and stations; null where the server prices. */
  offers: OfferCore | null;
}

/** Empty until startCore() has settled; reactive, so what is drawn early is drawn again. */
export const core = shallowRef<Core | null>(null);

function loadPriceBook(topup: Topup, bytes: Uint8Array): Outcome<ShopBook> {
  const head = topup.loadPriceBook(bytes);
  if (!head.ok) return head;
  const countries = topup.listCountries();
  if (!countries.ok) return countries;
  const operators = topup.listOperators();
  if (!operators.ok) return operators;
  const { version, published_at_ms, fingerprint, products } = head.value;
  return { ok: true, value: { version, published_at_ms, fingerprint, countries: countries.value, operators: operators.value, products } };
}

function listProducts(topup: Topup, operatorId: string): ShopProduct[] {
  const products = topup.listProducts({ operator_id: operatorId, now_ms: Date.now(), degraded: quoteExtras().degraded ?? false });
  return products.ok ? products.value : [];
}

function valueOf<T>(outcome: Outcome<T>): T | null {
  return outcome.ok ? outcome.value : null;
}

// The platform's own way to the binary; none: the server prices.
let host: { instantiate: Instantiate; url: string } | null = null;
// #ifdef H5
host = { instantiate: instantiateInBrowser, url: `/static/wasm/${wasmName}` };
// #endif
// #ifdef MP-WEIXIN
host = { instantiate: instantiateInMiniProgram, url: `/static/wasm/${wasmName}.br` };
// #endif

/** What the pages use of the core. */
export function coreOf(topup: Topup): Core {
  return {
    source: 'wasm',
    loadPriceBook: (bytes) => loadPriceBook(topup, bytes),
    listProducts: (operatorId) => listProducts(topup, operatorId),
    checkPhone: (typed, country) => topup.checkPhone(typed, country),
    checkCard: (typed, issuer) => valueOf(topup.checkCard({ typed, issuer })),
    sameCard: (first, second) => valueOf(topup.sameCard({ first, second })),
    checkAmount: (typed, currency, least, most) => valueOf(topup.checkAmount({ typed, currency, least, most })),
    quote: (wish) => topup.quote({ ...wish, ...quoteExtras(), now_ms: Date.now() }),
    decimalText: (amount) => topup.decimalText(amount),
    maskPhone: (number) => topup.maskPhone(number),
    offers: offerCore(topup),
  };
}

async function startWasm(): Promise<Core> {
  if (host === null) throw new Error('This platform asks the server for prices.');
  const topup = await makeLoader(glue, host.instantiate)({ url: host.url });
  draftCore.value = topup;
  return coreOf(topup);
}

let starting: Promise<Core> | null = null;

/** Settles once, always with a core that works. */
export function startCore(send: Send): Promise<Core> {
  starting ??= startWasm()
    .catch(() => makeServerCore(send))
    .then((ready) => (core.value = ready));
  return starting;
}
