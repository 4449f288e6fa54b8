// The shapes of the contract (web/api/openapi.yaml). Times are milliseconds since 1970-01-01 UTC.

export interface Money {
  minor: number; // integer minor units; |minor| <= 2^53 - 1
  currency: string; // ISO 4217 letters
}

export interface ProblemDocument {
  title: string;
  status: number;
  code: string;
  reason: string;
  field?: string;
  detail?: string;
  trace_id: string;
}

export interface Shop {
  name: string;
  now_ms: number;
  rehearsed: string[];
}

export interface StaffSession {
  staff_id: string;
  name: string;
  role: string;
}

export interface Operator {
  id: string;
  name_zh: string;
  name_en: string;
}

export interface QuoteLine {
  word: string;
  rule_id: string;
  rule_version: number;
  rate_bp: number;
  effect: Money;
  remainder: number; // in 1/10,000 of a minor unit
}

export interface Quote {
  price_book_version: number;
  product_id: string;
  account_masked: string;
  face: Money;
  payable: Money;
  delivered: Money;
  lines: QuoteLine[];
  fingerprint: string;
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
  word: string;
  product_id: string;
  operator: Operator;
  account_masked: string;
  face: Money;
  payable: Money;
  delivered: Money;
  quote: Quote;
  created_at_ms: number;
  pay_by_ms: number;
  now_ms: number;
  events: OrderEvent[];
}

export interface AdminOrderRow {
  order_id: string;
  state: string;
  word: string;
  operator?: Partial<Operator>;
  account_masked: string;
  face: Money;
  payable: Money;
  created_at_ms: number;
  updated_at_ms?: number;
}

export interface AdminOrderPage {
  orders: AdminOrderRow[];
  next_cursor?: string;
}

export interface Posting {
  account: string;
  amount: Money; // positive is debit
}

export interface Journal {
  journal_id: string;
  template: string;
  at_ms: number;
  postings: Posting[];
}

export interface PaymentAttempt {
  out_trade_no: string;
  channel: string;
  state: string;
  amount: Money;
  transaction_id?: string;
  created_at_ms?: number;
  updated_at_ms?: number;
}

export interface SupplierAttempt {
  attempt_id: string;
  supplier: string;
  state: string;
  supplier_order_id?: string;
  code?: string;
  queries?: number;
  cost?: Money;
  created_at_ms?: number;
  updated_at_ms?: number;
}

export interface Refund {
  out_refund_no: string;
  out_trade_no?: string;
  state: string;
  amount: Money;
  reason?: string;
  created_at_ms?: number;
  updated_at_ms?: number;
}

export interface AuditRow {
  seq: number;
  actor: string;
  action: string;
  subject?: string;
  detail?: string;
  at_ms: number;
  trace_id?: string;
  hash: string;
}

export interface WorkItem {
  work_item_id: string;
  kind: string;
  state: string;
  order_id?: string;
  detail?: string;
  created_at_ms: number;
}

export interface AdminOrder {
  order: Order;
  payments: PaymentAttempt[];
  supplier_attempts: SupplierAttempt[];
  refunds: Refund[];
  journals: Journal[];
  work_items: WorkItem[];
  audit: AuditRow[];
}

export interface AccountBalance {
  account: string;
  balance: Money; // positive is debit
}

export interface SupplierBalance {
  name: string;
  balance?: Money; // absent while the supplier does not say
}

export interface Overview {
  day: string; // the business day in Asia/Shanghai
  orders_by_state: Record<string, number>;
  sales: Money;
  trial_balance: AccountBalance[];
  work_items: WorkItem[];
  audit_ok: boolean;
  suppliers: SupplierBalance[];
}
