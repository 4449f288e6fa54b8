// Today by hour, and the last days.
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';

import { getFigures } from '../api/desk';
import type { Figures } from '../api/desk_types';
import { asProblem, type Problem } from '../transport';

export const useFigures = defineStore('figures', () => {
  const data = shallowRef<Figures | null>(null);
  const problem = shallowRef<Problem | null>(null);
  let busy = false;

  async function load(): Promise<void> {
    if (busy) return;
    busy = true;
    try {
      data.value = await getFigures();
      problem.value = null;
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy = false;
    }
  }
  return { data, problem, load };
});
