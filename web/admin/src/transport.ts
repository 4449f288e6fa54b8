// The only caller of fetch. A refusal, a broken connection and an unreadable answer all arrive as a Problem.
import type { ProblemDocument } from './api/types';

const kDeadlineMs = 15_000;

export interface FieldFault {
  field: string;
  reason: string;
  detail: string;
}

export class Problem extends Error {
  readonly status: number; // 0 when no answer came
  readonly reason: string; // the server's stable word, or one of ours: network_unreachable, timed_out, answer_malformed
  readonly detail: string;
  readonly traceId: string; // "" when none is known
  readonly retryAfterS: number | null;
  readonly errors: FieldFault[]; // of a form: every field that was wrong

  constructor(given: {
    status: number;
    reason: string;
    title?: string;
    detail?: string;
    traceId?: string;
    retryAfterS?: number | null;
    errors?: FieldFault[];
  }) {
    super(given.title ?? given.reason);
    this.name = 'Problem';
    this.status = given.status;
    this.reason = given.reason;
    this.detail = given.detail ?? '';
    this.traceId = given.traceId ?? '';
    this.retryAfterS = given.retryAfterS ?? null;
    this.errors = given.errors ?? [];
  }
}

let onUnauthenticated: (() => void) | null = null;

// Called on every 401 outside signing in, before the Problem is thrown.
export function whenUnauthenticated(handler: () => void): void {
  onUnauthenticated = handler;
}

interface RequestOptions {
  body?: unknown;
  key?: string; // Idempotency-Key: what was tried once is tried again under the same one, see newKey()
  keepPageOn401?: boolean; // signing in and asking who is signed in: 401 is an answer there
}

export async function request<T>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  options: RequestOptions = {},
): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as T;
  const body = await read(response);
  if (response.ok) return body as T;
  if (response.status === 401 && !options.keepPageOn401) onUnauthenticated?.();
  throw refusal(response, body);
}

// One part of a file, as the server wrote it; a refusal is a Problem as everywhere.
export async function requestFile(
  path: string,
  body: unknown,
): Promise<{ text: string; rows: number; mostRows: number; next: string }> {
  const response = await send('POST', path, { body });
  if (!response.ok) {
    if (response.status === 401) onUnauthenticated?.();
    throw refusal(response, await read(response));
  }
  // Not text(): it would take the mark away by which a spreadsheet knows UTF-8.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await response.arrayBuffer());
  return {
    text,
    rows: Number(response.headers.get('X-Rows') ?? 0),
    mostRows: Number(response.headers.get('X-Most-Rows') ?? 0),
    next: response.headers.get('X-Next-Cursor') ?? '',
  };
}

// A key for one deed of a person, kept by whoever asks until the deed is answered.
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function send(
  method: string,
  path: string,
  { body, key }: RequestOptions,
): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Requested-With'] = 'topup-console';
  if (key !== undefined) headers['Idempotency-Key'] = key;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(kDeadlineMs),
    });
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    throw new Problem({ status: 0, reason: late ? 'timed_out' : 'network_unreachable' });
  }
}

async function read(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    if (response.ok) throw new Problem({ status: response.status, reason: 'answer_malformed' });
    return null; // a refusal without a readable document still has its status
  }
}

function refusal(response: Response, body: unknown): Problem {
  const document = (typeof body === 'object' && body !== null ? body : {}) as Partial<ProblemDocument>;
  // A locked account says in `detail` for how many seconds.
  const locked = document.reason === 'locked_out' ? document.detail : undefined;
  const after = response.headers.get('Retry-After') ?? locked ?? '';
  return new Problem({
    status: response.status,
    reason: document.reason ?? `http_${response.status}`,
    title: document.title,
    detail: document.detail,
    traceId: document.trace_id,
    errors: document.errors,
    retryAfterS: /^\d{1,6}$/.test(after) ? Number(after) : null,
  });
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem
    ? error
    : new Problem({ status: 0, reason: 'page_fault', detail: String(error) });
}
