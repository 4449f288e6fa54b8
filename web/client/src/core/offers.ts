// What of the core prices with coupons and levels, and ranks stations. Only with WebAssembly: without it the server prices.
import type { BuyerFacts, NearStation, Outcome, Place, Quote, StationHead, StationWish, Topup } from '@topup/core';
import { ref } from 'vue';

export type CouponChoice = 'best' | 'none' | string[];
export interface QuoteExtras {
  coupons?: 'none' | string[];
  degraded?: boolean;
}

let extras: QuoteExtras = {};
/** What every quote of this page is asked with beside product and account. */
export function quoteExtras(): QuoteExtras {
  return extras;
}
export function setQuoteExtras(choice: CouponChoice, degraded: boolean): void {
  extras = { ...(choice === 'best' ? {} : { coupons: choice }), ...(degraded ? { degraded } : {}) };
}

/** Counts the changes of who is priced for: what a page has computed of prices is of the count it was computed at. */
export const buyerTurn = ref(0);
let lastBuyer = '{}';

export interface Named {
  name_zh: string;
  name_en: string;
}
export interface OfferCore {
  setBuyer(facts: BuyerFacts): boolean;
  /** The same purchase with other coupons. */
  quoteWith(quote: { product_id: string; account_number: string; amount_minor?: number }, choice: CouponChoice): Outcome<Quote>;
  /** Of a coupon template, promotion or level of the book. */
  nameOf(kind: 'coupons' | 'promotions' | 'benefits', id: string): Named | null;
  loadStations(bytes: Uint8Array): Outcome<StationHead>;
  nearest(wish: StationWish): NearStation[];
  /** In the shifted system that maps of the mainland want. */
  shifted(place: Place): Place | null;
}

export function offerCore(topup: Topup): OfferCore {
  return {
    setBuyer: (facts) => {
      const { ok } = topup.setBuyer(facts);
      const now = JSON.stringify(facts);
      if (ok && now !== lastBuyer) buyerTurn.value += 1;
      lastBuyer = now;
      return ok;
    },
    quoteWith: (wanted, coupons) => topup.quote({ ...wanted, ...extras, coupons, now_ms: Date.now() }),
    nameOf: (kind, id) => {
      const rows = topup.bookRows();
      if (!rows.ok) return null;
      const row = rows.value[kind].find((one) => one.id === id);
      return row?.name_zh !== undefined && row.name_en !== undefined ? { name_zh: row.name_zh, name_en: row.name_en } : null;
    },
    loadStations: (bytes) => topup.loadStations(bytes),
    nearest: (wish) => {
      const found = topup.nearestStations(wish);
      return found.ok ? found.value.stations : [];
    },
    shifted: (place) => {
      const moved = topup.toGcj02({ lat_e7: place.lat_e7, lng_e7: place.lng_e7 });
      return moved.ok ? moved.value : null;
    },
  };
}
