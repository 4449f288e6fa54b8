import type { Send } from './transport';
import type { Quote, QuoteRequest } from './types';

/** The server's own quote, for pages whose WebAssembly cannot load: at the buyer's level, with their coupons. */
export async function createQuote(send: Send, request: QuoteRequest): Promise<Quote> {
  return (await send<Quote>({ method: 'POST', path: '/api/v1/quotes', body: request, session: true })).body;
}
