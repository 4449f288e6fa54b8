// What index.html has asked the shop for before any script ran (config/first_page.ts), so that on a slow line the answer is there
// when it is wanted. A browser gives it to a request of exactly the same kind, which sends no header of ours.
import { ApiUnreachable, type ApiAnswer, type ApiRequest } from '@api/transport';
import { isRecord } from './storage';

const kEarly = new Set(['/api/v1/price-book', '/api/v1/shop']);

/** Null when this was not asked for early, or was taken before. */
export function earlyAnswer(request: ApiRequest): Promise<ApiAnswer<unknown>> | null {
  if (request.method !== 'GET' || !kEarly.delete(request.path)) return null;
  return take(request);
}

async function take(request: ApiRequest): Promise<ApiAnswer<unknown>> {
  try {
    const response = await fetch(request.path, { credentials: 'same-origin' });
    const { status } = response;
    if (request.ifNoneMatch && response.headers.get('etag') === `"${request.ifNoneMatch}"`) return { status: 304, body: null };
    if (request.binary && status < 300) return { status, body: await response.arrayBuffer() };
    const body: unknown = await response.json().catch(() => null);
    const wait = Number(response.headers.get('retry-after') ?? 0);
    return { status, body: wait > 0 && isRecord(body) ? { ...body, retry_after_s: wait } : body };
  } catch (failed) {
    throw new ApiUnreachable(String(failed));
  }
}
