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
  /** The order of before, with `same_recipient_again`. */
  earlier?: OrderRow;
  /** With `merge_needed`: what a consent to merge is given with. */
  merge_token?: string;
  /** How long to wait, of the Retry-After header. */
  retry_after_s?: number;
}

export type ServiceLevel = 'normal' | 'no_marketing' | 'simple_pages' | 'maintenance';

/** How far the shop is degraded, and what it says about it. */
export interface Service {
  level: ServiceLevel;
  notice: { zh: string; en: string };
  /** 0 when nobody knows. */
  reopens_at_ms: number;
  /** Pages older than this ask to be renewed; '' for none. */
  lowest_client: string;
  /** Kinds of product that the mini-program does not sell on iOS. */
  not_on_ios?: string[];
}

export interface Shop extends Service {
  name: string;
  now_ms: number;
  rehearsed: string[];
  /** Of whoever has not chosen one; auto, or none: the device's. */
  language?: 'auto' | 'zh' | 'en';
  /** The ways to sign in that this shop offers: wechat_mini, wechat_oa, sms. */
  sign_in: string[];
  /** The version of each agreement that is shown now; 0: none. */
  agreements: { terms: number; privacy: number };
  /** What this shop has beside its prices just now; pages show no more. */
  offers?: ShopOffers;
  /** How the home page is laid out, and in which theme. */
  decoration?: { version: number; theme: string };
}

export interface ShopOffers {
  coupons: boolean;
  levels: boolean;
  stations: boolean;
}

export interface Session {
  token: string;
  user_id: string;
  expires_at_ms: number;
  /** Another account of the same person was found; merging wants consent. */
  merge_token?: string;
}

export interface CodeAsked {
  again_after_ms: number;
  expires_at_ms: number;
}

export interface QuoteRequest {
  product_id: string;
  /** '' for a voucher that goes to nobody's number. */
  account_number: string;
  /** The best of the buyer's coupons when left out; none; or these. */
  coupons?: 'none' | string[];
  /** Of a product with a range. */
  amount_minor?: number;
}

export interface OrderRequest extends QuoteRequest {
  quote_fingerprint: string;
  /** The buyer was told of the order before and wants this one as well. */
  confirm_repeat?: boolean;
  /** The recipient's number as it was typed the second time. */
  account_number_again?: string;
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
  /** Only while it waits because no supplier can take it: it goes out by then, or the money goes back. */
  promised_until_ms?: number;
}

/** An order in a list: without its quote, its story and what may be done with it. */
export type OrderRow = Omit<Order, 'quote' | 'now_ms' | 'allowed' | 'events'>;

/** What a guest is shown of an order found by its number. */
export type FoundOrder = Omit<Order, 'quote'>;

export interface OrderPage {
  orders: OrderRow[];
  next_cursor?: string;
}

export type PayChannel = 'wechat' | 'alipay';

/** What a buyer is offered in a scene, the one to take first. */
export interface PaymentChannels {
  scene: string;
  channels: { channel: PayChannel; health: 'green' | 'amber' | 'red' }[];
}

export type PayScene = 'h5' | 'jsapi' | 'mini_program' | 'native';

export interface PaymentRequest {
  /** Left out: the shop takes the first one that is well. */
  channel?: PayChannel;
  scene: PayScene;
  /** A path of this shop, starting with a slash. */
  return_path?: string;
}

export interface Payment {
  out_trade_no: string;
  channel: PayChannel;
  scene: string;
  h5_url?: string;
  /** Of `native`: what a code on the page says, for a phone that scans it. */
  code_url?: string;
  /** What WeChat wants of `jsapi` and `mini_program`. */
  invoke?: Record<string, string>;
  expires_at_ms: number;
}

/** An order and the ticket of its payment; where that did not start, why. */
export interface Checkout {
  order: Order;
  payment?: Payment;
  payment_problem?: Problem;
}

/** The wish for a refund, and what has gone back. */
export interface RefundRequest {
  order_id: string;
  requested: boolean;
  allowed: boolean;
  /** No supplier has it: all of it goes back without anybody being asked. */
  at_once: boolean;
  wishes_left: number;
  /** Of a wish that waits: staff answer by then. */
  answer_by_ms?: number;
  /** What staff said to the last wish; `words` are theirs, and plain text. */
  answer?: { decision: 'approved' | 'declined'; reason: string; words: string; at_ms: number };
  refunds: { amount: Money; state: 'processing' | 'succeeded'; created_at_ms: number; updated_at_ms: number }[];
}

/** A voucher's code, shown to its buyer only. */
export interface Pin {
  code: string;
  serial?: string;
  expires_at_ms?: number;
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
  | ({ type: 'service' } & Service)
  | { type: 'error'; reason: string };

export type IdentityKind = 'wechat_mini' | 'wechat_oa' | 'phone';

export interface Identity {
  identity_id: string;
  kind: IdentityKind;
  masked: string;
  bound_at_ms: number;
}

export type Purpose = 'terms' | 'privacy' | 'location' | 'messages';

export interface Consent {
  document: string;
  version: string;
  given_at_ms: number;
  /** 0: it holds. */
  withdrawn_at_ms: number;
}

/** Who a session is: the strongest proof so far, what is bound, what was agreed to. */
export interface Me {
  user_id: string;
  level: 'guest' | 'wechat' | 'phone';
  identities: Identity[];
  consents: Consent[];
}

export interface MySession {
  session_id: string;
  kind: string;
  /** A class of two words, such as "ios wechat". */
  device: string;
  address_masked: string;
  created_at_ms: number;
  seen_at_ms: number;
  expires_at_ms: number;
  is_current: boolean;
}

export interface MySignIn {
  kind: string;
  outcome: string;
  reason: string;
  subject_masked: string;
  address_masked: string;
  device: string;
  at_ms: number;
}

/** Why an account cannot be deleted now, as a reason word. */
export interface Obstacle {
  reason: string;
  count: number;
}

/** For the buyer to keep, not for pages to read. */
export type MyData = Record<string, unknown>;

export interface Message {
  message_id: string;
  order_id: string;
  topic: string;
  created_at_ms: number;
  /** 0: unread. */
  read_at_ms: number;
}

export interface Inbox {
  messages: Message[];
  next_cursor?: string;
}

export type ContentKind = 'agreement' | 'help' | 'announcement' | 'contacts';

/** Words of the shop. Plain text, never markup of a browser. English may be empty: then the Chinese is meant. */
export interface ContentDocument {
  document: string;
  version: number;
  kind: ContentKind;
  topics: string[];
  title: { zh: string; en: string };
  body: { zh: string; en: string };
  published_at_ms: number;
}
