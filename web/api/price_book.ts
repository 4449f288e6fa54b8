import type { Send } from './transport';

/** The current price book's bytes; null when `fingerprint` is still the current one. */
export async function getPriceBook(send: Send, fingerprint: string): Promise<Uint8Array | null> {
  const answer = await send<ArrayBuffer>({
    method: 'GET',
    path: '/api/v1/price-book',
    binary: true,
    ifNoneMatch: fingerprint === '' ? undefined : fingerprint,
  });
  return answer.status === 304 ? null : new Uint8Array(answer.body);
}
