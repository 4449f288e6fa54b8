// Deeds on a stuck order. What they are allowed for is the server's to say (api/orders.ts, getDeeds).
import { request } from '../transport';
import type { Deed } from './desk_types';

const at = (orderId: string, what: string) => `/api/admin/orders/${encodeURIComponent(orderId)}/${what}`;
type Moved = { order_id: string; state: string };

export const switchSupplier = (orderId: string, supplier: string, reason: string) =>
  request<Moved>('POST', at(orderId, 'switch-supplier'), { body: { supplier, reason } });
export const handOver = (orderId: string, reason: string) =>
  request<Moved>('POST', at(orderId, 'hand-over'), { body: { reason } });
/** Always waits for a second person. */
export const markOutcome = (orderId: string, outcome: 'delivered' | 'failed', evidence: string, reason: string) =>
  request<Deed>('POST', at(orderId, 'mark'), { body: { outcome, evidence, reason } });
export const resendMessages = (orderId: string, reason: string) =>
  request<{ resent: number }>('POST', at(orderId, 'resend'), { body: { reason } });
export const claimOrder = (orderId: string, reason: string) =>
  request<{ claimed: number }>('POST', at(orderId, 'claim'), { body: { reason } });
