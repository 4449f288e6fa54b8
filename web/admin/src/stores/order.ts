// The order in the side panel.
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';

import { getOrder } from '../api/orders';
import type { AdminOrder } from '../api/types';
import { isFinal } from '../format/state';
import { asProblem, type Problem } from '../transport';

export const useOrder = defineStore('order', () => {
  const id = ref('');
  const data = shallowRef<AdminOrder | null>(null);
  const readAtMs = ref(0);
  const problem = shallowRef<Problem | null>(null);

  const final = computed(() => data.value !== null && isFinal(data.value.order.state));

  async function open(orderId: string): Promise<void> {
    if (orderId !== id.value) {
      id.value = orderId;
      data.value = null;
      problem.value = null;
    }
    await load();
  }
  async function load(): Promise<void> {
    const asked = id.value;
    try {
      const answer = await getOrder(asked);
      if (asked !== id.value) return;
      data.value = answer;
      readAtMs.value = Date.now();
      problem.value = null;
    } catch (error) {
      if (asked === id.value) problem.value = asProblem(error);
    }
  }
  return { id, data, readAtMs, problem, final, open, load };
});
