// The one place that speaks HTTP: session, idempotency key, repeats of what is safe to repeat, failures as two types.
import { ApiRefused, ApiUnreachable, type ApiAnswer, type ApiRequest, type Send } from '@api/transport';
import type { Problem } from '@api/types';
// #ifdef H5
import { earlyAnswer } from './early';
// #endif
import { newIdempotencyKey } from './random';
import { shopOrigin } from './shop_address';
import { isRecord, readStored, writeStored } from './storage';

const kTimeoutMs = 15_000;
const kMaxTries = 3;
const kFirstPauseMs = 300;
const kMaxProblemBytes = 16 * 1024;
const kPausingReasons = ['idempotency_in_flight', 'busy', 'overloaded'];
const kServiceReasons = ['maintenance', 'degraded'];

/** What the transport needs of the stores; set once by App.vue. */
export interface TransportHooks {
  sessionToken(): Promise<string>;
  hasSession(): boolean;
  /** Called with the refused token; the next sessionToken() must give another. False when the buyer must hear of it first,
   *  because the next one is somebody else's: what was asked for is not repeated then. `isChange`: the request itself was
   *  to give another session. */
  sessionRefused(token: string, isChange: boolean): Promise<boolean>;
  reachable(yes: boolean, askedAtMs: number): void;
  /** The shop serves less than usual, or more again: worth asking how much. */
  serviceRefused(): void;
}

let hooks: TransportHooks | null = null;
export function setTransportHooks(given: TransportHooks): void {
  hooks = given;
}

function isDevice(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{16,64}$/.test(value);
}

let device = '';
/** Tells this device from others behind the same address, so that their haste does not slow it. Says nothing else. */
function deviceId(): string {
  if (device !== '') return device;
  device = readStored('device', isDevice) ?? newIdempotencyKey();
  writeStored('device', device);
  return device;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Seconds of a Retry-After header; undefined when there is none. */
function waitOf(header: unknown): number | undefined {
  if (!isRecord(header)) return undefined;
  const name = Object.keys(header).find((one) => one.toLowerCase() === 'retry-after');
  const seconds = name === undefined ? Number.NaN : Number(header[name]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
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
  // #ifdef H5
  const early = earlyAnswer(request);
  if (early !== null) return early;
  // #endif
  const header: Record<string, string> = { Accept: request.binary ? 'application/octet-stream' : 'application/json' };
  header['X-Device-Id'] = deviceId();
  if (token !== '') header.Authorization = `Bearer ${token}`;
  if (request.body) header['Content-Type'] = 'application/json';
  if (request.idempotencyKey) header['Idempotency-Key'] = request.idempotencyKey;
  if (request.ifNoneMatch) header['If-None-Match'] = `"${request.ifNoneMatch}"`;
  return new Promise((resolve, reject) => {
    uni.request({
      url: shopOrigin + request.path,
      method: request.method,
      header,
      data: request.body ? JSON.stringify(request.body) : undefined,
      dataType: 'text',
      responseType: request.binary ? 'arraybuffer' : 'text',
      timeout: kTimeoutMs,
      success: ({ statusCode: status, data, header: heard }) => {
        const body = bodyOf(request, status, data);
        const wait = status < 300 || !isRecord(body) ? undefined : waitOf(heard);
        resolve({ status, body: wait === undefined ? body : { ...(body as object), retry_after_s: wait } });
      },
      fail: (failed) => reject(new ApiUnreachable(failed.errMsg)),
    });
  });
}

function isRepeatable(request: ApiRequest): boolean {
  return request.method === 'GET' || request.idempotencyKey !== undefined;
}

// One request with its session; a refused session is replaced once.
async function withSession(request: ApiRequest): Promise<ApiAnswer<unknown>> {
  if (!request.session || hooks === null) return once(request, request.token ?? '');
  if (request.session === 'if_any' && !hooks.hasSession()) return once(request, '');
  const token = await hooks.sessionToken();
  const answer = await once(request, token);
  if (answer.status !== 401) return answer;
  const reason = asProblem(401, answer.body).reason;
  if (!reason.startsWith('session_')) return answer;
  if (!(await hooks.sessionRefused(token, request.replacesSession === true))) return answer;
  return once(request, await hooks.sessionToken());
}

function isSettled(answer: ApiAnswer<unknown>): boolean {
  return (answer.status >= 200 && answer.status < 300) || answer.status === 304;
}

export const send: Send = async <T>(request: ApiRequest): Promise<ApiAnswer<T>> => {
  const tries = isRepeatable(request) ? kMaxTries : 1;
  for (let attempt = 1; ; ++attempt) {
    const askedAtMs = Date.now();
    try {
      const answer = await withSession(request);
      hooks?.reachable(true, askedAtMs);
      if (isSettled(answer)) return answer as ApiAnswer<T>;
      const problem = asProblem(answer.status, answer.body);
      if (kServiceReasons.includes(problem.reason)) hooks?.serviceRefused();
      if (attempt >= tries || !kPausingReasons.includes(problem.reason)) throw new ApiRefused(problem);
    } catch (failed) {
      if (!(failed instanceof ApiUnreachable) || attempt >= tries) {
        if (failed instanceof ApiUnreachable) hooks?.reachable(false, askedAtMs);
        throw failed;
      }
    }
    await pause(kFirstPauseMs * 2 ** (attempt - 1));
  }
};
