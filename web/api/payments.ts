import type { Send } from './transport';
import type { Checkout, OrderRequest, Payment, PaymentChannels, PaymentRequest, PayScene } from './types';

/** The channels a buyer is offered in a scene, the one to take first. */
export async function listPaymentChannels(send: Send, scene: PayScene): Promise<PaymentChannels> {
  return (await send<PaymentChannels>({ method: 'GET', path: `/api/v1/payment-channels?scene=${scene}` })).body;
}

/**
 * Places an order and starts its payment in one round trip. Repeat-safe by key; a repeat may name another channel. Refused
 * with `price_changed` and the server's quote when the fingerprint is not its own. In `return_path`, {order_id} becomes the order's number.
 */
export async function checkOut(send: Send, order: OrderRequest, payment: PaymentRequest, idempotencyKey: string): Promise<Checkout> {
  return (await send<Checkout>({ method: 'POST', path: '/api/v1/checkouts', body: { order, payment }, session: true, idempotencyKey })).body;
}

/** Starts or resumes paying. A repeat while a started payment is still good gives the same one. */
export async function startPayment(
  send: Send,
  orderId: string,
  request: PaymentRequest,
  idempotencyKey: string,
): Promise<Payment> {
  const path = `/api/v1/orders/${encodeURIComponent(orderId)}/payments`;
  return (await send<Payment>({ method: 'POST', path, body: request, session: true, idempotencyKey })).body;
}
