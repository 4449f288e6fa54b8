// One deed on many rows, one after the other: bounded by its name, with progress, stoppable, and with a result for each
// row. Told to slow down it waits as long as it is told, so often and no more, and goes on with the same row.
import { computed, ref, shallowRef } from 'vue';

import { asProblem, type Problem } from '../transport';

// At most so many rows at once.
export const kMostAtOnce = { query: 50, claim: 50, note: 50, resend: 20, retry_job: 50 } as const;
export type BulkDeed = keyof typeof kMostAtOnce;
export const kBulkDeeds = ['query', 'claim', 'note', 'resend'] as const;

const kMostWaits = 6;
const kLongestWaitS = 30;

export interface BulkResult {
  id: string;
  outcome: 'done' | 'nothing' | 'refused' | 'left';
  problem: Problem | null;
}
// Refusals that only say that this row did not need it.
const kNothing = new Set(['nothing_to_ask', 'nothing_to_claim', 'nothing_to_resend', 'job_not_found', 'job_not_dead']);

export function useBulkRun(sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))) {
  const results = shallowRef<BulkResult[]>([]);
  const total = ref(0);
  const busy = ref(false);
  const waiting = ref(0); // seconds that the server asked to wait
  let stopped = false;

  const done = computed(() => results.value.length);
  const count = (outcome: BulkResult['outcome']) => results.value.filter((one) => one.outcome === outcome).length;

  // `act` says whether something was done.
  async function one(id: string, act: (id: string) => Promise<boolean>): Promise<BulkResult> {
    for (let waits = 0; ; waits += 1) {
      try {
        return { id, outcome: (await act(id)) ? 'done' : 'nothing', problem: null };
      } catch (error) {
        const problem = asProblem(error);
        if (kNothing.has(problem.reason)) return { id, outcome: 'nothing', problem };
        const waitS = problem.reason === 'rate_limited' ? (problem.retryAfterS ?? 1) : 0;
        if (waitS === 0 || waitS > kLongestWaitS || waits >= kMostWaits || stopped) return { id, outcome: 'refused', problem };
        waiting.value = waitS;
        await sleep(waitS * 1_000);
        waiting.value = 0;
        if (stopped) return { id, outcome: 'left', problem: null };
      }
    }
  }
  async function run(ids: string[], deed: BulkDeed, act: (id: string) => Promise<boolean>): Promise<void> {
    if (busy.value) return;
    const within = ids.slice(0, kMostAtOnce[deed]);
    busy.value = true;
    stopped = false;
    results.value = [];
    total.value = within.length;
    for (const id of within) {
      const result: BulkResult = stopped ? { id, outcome: 'left', problem: null } : await one(id, act);
      results.value = [...results.value, result];
    }
    busy.value = false;
  }
  const stop = () => (stopped = true);
  const clear = () => (results.value = []);
  return { results, total, busy, waiting, done, count, run, stop, clear };
}
