import type { Country, Operator, Product } from '@topup/core';

/** A product as the tiles show it. Without the WebAssembly core there is no price until the server has been asked. */
export type ShopProduct = Omit<Product, 'payable' | 'list'> & { payable: Product['payable'] | null };

export interface ShopBook {
  version: number;
  published_at_ms: number;
  fingerprint: string;
  /** Those that something is sold for. */
  countries: Country[];
  operators: Operator[];
  /** How many. */
  products: number;
}

/** What is to be priced. */
export interface PriceWish {
  product_id: string;
  /** '' for a voucher that goes to nobody's number. */
  account_number: string;
  /** Of a range; 0: the product's face. */
  amount_minor: number;
}
