import { cancelOrder, confirmPayment, getOrder } from '@api/orders';
import { startPayment } from '@api/payments';
import { ApiRefused } from '@api/transport';
import type { Checkout, Order, Payment } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { LiveOrder } from '@/live';
import { newIdempotencyKey } from '@/random';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { openWechatSheet } from '@/wechat_sheet';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { useChannels } from './channels';
import { orderPath } from './order_path';
import { useSession } from './session';
import { useShop } from './shop';
import { journeyFor } from './wechat_identity';

const kFirstPollMs = 2_000;
const kSlowestPollMs = 5_000;
const kPollGrowth = 1.25;
const kLivePollMs = 20_000; // the server may drop a hint when it is very busy, never the change itself
const kSheetAddress = /^https?:\/\//;
const kOver = ['succeeded', 'refunded'];
const kUnpaid = ['awaiting_payment', 'paying'];
/** After a sheet that was paid: how long to wait for the server's word before paying is offered again. */
const kConfirmingMs = 60_000;

export interface PayCode {
  text: string;
  channel: Payment['channel'];
  expires_at_ms: number;
}

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
  /** A code for a phone to scan, while this page waits for it. */
  const code = ref<PayCode | null>(null);
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
    if (!fresh.allowed.includes('pay')) code.value = null;
    clockAheadMs.value = fresh.now_ms - Date.now();
    failure.value = null;
    if (!kUnpaid.includes(fresh.word)) confirming.value = false;
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
      service: useShop().takeService,
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

  let givingUp: ReturnType<typeof setTimeout> | null = null;
  /** A sheet that lay over the page says that it was paid. Whether that is so only the server says; until then it is asked. */
  async function confirmSheet(): Promise<void> {
    confirming.value = true;
    if (givingUp !== null) clearTimeout(givingUp);
    givingUp = setTimeout(() => (confirming.value = false), kConfirmingMs);
    try {
      take(await confirmPayment(send, id.value));
    } catch {
      await fetchNow(); // the channel may be out of reach; the server goes on asking by itself
    }
  }

  function turnTo(orderId: string): void {
    if (orderId !== id.value) {
      hush();
      order.value = null;
      failure.value = null;
      refusal.value = null;
      confirming.value = false;
      code.value = null;
    }
    id.value = orderId;
    busy.value = '';
  }

  async function open(orderId: string): Promise<void> {
    turnTo(orderId);
    await Promise.all([fetchNow(), confirmReturn()]);
    listen();
  }

  /** An order that has just been placed: nothing has to be asked, its sheet opens. Gives an address like pay(). */
  async function openPlaced({ order: made, payment, payment_problem: problem }: Checkout): Promise<string | null> {
    turnTo(made.order_id);
    take(made);
    listen();
    if (payment) return openBy(() => Promise.resolve(payment));
    if (problem && made.allowed.includes('pay')) return openBy(() => Promise.reject(new ApiRefused(problem)));
    return null; // it waits for somebody, and says so
  }

  function rememberLeaving(): void {
    const leaving: Leaving = { order_id: id.value };
    writeStored('leaving', leaving);
  }

  /** Opens the sheet that the payment is for. Gives an address when the sheet is a page of its own. */
  async function openSheet(payment: Payment): Promise<string | null> {
    if (payment.h5_url && kSheetAddress.test(payment.h5_url)) {
      rememberLeaving();
      return payment.h5_url;
    }
    if (payment.code_url) {
      code.value = { text: payment.code_url, channel: payment.channel, expires_at_ms: payment.expires_at_ms };
      return null;
    }
    if (payment.invoke) {
      const end = await openWechatSheet(payment.invoke);
      if (end === 'failed') refusal.value = { reason: 'sheet_failed', trace: '' };
      if (end === 'paid') await confirmSheet();
      else await fetchNow();
      return null;
    }
    refusal.value = { reason: 'channel_unavailable', trace: '' };
    return null;
  }

  async function openBy(start: () => Promise<Payment>): Promise<string | null> {
    if (busy.value !== '') return null;
    busy.value = 'pay';
    refusal.value = null;
    code.value = null;
    try {
      const address = await openSheet(await start());
      if (address !== null) return address; // stays busy: the page is about to go
    } catch (failed) {
      refusal.value = failureOf(failed);
      const journey = refusal.value.reason === 'openid_missing' ? journeyFor(id.value) : null;
      if (journey !== null) return journey;
      void useChannels().load(); // another way may do
    }
    busy.value = '';
    return null;
  }

  /** Gives the address of the payment sheet where it is a page of its own; the caller goes there. */
  function pay(): Promise<string | null> {
    const { chosen: channel, scene } = useChannels();
    const request = { channel, scene, return_path: orderPath(id.value) };
    return openBy(() => startPayment(send, id.value, request, newIdempotencyKey()));
  }

  /** The buyer says that the code has been paid: asks the channel now. */
  async function askNow(): Promise<void> {
    rememberLeaving();
    await confirmReturn();
  }
  /** Another way to pay was picked: its sheet takes the code's place. */
  function putCodeAway(): void {
    code.value = null;
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

  return { id, order, failure, refusal, confirming, busy, live, code, askNow, putCodeAway, clockAheadMs, isOver, open, openPlaced, close: hush, listen, fetchNow, confirmReturn, pay, cancel };
});
