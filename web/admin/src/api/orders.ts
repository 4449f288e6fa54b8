import { request } from '../transport';
import type { AdminOrder, AdminOrderPage } from './types';

// state "" means every state; cursor "" means the newest page.
export function listOrders(state: string, cursor: string): Promise<AdminOrderPage> {
  const query = new URLSearchParams();
  if (state !== '') query.set('state', state);
  if (cursor !== '') query.set('cursor', cursor);
  const text = query.toString();
  return request<AdminOrderPage>('GET', `/api/admin/orders${text === '' ? '' : `?${text}`}`);
}

export const getOrder = (orderId: string) =>
  request<AdminOrder>('GET', `/api/admin/orders/${encodeURIComponent(orderId)}`);
