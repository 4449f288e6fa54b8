import type { Send } from './transport';
import type { Payment, PaymentRequest } from './types';

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
