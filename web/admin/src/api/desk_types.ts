// The shapes of the operator's desk: what waits, deeds, refunds, books, figures.
import type { Money, Posting } from './types';

export interface NamedStaff {
  staff_id: string;
  name: string;
}

export interface WorkRow {
  key: string;
  sort: 'work_item' | 'order' | 'approval' | 'job';
  id: string;
  kind: string;
  action?: string; // of an approval or a job
  subject?: string;
  why: string;
  since_ms: number;
  times?: number;
  urgent?: boolean; // it has waited longer than the shop answers in
  at_stake?: Money;
  order_id?: string;
  order_state?: string;
  account_masked?: string;
  out_refund_no?: string;
  run_id?: string;
  owner?: string;
  owner_name?: string;
  body?: Record<string, unknown>;
  body_hash?: string;
  expires_at_ms?: number;
  seconds?: NamedStaff[]; // who may agree
  deeds: string[]; // the right one first
}

export interface WorkQueue {
  work: WorkRow[];
  me: string;
  next: Record<string, string>; // by sort: the cursor of its next page
  now_ms: number;
}

export interface OrderDeed {
  deed: string;
  needs_reason: boolean;
  needs_second: boolean;
  amount?: Money;
  paid?: Money;
  may_part?: boolean; // less than `amount` can go back too
  second_why?: 'none' | 'delivered' | 'above_limit' | 'asker';
  second_above?: Money;
  seconds?: NamedStaff[];
  needs_evidence?: boolean;
  suppliers?: { supplier: string; cost?: Money }[]; // who could take the order, the best first
}

export interface OrderTable {
  states: { state: string; word: string; final: boolean; timeout?: { event: string; after_ms: number } }[];
  steps: { from: string; event: string; to: string }[];
}

// Either done, or waiting for the second person.
export interface Deed {
  state: string;
  approval_id?: string;
}

export interface RefundRow {
  out_refund_no: string;
  out_trade_no: string;
  order_id: string;
  channel?: string;
  account_masked?: string;
  state: string;
  amount: Money;
  reason: string;
  code: string;
  asked_by: string;
  replaces: string;
  created_at_ms: number;
  updated_at_ms: number;
  actions: string[];
}

export interface ErrorAccount {
  order_id: string;
  cause: string;
  party: string;
  amount: Money;
  state: string;
  opened_at_ms: number;
  closed_at_ms: number;
  closed_by: string;
}

export interface BookedJournal {
  journal_id: string;
  template: string;
  subject: string;
  order_id: string;
  seq: number;
  at_ms: number;
  postings: Posting[];
}

export interface FinanceDay {
  day: string;
  account: string;
  currency: string;
  debit_minor: number;
  credit_minor: number;
  postings: number;
}

export interface Finance {
  seq: number;
  rows: number;
  checksum: string;
  days: FinanceDay[];
}

export interface Wallet {
  user_id: string;
  available: Money;
  held: Money;
  version: number;
  entries: { kind: string; subject: string; available: Money; held: Money; at_ms: number }[];
}

export interface Sums {
  orders: number;
  succeeded: number;
  failed: number;
  sales: Money;
}

export interface EarnedDay {
  day: string;
  sales: Money;
  cost?: Money; // absent, like the profit, when a cost is in a currency without an exchange rate
  profit?: Money;
  converted: boolean; // part of it at the exchange rate of now
}

export interface Figures {
  day: string;
  now_hour: number;
  today: Sums;
  hours: Sums[];
  days: EarnedDay[];
  suspense: Money;
}
