// How the queue groups its rows, and which deeds ask for words or cost money.
import type { WorkRow } from '../api/desk_types';

export const kWorkGroups = ['unknown', 'review', 'second', 'refund', 'difference', 'supplier', 'message', 'job', 'other'] as const;
export type WorkGroup = (typeof kWorkGroups)[number];

const kKinds: Record<string, WorkGroup> = {
  outcome_unknown: 'unknown',
  give_up: 'unknown',
  supplier_contradiction: 'unknown',
  sheet_not_closed: 'unknown',
  review_required: 'review',
  payment_mismatch: 'review',
  payment_without_order: 'review',
  approval: 'second',
  refund_refused: 'refund',
  refund_waits: 'refund',
  refund_requested: 'refund',
  refund_without_request: 'refund',
  refund_amount_differs: 'refund',
  refund_after_refusal: 'refund',
  partial_refund_refused: 'refund',
  reconciliation: 'difference',
  message_template: 'message',
  shipping_not_reported: 'message',
  job_dead: 'job',
  no_supplier: 'supplier',
  cost_above_quote: 'supplier',
  supplier_line_down: 'supplier',
  supplier_line_closed: 'supplier',
  supplier_balance_low: 'supplier',
  supplier_reversed: 'supplier',
  pin_missing: 'supplier',
  pin_known: 'supplier',
};
export const groupOf = (row: WorkRow): WorkGroup => kKinds[row.kind] ?? 'other';

// What a buyer who wished for a refund may be told, by what is decided; the first is told when nothing is chosen.
export const kDeclineReasons = ['looked_into', 'has_arrived', 'as_ordered', 'cannot_be_taken_back', 'was_used', 'partly_refunded'] as const;
export const kMostBuyerWords = 90;
export interface RefundAnswer {
  reason: string;
  words: string;
}

// What is written into the trail with the deed; by hand it is the proof that the buyer has the money.
const kReasoned = new Set(['resolve', 'reissue_refund', 'refund_by_hand', 'suspense_to_payer', 'refund', 'note', 'hand_over', 'claim', 'resend']);
export const asksForReason = (deed: string) => kReasoned.has(deed);

// The button itself says how much goes to whom.
const kCostly = new Set(['reissue_refund', 'refund_by_hand', 'suspense_to_payer', 'approve', 'refund']);
export const movesMoney = (deed: string) => kCostly.has(deed);

// A name opens another place instead of doing something.
const kPlaces = new Set(['open_order', 'open_difference', 'open_jobs']);
export const leadsElsewhere = (deed: string) => kPlaces.has(deed);
