import type { Send } from './transport';
import type { Shop } from './types';

/** What a page needs first: name, rehearsed parties, the server's clock. */
export async function getShop(send: Send): Promise<Shop> {
  return (await send<Shop>({ method: 'GET', path: '/api/v1/shop' })).body;
}
