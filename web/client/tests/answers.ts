// Plays the shop for one test: what it was asked, and what it answers, by "METHOD path".
import { ApiRefused, type ApiRequest } from '@api/transport';
import { vi } from 'vitest';

export const asked: ApiRequest[] = [];
type Answer = object | ((request: ApiRequest) => object);
const answers = new Map<string, Answer>();

export function answer(what: string, how: Answer): void {
  answers.set(what, how);
}
export function refusal(reason: string, status: number, more: object = {}): () => never {
  return () => {
    throw new ApiRefused({ type: '', title: '', code: '', status, reason, trace_id: 'abcdef012345', ...more });
  };
}
export function reset(): void {
  asked.length = 0;
  answers.clear();
}

vi.mock('@/transport', () => ({
  send: async (request: ApiRequest) => {
    asked.push(request);
    const found = answers.get(`${request.method} ${request.path}`);
    if (found === undefined) throw new Error(`nobody plays ${request.method} ${request.path}`);
    return { status: 200, body: typeof found === 'function' ? found(request) : found };
  },
  setTransportHooks: () => undefined,
}));
