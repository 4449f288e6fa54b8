// The exact view of the orders page as its address holds it.
import type { LocationQuery } from 'vue-router';

import { kNoFilter, type OrderFilter } from '../api/orders';

export const kFilterNames = ['state', 'q', 'from', 'to', 'channel', 'supplier', 'kind'] as const;
export type FilterName = (typeof kFilterNames)[number];
export type OrderView = Record<FilterName, string>;

const kDay = /^\d{4}-\d{2}-\d{2}$/;
const kShanghaiOffset = '+08:00'; // the shop's business day

export function viewOf(query: LocationQuery): OrderView {
  const view = {} as OrderView;
  for (const name of kFilterNames) {
    const value = query[name];
    view[name] = typeof value === 'string' ? value : '';
  }
  return view;
}

// A day as its first millisecond, or that of the next one. "" for what is no day.
function startOf(day: string, later: number): string {
  if (!kDay.test(day)) return '';
  const at = Date.parse(`${day}T00:00:00${kShanghaiOffset}`);
  return Number.isNaN(at) ? '' : String(at + later * 86_400_000);
}

export function filterOf(view: OrderView): OrderFilter {
  const { from, to, ...same } = view;
  return { ...kNoFilter, ...same, from_ms: startOf(from, 0), to_ms: startOf(to, 1) };
}

export function queryOf(view: Partial<OrderView>, order = ''): Record<string, string> {
  const query: Record<string, string> = {};
  for (const name of kFilterNames) if (view[name]) query[name] = view[name];
  if (order !== '') query.order = order;
  return query;
}

// Today as the shop counts days: for a link from a figure to its rows.
export function shopDay(atMs: number): string {
  return new Date(atMs + 8 * 3_600_000).toISOString().slice(0, 10);
}
