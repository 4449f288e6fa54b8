// An order's story as four steps. Which event stands for which step is the only knowledge here.
import type { Order } from '@api/types';

export type StepName = 'placed' | 'paid' | 'recharge' | 'arrived' | 'refund' | 'closed';
export interface TimelineStep {
  name: StepName;
  status: 'done' | 'now' | 'todo' | 'failed';
  at_ms: number | null;
}

const kDelivered = ['supplier_succeeded', 'delivered_by_hand'];

function timeOf(order: Order, ...events: string[]): number | null {
  return order.events.find((one) => events.includes(one.event))?.at_ms ?? null;
}

/** It arrived, whatever happened to the money later. */
export function wasDelivered(order: Order): boolean {
  return timeOf(order, ...kDelivered) !== null;
}

function step(name: StepName, status: TimelineStep['status'], at_ms: number | null = null): TimelineStep {
  return { name, status, at_ms };
}

function refundSteps(order: Order): TimelineStep[] {
  const back = order.state === 'refunded';
  return [
    step('paid', 'done', timeOf(order, 'payment_confirmed')),
    wasDelivered(order) ? step('arrived', 'done', timeOf(order, ...kDelivered)) : step('recharge', 'failed', timeOf(order, 'supplier_rejected')),
    step('refund', back ? 'done' : 'now', timeOf(order, 'refund_succeeded')),
  ];
}

function deliverySteps(order: Order): TimelineStep[] {
  const paidAt = timeOf(order, 'payment_confirmed', 'payment_mismatch');
  const isPaid = timeOf(order, 'payment_confirmed') !== null;
  const arrived = order.word === 'succeeded';
  const started = timeOf(order, 'supplier_accepted', 'submit');
  const paying = order.word === 'awaiting_payment' || order.word === 'paying';
  return [
    step('paid', isPaid ? 'done' : paying ? 'now' : 'done', paidAt),
    step('recharge', arrived ? 'done' : order.word === 'recharging' ? 'now' : 'todo', started),
    step('arrived', arrived ? 'done' : 'todo', timeOf(order, 'supplier_succeeded')),
  ];
}

export function timelineOf(order: Order): TimelineStep[] {
  const placed = step('placed', 'done', order.created_at_ms);
  if (order.state === 'closed') return [placed, step('closed', 'done', timeOf(order, 'cancel', 'expire'))];
  if (order.word === 'failed') return [placed, ...refundSteps(order)];
  return [placed, ...deliverySteps(order)];
}
