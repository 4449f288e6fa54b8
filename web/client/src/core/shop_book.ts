import type { Money, Operator, Product } from '@topup/core';

/** A product as the tiles show it. Without the WebAssembly core there is no price until the server has been asked. */
export type ShopProduct = Omit<Product, 'payable'> & { payable: Money | null };

export interface ShopBook {
  version: number;
  published_at_ms: number;
  fingerprint: string;
  operators: Operator[];
  products: ShopProduct[];
}
