import { getOrder, listOrders, orderChanges, type OrderFilter } from '@api/orders';
import type { OrderRow } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { useNetwork } from './network';

const kLookMs = 5_000;
const kTailDigits = 4;
const kOrderNumber = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** The chips, as the server calls them; '' is all. */
export const kOrderStates = ['', 'awaiting_payment', 'paying', 'recharging', 'succeeded', 'failed'] as const;
export type OrderStateChip = (typeof kOrderStates)[number];

/** The buyer's own orders, a page at a time, and what changes among them while they are looked at. */
export const useOrders = defineStore('orders', () => {
  const list = ref<OrderRow[]>([]);
  const next = ref('');
  const loading = ref(false);
  const loaded = ref(false);
  const failure = ref<Failure | null>(null);
  const state = ref<OrderStateChip>('');
  const typed = ref('');
  /** An order number that is none of the buyer's: another page finds it, given the end of its recipient's number. */
  const foreign = ref('');
  let changedAt = 0;
  let looking: ReturnType<typeof setInterval> | null = null;
  let asked = 0;

  const plain = computed(() => typed.value.normalize('NFKC').replace(/\s/g, '').toUpperCase());
  const tail = computed(() => (/^\d+$/.test(plain.value) && plain.value.length >= kTailDigits ? plain.value.slice(-kTailDigits) : ''));
  const orderNumber = computed(() => (kOrderNumber.test(plain.value) ? plain.value : ''));
  const isFiltered = computed(() => state.value !== '' || plain.value !== '');
  const filter = computed<OrderFilter>(() => ({ state: state.value, tail: tail.value }));

  async function load(cursor: string): Promise<void> {
    const mine = ++asked;
    loading.value = true;
    failure.value = null;
    try {
      const page = await listOrders(send, cursor, filter.value);
      if (mine !== asked) return;
      const known = cursor === '' ? [] : list.value;
      const ids = new Set(known.map((one) => one.order_id));
      list.value = [...known, ...page.orders.filter((one) => !ids.has(one.order_id))];
      next.value = page.next_cursor ?? '';
      loaded.value = true;
    } catch (failed) {
      if (mine === asked) failure.value = failureOf(failed);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }
  function refresh(): Promise<void> {
    return load('');
  }
  async function more(): Promise<void> {
    if (next.value !== '' && !loading.value) await load(next.value);
  }

  async function choose(wanted: OrderStateChip): Promise<void> {
    state.value = wanted;
    await refresh();
  }
  /** Digits look for the end of a number at once; a whole order number is looked up. Gives the order to open. */
  async function search(text: string): Promise<string> {
    const before = tail.value;
    typed.value = text;
    foreign.value = '';
    if (tail.value !== before) await refresh();
    return orderNumber.value === '' ? '' : lookUp(orderNumber.value);
  }
  async function lookUp(id: string): Promise<string> {
    try {
      return (await getOrder(send, id)).order_id;
    } catch (failed) {
      const why = failureOf(failed);
      if (why.reason === 'order_not_found') foreign.value = id;
      else failure.value = why;
      return '';
    }
  }

  async function look(): Promise<void> {
    if (!useNetwork().online || loading.value) return;
    try {
      const answer = await orderChanges(send, changedAt);
      const isFirst = changedAt === 0;
      changedAt = answer.last;
      if (isFirst) return;
      const fresh = new Map(answer.changes.map((one) => [one.order_id, one]));
      const isNew = [...fresh.keys()].some((id) => !list.value.some((one) => one.order_id === id));
      if (answer.resync || answer.more || isNew || (state.value !== '' && fresh.size > 0)) await refresh();
      else if (fresh.size > 0) list.value = list.value.map((one) => fresh.get(one.order_id) ?? one);
    } catch {
      return; // the next look may reach the shop
    }
  }
  /** Keeps the list true while its page is seen. */
  function watchChanges(): void {
    if (looking !== null) return;
    changedAt = 0;
    void look();
    looking = setInterval(() => void look(), kLookMs);
  }
  function unwatch(): void {
    if (looking !== null) clearInterval(looking);
    looking = null;
  }

  return {
    list, next, loading, loaded, failure, state, typed, foreign, isFiltered,
    refresh, more, choose, search, watchChanges, unwatch,
  };
});
