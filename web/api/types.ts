// The wire types of openapi.yaml, by the same names. Amounts are integers in minor units, times are ms since 1970 UTC.
import type { Money, Quote, QuoteLine } from '../../wasm/topup';

export type { Money, Quote, QuoteLine };

/** An RFC 9457 problem document; `reason` is a stable word that the pages translate. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  reason: string;
  field?: string;
  detail?: string;
  trace_id: string;
  /** The server's own price, with `price_changed`. */
  quote?: Quote;
}

export interface Shop {
  name: string;
  now_ms: number;
  rehearsed: string[];
}

export interface Session {
  token: string;
  user_id: string;
  expires_at_ms: number;
}

export interface QuoteRequest {
  product_id: string;
  account_number: string;
}

export interface OrderRequest extends QuoteRequest {
  quote_fingerprint: string;
}

export type BuyerWord = 'awaiting_payment' | 'paying' | 'recharging' | 'succeeded' | 'failed';
export type OrderAction = 'pay' | 'cancel';

export interface OrderOperator {
  id: string;
  name_zh: string;
  name_en: string;
}

export interface OrderEvent {
  seq: number;
  state: string;
  word: string;
  event: string;
  at_ms: number;
}

export interface Order {
  order_id: string;
  state: string;
  word: BuyerWord;
  product_id: string;
  operator: OrderOperator;
  account_masked: string;
  face: Money;
  payable: Money;
  delivered: Money;
  quote: Quote;
  created_at_ms: number;
  pay_by_ms: number;
  now_ms: number;
  allowed: OrderAction[];
  events: OrderEvent[];
}

/** An order in a list: without its quote, its story and what may be done with it. */
export type OrderRow = Omit<Order, 'quote' | 'now_ms' | 'allowed' | 'events'>;

export interface OrderPage {
  orders: OrderRow[];
  next_cursor?: string;
}

export interface PaymentRequest {
  channel: 'wechat';
  scene: 'h5';
  /** A path of this shop, starting with a slash. */
  return_path?: string;
}

export interface Payment {
  out_trade_no: string;
  scene: string;
  h5_url?: string;
  expires_at_ms: number;
}

/** What a page sends on the live socket. */
export interface LiveSubscribe {
  type: 'subscribe';
  session: string;
  order_id: string;
  /** The last seq seen, 0 for none. */
  after: number;
}
/** What the live socket sends: the whole order at once and after each change. */
export type LiveMessage =
  | { type: 'order'; seq: number; order: Order }
  | { type: 'error'; reason: string };
