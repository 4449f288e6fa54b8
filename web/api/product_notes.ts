import type { Send } from './transport';

/** How a product is shown and found; it decides no price. */
export interface ProductNote {
  product_id: string;
  labels: string[];
  /** 1 first; 0: after those that have one. */
  place: number;
  aliases: string[];
}

export async function getProductNotes(send: Send): Promise<ProductNote[]> {
  const answer = await send<{ products: ProductNote[] }>({ method: 'GET', path: '/api/v1/product-notes' });
  return answer.body.products;
}
