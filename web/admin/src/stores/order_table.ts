// States and the ways between them, read once: they change only with the program.
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';

import type { OrderTable } from '../api/desk_types';
import { getOrderTable } from '../api/orders';

export const useOrderTable = defineStore('order_table', () => {
  const data = shallowRef<OrderTable | null>(null);
  async function load(): Promise<void> {
    if (data.value !== null) return;
    try {
      data.value = await getOrderTable();
    } catch {
      data.value = null; // the drawing is left out; the story tells the same
    }
  }
  return { data, load };
});
