import type { Send } from './transport';
import type { Quote, QuoteRequest } from './types';

/** The server's own quote, for pages whose WebAssembly cannot load. */
export async function createQuote(send: Send, request: QuoteRequest): Promise<Quote> {
  return (await send<Quote>({ method: 'POST', path: '/api/v1/quotes', body: request })).body;
}
