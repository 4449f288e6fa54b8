import { cancelOrder, confirmPayment, getOrder } from '@api/orders';
import { startPayment } from '@api/payments';
import type { Order } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { LiveOrder } from '@/live';
import { newIdempotencyKey } from '@/random';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { useSession } from './session';

const kFirstPollMs = 2_000;
const kSlowestPollMs = 5_000;
const kPollGrowth = 1.25;
const kLivePollMs = 20_000; // the server may drop a hint when it is very busy, never the change itself
const kSheetAddress = /^https?:\/\//;
const kOver = ['succeeded', 'refunded'];

/** Kept while the buyer is away at the payment sheet. */
interface Leaving {
  order_id: string;
}
function isLeaving(value: unknown): value is Leaving {
  return isRecord(value) && typeof value.order_id === 'string';
}

/** The one order on the screen: live by socket, by polling while the socket is away. */
export const useOrder = defineStore('order', () => {
  const id = ref('');
  const order = shallowRef<Order | null>(null);
  /** The order could not be read. */
  const failure = ref<Failure | null>(null);
  /** What the buyer last asked for was refused; stays until the next attempt. */
  const refusal = ref<Failure | null>(null);
  const confirming = ref(false);
  const busy = ref<'' | 'pay' | 'cancel'>('');
  const live = ref(false);
  /** Add to Date.now() for the server's time. */
  const clockAheadMs = ref(0);
  let socket: LiveOrder | null = null;
  let poll: ReturnType<typeof setTimeout> | null = null;
  let pollMs = kFirstPollMs;

  const isOver = computed(() => order.value !== null && kOver.includes(order.value.state));

  function lastSeq(one: Order | null): number {
    return one?.events.reduce((seq, event) => Math.max(seq, event.seq), 0) ?? 0;
  }

  function take(fresh: Order): void {
    if (fresh.order_id !== id.value || lastSeq(fresh) < lastSeq(order.value)) return;
    order.value = fresh;
    clockAheadMs.value = fresh.now_ms - Date.now();
    failure.value = null;
    if (isOver.value) hush();
  }

  async function fetchNow(): Promise<void> {
    const asked = id.value;
    try {
      take(await getOrder(send, asked));
    } catch (failed) {
      if (asked === id.value) failure.value = failureOf(failed);
    }
  }

  function pollLater(): void {
    if (poll !== null) clearTimeout(poll);
    const pause = live.value ? kLivePollMs : pollMs;
    poll = setTimeout(async () => {
      poll = null;
      if (socket === null) return;
      if (!live.value) pollMs = Math.min(kSlowestPollMs, pollMs * kPollGrowth);
      await fetchNow();
      if (socket !== null) pollLater();
    }, pause);
  }

  function hush(): void {
    if (poll !== null) clearTimeout(poll);
    poll = null;
    const old = socket;
    socket = null;
    old?.stop();
  }

  function listen(): void {
    if (socket !== null || isOver.value || id.value === '') return;
    socket = new LiveOrder(id.value, () => useSession().token(), {
      order: take,
      connected: (yes) => {
        if (live.value === yes) return;
        live.value = yes;
        if (socket !== null) pollLater();
      },
    });
    pollMs = kFirstPollMs;
    socket.start();
    pollLater();
  }

  /** Asks the channel once after the buyer has come back from the sheet. */
  async function confirmReturn(): Promise<void> {
    const leaving = readStored('leaving', isLeaving);
    if (leaving === null || leaving.order_id !== id.value || confirming.value) return;
    removeStored('leaving');
    confirming.value = true;
    try {
      take(await confirmPayment(send, id.value));
    } catch {
      await fetchNow(); // the channel may be out of reach; the server goes on asking by itself
    } finally {
      confirming.value = false;
    }
  }

  async function open(orderId: string): Promise<void> {
    if (orderId !== id.value) {
      hush();
      order.value = null;
      failure.value = null;
      refusal.value = null;
      confirming.value = false;
    }
    id.value = orderId;
    busy.value = '';
    await Promise.all([fetchNow(), confirmReturn()]);
    listen();
  }

  /** Gives the address of the payment sheet, or null when it was refused. The caller goes there. */
  async function pay(): Promise<string | null> {
    if (busy.value !== '') return null;
    busy.value = 'pay';
    refusal.value = null;
    try {
      const request = { channel: 'wechat', scene: 'h5', return_path: `/#/pages/order/order?id=${encodeURIComponent(id.value)}` } as const;
      const payment = await startPayment(send, id.value, request, newIdempotencyKey());
      if (payment.h5_url && kSheetAddress.test(payment.h5_url)) {
        const leaving: Leaving = { order_id: id.value };
        writeStored('leaving', leaving);
        return payment.h5_url; // stays busy: the page is about to go
      }
      refusal.value = { reason: 'channel_unavailable', trace: '' };
    } catch (failed) {
      refusal.value = failureOf(failed);
    }
    busy.value = '';
    return null;
  }

  async function cancel(): Promise<void> {
    if (busy.value !== '') return;
    busy.value = 'cancel';
    refusal.value = null;
    try {
      take(await cancelOrder(send, id.value));
    } catch (failed) {
      refusal.value = failureOf(failed);
      await fetchNow();
    } finally {
      busy.value = '';
    }
  }

  return { id, order, failure, refusal, confirming, busy, live, clockAheadMs, isOver, open, close: hush, listen, fetchNow, confirmReturn, pay, cancel };
});
