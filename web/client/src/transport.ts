// The one place that speaks HTTP: session, idempotency key, repeats of what is safe to repeat, failures as two types.
import { ApiRefused, ApiUnreachable, type ApiAnswer, type ApiRequest, type Send } from '@api/transport';
import type { Problem } from '@api/types';
import { isRecord } from './storage';

const kTimeoutMs = 15_000;
const kMaxTries = 3;
const kFirstPauseMs = 300;
const kMaxProblemBytes = 16 * 1024;
const kPausingReasons = ['idempotency_in_flight', 'busy', 'overloaded'];

/** What the transport needs of the stores; set once by App.vue. */
export interface TransportHooks {
  sessionToken(): Promise<string>;
  /** Called with the refused token; the next sessionToken() must give another. */
  sessionRefused(token: string, reason: string): void;
  reachable(yes: boolean): void;
}

let hooks: TransportHooks | null = null;
export function setTransportHooks(given: TransportHooks): void {
  hooks = given;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function asProblem(status: number, body: unknown): Problem {
  const found = isRecord(body) ? body : {};
  const reason = typeof found.reason === 'string' ? found.reason : status >= 500 ? 'internal_error' : 'unexpected_answer';
  const trace = typeof found.trace_id === 'string' ? found.trace_id : '';
  return { type: '', title: '', code: '', ...found, status, reason, trace_id: trace } as Problem;
}

function parsed(data: unknown): unknown {
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

// A refusal of a binary request is still a problem document, and its words are ASCII.
function bodyOf(request: ApiRequest, status: number, data: unknown): unknown {
  if (!(data instanceof ArrayBuffer)) return parsed(data);
  if (request.binary && status < 300) return data;
  return parsed(String.fromCharCode(...new Uint8Array(data.slice(0, kMaxProblemBytes))));
}

function once(request: ApiRequest, token: string): Promise<ApiAnswer<unknown>> {
  const header: Record<string, string> = { Accept: request.binary ? 'application/octet-stream' : 'application/json' };
  if (token !== '') header.Authorization = `Bearer ${token}`;
  if (request.body) header['Content-Type'] = 'application/json';
  if (request.idempotencyKey) header['Idempotency-Key'] = request.idempotencyKey;
  if (request.ifNoneMatch) header['If-None-Match'] = `"${request.ifNoneMatch}"`;
  return new Promise((resolve, reject) => {
    uni.request({
      url: request.path,
      method: request.method,
      header,
      data: request.body ? JSON.stringify(request.body) : undefined,
      dataType: 'text',
      responseType: request.binary ? 'arraybuffer' : 'text',
      timeout: kTimeoutMs,
      success: ({ statusCode: status, data }) => resolve({ status, body: bodyOf(request, status, data) }),
      fail: (failed) => reject(new ApiUnreachable(failed.errMsg)),
    });
  });
}

function isRepeatable(request: ApiRequest): boolean {
  return request.method === 'GET' || request.idempotencyKey !== undefined;
}

// One request with its session; a refused session is replaced once.
async function withSession(request: ApiRequest): Promise<ApiAnswer<unknown>> {
  if (!request.session || hooks === null) return once(request, '');
  const token = await hooks.sessionToken();
  const answer = await once(request, token);
  if (answer.status !== 401) return answer;
  const reason = asProblem(401, answer.body).reason;
  if (!reason.startsWith('session_')) return answer;
  hooks.sessionRefused(token, reason);
  return once(request, await hooks.sessionToken());
}

function isSettled(answer: ApiAnswer<unknown>): boolean {
  return (answer.status >= 200 && answer.status < 300) || answer.status === 304;
}

export const send: Send = async <T>(request: ApiRequest): Promise<ApiAnswer<T>> => {
  const tries = isRepeatable(request) ? kMaxTries : 1;
  for (let attempt = 1; ; ++attempt) {
    try {
      const answer = await withSession(request);
      hooks?.reachable(true);
      if (isSettled(answer)) return answer as ApiAnswer<T>;
      const problem = asProblem(answer.status, answer.body);
      if (attempt >= tries || !kPausingReasons.includes(problem.reason)) throw new ApiRefused(problem);
    } catch (failed) {
      if (!(failed instanceof ApiUnreachable) || attempt >= tries) {
        if (failed instanceof ApiUnreachable) hooks?.reachable(false);
        throw failed;
      }
    }
    await pause(kFirstPauseMs * 2 ** (attempt - 1));
  }
};
