import { findOrder } from '@api/orders';
import type { FoundOrder } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';

const kTailDigits = 4;

/** One order of a guest, found by its number and the end of the number that was topped up. */
export const useFind = defineStore('find', () => {
  const orderId = ref('');
  const tail = ref('');
  const order = ref<FoundOrder | null>(null);
  const failure = ref<Failure | null>(null);
  const busy = ref(false);
  const ready = computed(() => orderId.value !== '' && tail.value.length === kTailDigits);

  function typeOrder(text: string): void {
    orderId.value = text.trim().toUpperCase();
    order.value = null;
  }
  function typeTail(text: string): void {
    tail.value = text.replace(/\D/g, '').slice(-kTailDigits);
    order.value = null;
  }
  async function search(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    order.value = null;
    try {
      order.value = await findOrder(send, orderId.value, tail.value);
    } catch (failed) {
      failure.value = failureOf(failed);
    } finally {
      busy.value = false;
    }
  }
  return { orderId, tail, order, failure, busy, ready, typeOrder, typeTail, search };
});
