// Deeds of the operator's desk. What moves money carries a key, so that a broken connection never does it twice.
import { request } from '../transport';
import type { Deed, Figures, RefundRow, WorkQueue, WorkRow } from './desk_types';
import type { Money } from './types';

const at = (base: string, id: string, what: string) => `/api/admin/${base}/${encodeURIComponent(id)}/${what}`;

// Without a sort the first page of each.
export const getWork = (sort = '', cursor = '') =>
  request<WorkQueue>('GET', `/api/admin/work${sort === '' ? '' : `?${new URLSearchParams({ sort, cursor })}`}`);
export const getFigures = () => request<Figures>('GET', '/api/admin/figures');

export const claimItem = (id: string) => request('POST', at('work-items', id, 'claim'));
export const releaseItem = (id: string) => request('POST', at('work-items', id, 'release'));
export const resolveItem = (id: string, reason: string, answer?: { reason: string; words: string }) =>
  request('POST', at('work-items', id, 'resolve'), { body: answer === undefined ? { reason } : { reason, answer } });

export const approveWork = (row: WorkRow) =>
  request('POST', at('approvals', row.id, 'approve'), { body: { body_hash: row.body_hash } });
export const withdrawWork = (row: WorkRow) => request('POST', at('approvals', row.id, 'withdraw'));
export const rejectWork = (row: WorkRow) => request('POST', at('approvals', row.id, 'reject'));

export const refundOrder = (orderId: string, reason: string, key: string, amount?: Money) =>
  request<Deed>('POST', at('orders', orderId, 'refunds'), {
    key,
    body: amount === undefined ? { reason } : { reason, amount },
  });
export const queryRefund = (no: string) => request<{ changed: boolean }>('POST', at('refunds', no, 'query'));
export const retryRefund = (no: string) => request<{ changed: boolean }>('POST', at('refunds', no, 'retry'));
export const reissueRefund = (no: string, reason: string) =>
  request<Deed>('POST', at('refunds', no, 'reissue'), { body: { reason } });
export const refundByHand = (no: string, proof: string) =>
  request<Deed>('POST', at('refunds', no, 'by-hand'), { body: { proof } });

export function listRefunds(state: string, cursor: string) {
  const query = new URLSearchParams();
  if (state !== '') query.set('state', state);
  if (cursor !== '') query.set('cursor', cursor);
  return request<{ refunds: RefundRow[]; next_cursor?: string }>('GET', `/api/admin/refunds?${query}`);
}
