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
  errors?: { field: string; reason: string; detail: string }[]; // of a form
}

export interface Shop {
  name: string;
  now_ms: number;
  rehearsed: string[];
  decoration?: { version: number; theme: string };
  time_zone?: string; // IANA, or browser
  language?: 'auto' | 'zh' | 'en';
}

export interface StaffSession {
  staff_id: string;
  name: string;
  roles: string[];
  permissions: string[];
  session_id: string;
  must_change_password: boolean;
  has_totp: boolean;
  must_enrol: boolean;
  step_up_until_ms: number;
  expires_at_ms: number;
  recovery_codes_left?: number;
}

export interface StaffSessionRow {
  session_id: string;
  device: string;
  address: string;
  created_at_ms: number;
  seen_at_ms: number;
  expires_at_ms: number;
  is_current: boolean;
}

export interface StaffAccount {
  staff_id: string;
  name: string;
  enabled: boolean;
  roles: string[];
  must_change_password: boolean;
  has_totp: boolean;
  created_at_ms: number;
}

export interface RoleTable {
  roles: { role: string; needs_second: boolean; permissions: string[] }[];
  separated: [string, string][];
}

export interface EffectivePermission {
  permission: string;
  writes: boolean;
  step_up: boolean;
  from_roles: string[];
}

export interface ApprovalRow {
  approval_id: string;
  action: string;
  subject: string;
  body: { roles?: string[]; roles_before?: string[] };
  body_hash: string;
  state: 'waiting' | 'approved' | 'rejected' | 'expired';
  requested_by: string;
  created_at_ms: number;
  expires_at_ms: number;
  decided_by?: string;
  decided_at_ms?: number;
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
  product_id?: string;
  user_id?: string;
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

export interface OrderStep {
  seq: number;
  event: string;
  from: string;
  to: string;
  actor: string;
  reason: string;
  trace_id: string;
  at_ms: number;
}

export interface SupplierExchange {
  exchange_id: string;
  order_id: string;
  attempt_id: string;
  supplier: string;
  operation: string;
  request?: Record<string, unknown>; // accounts are masked
  response?: Record<string, unknown>;
  code?: string;
  outcome: string;
  latency_ms: number;
  at_ms: number;
}

export interface SentMessage {
  message_id: string;
  topic: string;
  way: string;
  state: string;
  code?: string;
  tries?: number;
  updated_at_ms: number;
}

export interface OrderNote {
  note_id: string;
  staff_id: string;
  text: string;
  at_ms: number;
}

export interface AdminOrder {
  order: Order;
  timeline: OrderStep[];
  exchanges: SupplierExchange[];
  messages: SentMessage[];
  notes: OrderNote[];
  payments: PaymentAttempt[];
  supplier_attempts: SupplierAttempt[];
  refunds: Refund[];
  journals: Journal[];
  work_items: WorkItem[];
  audit: AuditRow[];
  jobs: Job[]; // that wait, run or were given up for this order
}

export interface Job {
  job_id: string; // kind:subject
  kind: string;
  subject: string;
  state: 'waiting' | 'running' | 'dead';
  priority: number; // 0 runs first
  attempts: number; // since it last ended well
  run_at_ms: number;
  created_at_ms: number;
  last_tried_at_ms: number; // 0 when never
  last_failure: string;
  trace_id: string;
}

export interface JobPage {
  jobs: Job[];
  next_cursor?: string;
}

export interface AccountBalance {
  account: string;
  balance: Money; // positive is debit
}

export interface SupplierBalance {
  name: string;
  keeps_balance: boolean; // false for the shop's own stock
  line: string; // open, closed, trial, off
  balance?: Money; // absent while the supplier does not say
  balance_at_ms?: number;
  low?: boolean;
}

export interface ChannelHealth {
  name: string;
  health: 'green' | 'amber' | 'red';
  why: string;
  since_ms: number;
  recent_calls: number;
  recent_bad: number;
  p95_ms: number;
}

export interface Overview {
  day: string; // the business day in Asia/Shanghai
  orders_by_state: Record<string, number>;
  sales: Money;
  trial_balance: AccountBalance[];
  work_items: WorkItem[];
  audit_ok: boolean;
  suppliers: SupplierBalance[];
  channels: ChannelHealth[];
}

export interface Run {
  run_id: string; // party.day
  party: string;
  day: string;
  state: string; // waiting, matched, refused, not_offered
  why: string;
  lines: number;
  agreed: number;
  open: number;
  resolved: number;
  tries: number;
  asked_by: string;
  created_at_ms: number;
  finished_at_ms: number; // 0 when never
}

export interface RunPage {
  runs: Run[];
  parties: string[];
  next_cursor?: string;
}

export interface RunTotal {
  payee: string; // "" for the shop's own account
  lines: number;
  in: Money;
  out: Money;
  fees: Money;
}

export interface RunDetail extends Run {
  totals: RunTotal[];
  kinds: Record<string, number>;
  balance: Money | null; // after the day, of a fund flow
}

export interface DifferenceSide {
  state: string;
  at_ms: number;
  amount?: Money;
}

export interface Difference {
  difference_id: string;
  run_id: string;
  party: string;
  day: string;
  kind: string;
  side: string; // payment, refund, charge, withdrawal, movement
  number: string;
  order_id: string;
  payee: string;
  ours: DifferenceSide | null;
  theirs: DifferenceSide | null;
  move: Money;
  suspense: Money;
  state: string; // open, resolved
  resolution: string;
  reason: string;
  resolved_by: string;
  opened_at_ms: number;
  resolved_at_ms: number;
  actions: string[];
}

export interface DifferencePage {
  differences: Difference[];
  next_cursor?: string;
}

export type Resolved = Difference | { approval_id: string }; // the latter waits for a second person
