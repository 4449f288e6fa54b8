import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';

import { getOverview } from '../api/overview';
import type { Overview } from '../api/types';
import { asProblem, type Problem } from '../transport';

export const useOverview = defineStore('overview', () => {
  const data = shallowRef<Overview | null>(null);
  const readAtMs = ref(0);
  const problem = shallowRef<Problem | null>(null);
  const busy = ref(false);

  async function load(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    try {
      data.value = await getOverview();
      readAtMs.value = Date.now();
      problem.value = null;
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  }
  return { data, readAtMs, problem, busy, load };
});
