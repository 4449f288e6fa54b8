import { createOrder } from '@api/orders';
import { ApiRefused } from '@api/transport';
import type { Order, Quote } from '@api/types';
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { startCore } from '@/core/topup';
import { newIdempotencyKey } from '@/random';
import { isRecord, readStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { useCatalog } from './catalog';
import { failureOf, type Failure } from './failure';
import { useRecipients } from './recipients';

/** What the buyer is about to buy, and the key that makes however many taps one order. */
export interface Draft {
  product_id: string;
  operator_id: string;
  account: string;
  key: string;
  /** The fingerprint sent with the key; '' before the first send. A repeat must send the same. */
  sent_fingerprint: string;
  /** '' until the server has answered with an order. */
  order_id: string;
}

const kTexts = ['product_id', 'operator_id', 'account', 'key', 'sent_fingerprint', 'order_id'];
function isDraft(value: unknown): value is Draft {
  return isRecord(value) && kTexts.every((name) => typeof value[name] === 'string');
}

export const useCheckout = defineStore('checkout', () => {
  const draft = ref<Draft | null>(readStored('checkout', isDraft));
  const quote = ref<Quote | null>(null);
  /** The price that was shown before the server said otherwise. */
  const oldQuote = ref<Quote | null>(null);
  const failure = ref<Failure | null>(null);
  const placing = ref(false);
  /** The order to pay as soon as its page opens. In memory only: a reload must not open the sheet by itself. */
  const payNow = ref('');

  function save(next: Draft): void {
    draft.value = next;
    writeStored('checkout', next);
  }

  // A send without an answer may have made an order: the same purchase then goes on with the same key.
  function open(product_id: string, operator_id: string, account: string): void {
    const last = draft.value;
    const unanswered = last !== null && last.sent_fingerprint !== '' && last.order_id === '';
    if (unanswered && last.product_id === product_id && last.account === account) return;
    save({ product_id, operator_id, account, key: newIdempotencyKey(), sent_fingerprint: '', order_id: '' });
  }

  /** Prices the draft. Gives false when there is nothing to confirm. */
  async function price(): Promise<boolean> {
    quote.value = null;
    oldQuote.value = null;
    failure.value = null;
    const wanted = draft.value;
    if (wanted === null) return false;
    await useCatalog().ensure();
    const outcome = await (await startCore(send)).quote(wanted.product_id, wanted.account);
    if (outcome.ok) quote.value = outcome.value;
    else failure.value = { reason: outcome.error.reason, trace: '' };
    return true;
  }

  function refused(thrown: unknown, wanted: Draft): void {
    failure.value = failureOf(thrown);
    if (!(thrown instanceof ApiRefused)) return; // no answer: the key stays
    const { problem } = thrown;
    if (problem.status >= 500 || problem.reason === 'idempotency_in_flight' || problem.status === 429) return;
    save({ ...wanted, key: newIdempotencyKey(), sent_fingerprint: '' });
    if (problem.reason !== 'price_changed' || !problem.quote) return;
    failure.value = null;
    oldQuote.value = quote.value;
    quote.value = problem.quote;
    void useCatalog().refresh();
  }

  /** Places the order once, whatever is tapped. Gives null when it was refused; the failure says why. */
  async function place(): Promise<Order | null> {
    const wanted = draft.value;
    const shown = quote.value;
    if (placing.value || wanted === null || shown === null) return null;
    placing.value = true;
    failure.value = null;
    const fingerprint = wanted.sent_fingerprint || shown.fingerprint;
    const sent = { ...wanted, sent_fingerprint: fingerprint };
    save(sent);
    try {
      const request = { product_id: sent.product_id, account_number: sent.account, quote_fingerprint: fingerprint };
      const order = await createOrder(send, request, sent.key);
      save({ ...sent, order_id: order.order_id });
      useRecipients().remember({ number: sent.account, operator_id: sent.operator_id, product_id: sent.product_id });
      const samePrice = order.payable.minor === shown.payable.minor && order.payable.currency === shown.payable.currency;
      payNow.value = samePrice ? order.order_id : '';
      return order;
    } catch (failed) {
      refused(failed, sent);
      return null;
    } finally {
      placing.value = false;
    }
  }

  return { draft, quote, oldQuote, failure, placing, payNow, open, price, place };
});
