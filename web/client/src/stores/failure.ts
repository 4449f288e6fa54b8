import { ApiRefused } from '@api/transport';

/** What went wrong, ready to be told: a reason word and the short code that support asks for. */
export interface Failure {
  reason: string;
  trace: string;
}

const kTraceShown = 8;

export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof ApiRefused) {
    return { reason: thrown.problem.reason, trace: thrown.problem.trace_id.slice(0, kTraceShown) };
  }
  return { reason: 'network_unreachable', trace: '' };
}
