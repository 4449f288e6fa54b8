import { listOrders } from '@api/orders';
import type { OrderRow } from '@api/types';
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';

/** The buyer's own orders, a page at a time. */
export const useOrders = defineStore('orders', () => {
  const list = ref<OrderRow[]>([]);
  const next = ref('');
  const loading = ref(false);
  const loaded = ref(false);
  const failure = ref<Failure | null>(null);

  async function load(cursor: string): Promise<void> {
    if (loading.value) return;
    loading.value = true;
    failure.value = null;
    try {
      const page = await listOrders(send, cursor);
      const known = cursor === '' ? [] : list.value;
      const ids = new Set(known.map((one) => one.order_id));
      list.value = [...known, ...page.orders.filter((one) => !ids.has(one.order_id))];
      next.value = page.next_cursor ?? '';
      loaded.value = true;
    } catch (failed) {
      failure.value = failureOf(failed);
    } finally {
      loading.value = false;
    }
  }
  function refresh(): Promise<void> {
    return load('');
  }
  async function more(): Promise<void> {
    if (next.value !== '') await load(next.value);
  }
  return { list, next, loading, loaded, failure, refresh, more };
});
