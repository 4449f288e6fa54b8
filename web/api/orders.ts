import type { Send } from './transport';
import type { FoundOrder, Order, OrderPage, OrderRow, Pin, RefundRequest } from './types';

const kOrders = '/api/v1/orders';

function pathOf(orderId: string): string {
  return `${kOrders}/${encodeURIComponent(orderId)}`;
}

export async function getOrder(send: Send, orderId: string): Promise<Order> {
  return (await send<Order>({ method: 'GET', path: pathOf(orderId), session: true })).body;
}

/** Which of the buyer's orders; '' means all. */
export interface OrderFilter {
  /** One of the five words or one state. */
  state: string;
  /** The recipient's last four digits. */
  tail: string;
}

/** The buyer's own orders, newest first. An empty cursor starts at the top. */
export async function listOrders(send: Send, cursor: string, filter: OrderFilter = { state: '', tail: '' }): Promise<OrderPage> {
  const asked = Object.entries({ ...filter, cursor }).filter(([, value]) => value !== '');
  const query = asked.length === 0 ? '' : `?${asked.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
  return (await send<OrderPage>({ method: 'GET', path: `${kOrders}${query}`, session: true })).body;
}

/** Asks the channel now whether the order has been paid. Safe to repeat. */
export async function confirmPayment(send: Send, orderId: string): Promise<Order> {
  return (await send<Order>({ method: 'POST', path: `${pathOf(orderId)}/confirm`, body: {}, session: true })).body;
}

/** Gives up an unpaid order; it is closed at the channel first. */
export async function cancelOrder(send: Send, orderId: string): Promise<Order> {
  return (await send<Order>({ method: 'POST', path: `${pathOf(orderId)}/cancel`, body: {}, session: true })).body;
}

export async function getRefundRequest(send: Send, orderId: string): Promise<RefundRequest> {
  return (await send<RefundRequest>({ method: 'GET', path: `${pathOf(orderId)}/refund-requests`, session: true })).body;
}

/** Asks for a refund; a repeat finds the first wish. Somebody answers it; `atOnce`, of what no supplier has, it goes back now. */
export async function requestRefund(send: Send, orderId: string, reason: string, atOnce = false): Promise<RefundRequest> {
  const body = atOnce ? { reason, at_once: true } : { reason };
  return (await send<RefundRequest>({ method: 'POST', path: `${pathOf(orderId)}/refund-requests`, body, session: true })).body;
}

/** The codes of one's own voucher. The server writes each look down. */
export async function revealPins(send: Send, orderId: string): Promise<Pin[]> {
  return (await send<{ pins: Pin[] }>({ method: 'POST', path: `${pathOf(orderId)}/pins`, body: {}, session: true })).body.pins;
}

export interface OrderChanges {
  changes: (OrderRow & { seq: number })[];
  /** Too long ago: read the lists anew. */
  resync: boolean;
  more: boolean;
  /** What to ask after next. */
  last: number;
}

/** What changed among the buyer's orders since `last` of an earlier answer; some changes may be told twice. */
export async function orderChanges(send: Send, after: number): Promise<OrderChanges> {
  return (await send<OrderChanges>({ method: 'GET', path: `${kOrders}/changes?after=${after}`, session: true })).body;
}

/** One order for whoever knows its number and the end of its recipient's. */
export async function findOrder(send: Send, orderId: string, tail: string): Promise<FoundOrder> {
  return (await send<FoundOrder>({ method: 'POST', path: `${kOrders}/find`, body: { order_id: orderId, tail } })).body;
}
