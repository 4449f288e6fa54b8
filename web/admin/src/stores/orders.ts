// The list of orders: newest first, as narrow as the filter, pages by cursor.
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';

import { kNoFilter, listOrders, type OrderFilter } from '../api/orders';
import type { AdminOrderRow, Order } from '../api/types';
import { asProblem, type Problem } from '../transport';

export const useOrders = defineStore('orders', () => {
  const filter = ref<OrderFilter>({ ...kNoFilter });
  const rows = shallowRef<AdminOrderRow[]>([]);
  const cursor = ref('');
  const pages = ref(0);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  let turn = 0; // an answer to an older question is dropped

  const loaded = computed(() => pages.value > 0);

  async function ask(
    wanted: OrderFilter,
    from: string,
    take: (page: Awaited<ReturnType<typeof listOrders>>) => void,
  ): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    try {
      const page = await listOrders(wanted, from);
      if (mine !== turn) return;
      take(page);
      cursor.value = page.next_cursor ?? '';
      problem.value = null;
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }

  const same = (one: OrderFilter, other: OrderFilter) => JSON.stringify(one) === JSON.stringify(other);

  async function show(wanted: OrderFilter): Promise<void> {
    if (!same(wanted, filter.value)) {
      rows.value = [];
      pages.value = 0;
      cursor.value = '';
    }
    filter.value = { ...wanted };
    await ask(wanted, '', (page) => {
      rows.value = page.orders;
      pages.value = 1;
    });
  }
  async function more(): Promise<void> {
    if (cursor.value === '' || busy.value) return;
    await ask(filter.value, cursor.value, (page) => {
      const known = new Set(rows.value.map((row) => row.order_id));
      rows.value = [...rows.value, ...page.orders.filter((row) => !known.has(row.order_id))];
      pages.value += 1;
    });
  }
  // Quiet; only while one page is shown, so that nobody's place in a long list moves.
  async function refresh(): Promise<void> {
    if (pages.value === 1 && !busy.value) await show(filter.value);
  }
  // The panel knows better than the list what state an order is in now.
  function note(order: Order): void {
    rows.value = rows.value.map((row) =>
      row.order_id === order.order_id ? { ...row, state: order.state, word: order.word } : row,
    );
  }
  function neighbour(orderId: string, step: 1 | -1): string | null {
    const at = rows.value.findIndex((row) => row.order_id === orderId);
    const to = at === -1 ? 0 : at + step;
    return rows.value[to]?.order_id ?? null;
  }
  return { filter, rows, cursor, loaded, busy, problem, show, more, refresh, note, neighbour };
});
