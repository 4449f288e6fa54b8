import type { Send } from './transport';
import type { Order, OrderPage, OrderRequest } from './types';

const kOrders = '/api/v1/orders';

function pathOf(orderId: string): string {
  return `${kOrders}/${encodeURIComponent(orderId)}`;
}

/** Repeat-safe by key. Refused with `price_changed` and the server's quote when the fingerprint is not its own. */
export async function createOrder(send: Send, request: OrderRequest, idempotencyKey: string): Promise<Order> {
  return (await send<Order>({ method: 'POST', path: kOrders, body: request, session: true, idempotencyKey })).body;
}

export async function getOrder(send: Send, orderId: string): Promise<Order> {
  return (await send<Order>({ method: 'GET', path: pathOf(orderId), session: true })).body;
}

/** The buyer's own orders, newest first. An empty cursor starts at the top. */
export async function listOrders(send: Send, cursor: string): Promise<OrderPage> {
  const query = cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`;
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
