// What suppliers were asked and answered, over all orders.
import { request } from '../transport';
import type { SupplierExchange } from './types';

export const kOperations = ['submit', 'query'] as const;
export const kOutcomes = ['succeeded', 'accepted', 'unknown', 'not_found', 'held', 'rejected'] as const;

// Every value is text as it stands in the address; "" is whatever it is.
export interface ExchangeFilter {
  supplier: string;
  operation: string;
  outcome: string;
  number: string; // an order's or an attempt's
  slow_ms: string; // answered after at least so long
  from_ms: string;
  to_ms: string;
}
export interface ExchangePage {
  rows: SupplierExchange[];
  reached_ms: number; // how far back this answer looked
  next_cursor?: string;
}

function address(path: string, values: Record<string, string>): string {
  const given = Object.entries(values).filter(([, value]) => value !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

export const listExchanges = (filter: ExchangeFilter, cursor: string) =>
  request<ExchangePage>('GET', address('/api/admin/exchanges', { ...filter, cursor }));
export const exchangesFile = (filter: ExchangeFilter) => address('/api/admin/exchanges/export', { ...filter });
// What an attempt's requests met, for the rehearsal to play again.
export const replayFile = (attempt: string) => address('/api/admin/exchanges/replay', { attempt });
