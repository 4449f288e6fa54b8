// What a resource needs of the outside: one function. The page's build injects it (fetch, uni.request, a test's own).
import type { Problem } from './types';

export interface ApiRequest {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: object;
  /** Same key, same effect: makes a POST safe to repeat. */
  idempotencyKey?: string;
  /** True when the buyer's session must go along; 'if_any' when it goes along if there is one. */
  session?: boolean | 'if_any';
  /** A session other than the buyer's own, for the request that replaces it. */
  token?: string;
  /** True when the answer is another session, after which the one that went along may no longer be good. */
  replacesSession?: true;
  /** True when the answer is bytes, not JSON. */
  binary?: boolean;
  /** The fingerprint we already hold; the server may answer 304. */
  ifNoneMatch?: string;
}

export interface ApiAnswer<T> {
  status: number;
  body: T;
}

/** Resolves for 2xx and 304 only; otherwise throws ApiRefused or ApiUnreachable. */
export type Send = <T>(request: ApiRequest) => Promise<ApiAnswer<T>>;

/** The server said no, and why. */
export class ApiRefused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.reason);
    this.name = 'ApiRefused';
  }
}

/** Nobody answered: the outcome of a POST is not known. */
export class ApiUnreachable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ApiUnreachable';
  }
}
