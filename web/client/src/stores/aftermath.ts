// What a buyer may do once an order is paid: look at a voucher's codes, and ask for the money back.
import { getRefundRequest, requestRefund, revealPins } from '@api/orders';
import type { Pin, RefundRequest } from '@api/types';
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';

export const kMostReasonCharacters = 60;

export const useAftermath = defineStore('aftermath', () => {
  const orderId = ref('');
  const refund = shallowRef<RefundRequest | null>(null);
  const pins = shallowRef<Pin[]>([]);
  const busy = ref<'' | 'refund' | 'pins'>('');
  const failure = ref<Failure | null>(null);

  /** Reads anew whenever the order has changed. Codes are never fetched unasked: each look is written down. */
  async function follow(id: string): Promise<void> {
    if (id !== orderId.value) {
      refund.value = null;
      pins.value = [];
      failure.value = null;
    }
    orderId.value = id;
    try {
      const read = await getRefundRequest(send, id);
      if (id === orderId.value) refund.value = read;
    } catch {
      return; // the order itself says what matters
    }
  }

  async function during(what: 'refund' | 'pins', act: () => Promise<void>): Promise<boolean> {
    if (busy.value !== '') return false;
    busy.value = what;
    failure.value = null;
    try {
      await act();
      return true;
    } catch (failed) {
      failure.value = failureOf(failed);
      return false;
    } finally {
      busy.value = '';
    }
  }
  function ask(reason: string, atOnce = false): Promise<boolean> {
    return during('refund', async () => {
      refund.value = await requestRefund(send, orderId.value, reason, atOnce);
    });
  }
  function reveal(): Promise<boolean> {
    return during('pins', async () => {
      pins.value = await revealPins(send, orderId.value);
    });
  }
  function hidePins(): void {
    pins.value = [];
  }

  return { refund, pins, busy, failure, follow, ask, reveal, hidePins };
});
