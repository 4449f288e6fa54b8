import { request, requestFile } from '../transport';
import type { OrderDeed, OrderTable } from './desk_types';
import type { AdminOrder, AdminOrderPage } from './types';

// Every member that is "" leaves the list as wide as it is. Times are milliseconds as text.
export interface OrderFilter {
  state: string;
  q: string;
  from_ms: string;
  to_ms: string;
  channel: string;
  supplier: string;
  kind: string;
}
export const kNoFilter: OrderFilter = { state: '', q: '', from_ms: '', to_ms: '', channel: '', supplier: '', kind: '' };

// cursor "" means the newest page.
export function listOrders(filter: OrderFilter, cursor: string): Promise<AdminOrderPage> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filter, cursor })) if (value !== '') query.set(name, value);
  const text = query.toString();
  return request<AdminOrderPage>('GET', `/api/admin/orders${text === '' ? '' : `?${text}`}`);
}

export const exportOrders = (filter: OrderFilter, cursor: string) =>
  requestFile('/api/admin/orders/export', { ...filter, cursor });

export const getOrder = (orderId: string) =>
  request<AdminOrder>('GET', `/api/admin/orders/${encodeURIComponent(orderId)}`);

/** Gives the order's new state, or the id of what waits for a second person. */
export const reviewOrder = (orderId: string, decision: 'approve' | 'decline', reason: string) =>
  request<{ state?: string; approval_id?: string }>(
    'POST',
    `/api/admin/orders/${encodeURIComponent(orderId)}/review`,
    { body: { decision, reason } },
  );

export const getDeeds = async (orderId: string) =>
  (await request<{ deeds: OrderDeed[] }>('GET', `/api/admin/orders/${encodeURIComponent(orderId)}/deeds`)).deeds;

/** Who was asked: nobody when the next question is not to be hurried. */
export const queryOrder = (orderId: string) =>
  request<{ asked: string[]; state: string }>('POST', `/api/admin/orders/${encodeURIComponent(orderId)}/query`);

export const noteOrder = (orderId: string, text: string) =>
  request<{ note_id: string }>('POST', `/api/admin/orders/${encodeURIComponent(orderId)}/notes`, { body: { text } });

export const getOrderTable = () => request<OrderTable>('GET', '/api/admin/order-table');
