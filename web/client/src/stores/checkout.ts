import { checkOut } from '@api/payments';
import { ApiRefused } from '@api/transport';
import type { Checkout, Order, OrderRow, Quote } from '@api/types';
import type { ProductKind } from '@topup/core';
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import { core, startCore } from '@/core/topup';
import { newIdempotencyKey } from '@/random';
import { isRecord, readStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { useCatalog } from './catalog';
import { useChannels } from './channels';
import { useDrafts } from './drafts';
import { useOffers } from './offers';
import { failureOf, type Failure } from './failure';
import { orderPath } from './order_path';
import { useRecipients } from './recipients';

/** What the buyer is about to buy. */
export interface Purchase {
  product_id: string;
  operator_id: string;
  country: string;
  kind: ProductKind;
  /** '' for a voucher that goes to nobody's number. */
  account: string;
  /** As it was typed the second time; '' where once is enough. */
  account_again: string;
  /** Of a range; else 0. */
  amount_minor: number;
}

/** With the key that makes however many taps one order. */
export interface Draft extends Purchase {
  key: string;
  /** The fingerprint sent with the key; '' before the first send. A repeat must send the same. */
  sent_fingerprint: string;
  /** The coupons sent with the key, when any were chosen by hand: a repeat must send the same. */
  sent_coupons?: { coupons?: 'none' | string[] };
  /** '' until the server has answered with an order. */
  order_id: string;
  /** The draft that this purchase was, and is no longer once it is an order; '' for none. */
  draft_id?: string;
}

const kCouponReasons = ['coupon_in_use', 'coupon_not_usable'];
const kTexts = ['product_id', 'operator_id', 'country', 'kind', 'account', 'account_again', 'key', 'sent_fingerprint', 'order_id'];
function isDraft(value: unknown): value is Draft {
  return isRecord(value) && kTexts.every((name) => typeof value[name] === 'string') && typeof value.amount_minor === 'number';
}

function isSamePurchase(one: Purchase, other: Purchase): boolean {
  return one.product_id === other.product_id && one.account === other.account && one.amount_minor === other.amount_minor;
}

export const useCheckout = defineStore('checkout', () => {
  const draft = ref<Draft | null>(readStored('checkout', isDraft));
  const quote = ref<Quote | null>(null);
  /** The price that was shown before the server said otherwise. */
  const oldQuote = ref<Quote | null>(null);
  const failure = ref<Failure | null>(null);
  /** The server found such an order already and asks whether this one is meant as well. */
  const asksAgain = ref(false);
  const earlier = ref<OrderRow | null>(null);
  const placing = ref(false);
  /** What the order's page opens the sheet with as soon as it opens. In memory only: a reload must not open it by itself. */
  const placed = shallowRef<Checkout | null>(null);

  function save(next: Draft): void {
    draft.value = next;
    writeStored('checkout', next);
  }

  // A send without an answer may have made an order: the same purchase then goes on with the same key.
  function open(wanted: Purchase): void {
    const last = draft.value;
    const unanswered = last !== null && last.sent_fingerprint !== '' && last.order_id === '';
    if (unanswered && isSamePurchase(last, wanted)) return;
    useOffers().choice = 'best';
    const edited = useDrafts().takeEdited();
    if (edited !== null && isSamePurchase(edited.purchase, wanted)) return openDraft(edited.id, edited.fields, edited.purchase);
    save({ ...wanted, key: edited?.id ?? newIdempotencyKey(), sent_fingerprint: '', order_id: '', draft_id: edited?.id ?? '' });
  }

  /**
   * The purchase of a draft. Its key is made of the draft and of the price, so that two devices at once make one order; one
   * that was sent before it became a draft goes on as it was sent.
   */
  function openDraft(draft_id: string, fields: Record<string, string>, purchase: Purchase): void {
    const last = draft.value;
    if (last?.draft_id === draft_id && last.sent_fingerprint !== '' && last.order_id === '') return;
    const { order_key = '', order_fingerprint = '' } = fields;
    const [key, sent_fingerprint] = order_key === '' ? [draft_id, ''] : [order_key, order_fingerprint];
    save({ ...purchase, key, sent_fingerprint, order_id: '', draft_id });
  }

  /** The purchase on this page as a draft; the same page twice is the same draft. False: the device did not keep it. */
  function keepAsDraft(): boolean {
    const wanted = draft.value;
    const shown = quote.value;
    if (wanted === null || shown === null) return false;
    const { product_id, operator_id, country, kind, account: account_number, account_again, amount_minor } = wanted;
    const isUnanswered = wanted.sent_fingerprint !== '' && wanted.order_id === '';
    const fields = {
      product_id, operator_id, country, kind, account_number, account_again,
      amount: amount_minor > 0 ? core.value?.decimalText({ ...shown.face, minor: amount_minor }) ?? '' : '',
      order_key: isUnanswered ? wanted.key : '',
      order_fingerprint: isUnanswered ? wanted.sent_fingerprint : '',
    };
    const kept = useDrafts().keep(wanted.draft_id || wanted.key, fields, shown);
    failure.value = kept ? null : useDrafts().failure;
    return kept;
  }

  /** Prices the draft. Gives false when there is nothing to confirm. */
  async function price(): Promise<boolean> {
    quote.value = null;
    oldQuote.value = null;
    failure.value = null;
    asksAgain.value = false;
    earlier.value = null;
    const wanted = draft.value;
    if (wanted === null) return false;
    await useCatalog().ensure();
    const { product_id, account: account_number, amount_minor } = wanted;
    const outcome = await (await startCore(send)).quote({ product_id, account_number, amount_minor });
    if (outcome.ok) quote.value = outcome.value;
    else failure.value = { reason: outcome.error.reason, trace: '' };
    return true;
  }

  /** The price is there at once; when the buyer's coupons or level turn out to be others, it is made again. */
  async function priceFirst(): Promise<boolean> {
    const has = await price();
    void useOffers()
      .refresh(true)
      .then((moved) => (moved && !placing.value && oldQuote.value === null ? reprice() : undefined));
    return has;
  }

  /** The same purchase with other coupons; the old price stands until there is the new one. */
  async function reprice(): Promise<void> {
    const wanted = draft.value;
    if (wanted === null || quote.value === null) return;
    const { product_id, account: account_number, amount_minor } = wanted;
    const outcome = await (await startCore(send)).quote({ product_id, account_number, amount_minor });
    if (outcome.ok) quote.value = outcome.value;
    failure.value = outcome.ok ? null : { reason: outcome.error.reason, trace: '' };
  }

  /** A coupon went to another order meanwhile: what is left is priced anew, and the refusal stays on the page. */
  async function withoutThatCoupon(): Promise<void> {
    const why = failure.value;
    const offers = useOffers();
    if (offers.choice !== 'none') offers.choice = 'best';
    await offers.refresh(true);
    await reprice();
    failure.value = why;
  }

  function refused(thrown: unknown, wanted: Draft): void {
    failure.value = failureOf(thrown);
    if (!(thrown instanceof ApiRefused)) return; // no answer: the key stays
    const { problem } = thrown;
    if (problem.status >= 500 || problem.reason === 'idempotency_in_flight' || problem.status === 429) return;
    const { draft_id } = wanted;
    save({ ...wanted, key: draft_id && problem.reason === 'price_changed' ? draft_id : newIdempotencyKey(), sent_fingerprint: '' });
    asksAgain.value = problem.reason === 'same_recipient_again';
    if (kCouponReasons.includes(problem.reason)) void withoutThatCoupon();
    earlier.value = asksAgain.value ? problem.earlier ?? null : null;
    if (asksAgain.value) failure.value = null; // a question, not a failure
    if (problem.reason !== 'price_changed' || !problem.quote) return;
    failure.value = null;
    oldQuote.value = quote.value;
    quote.value = problem.quote;
    void useCatalog().refresh();
    void useOffers().refresh(true);
  }

  function remember({ kind, country, operator_id, product_id, amount_minor, account: number }: Draft): void {
    if (number !== '') useRecipients().remember({ kind, country, operator_id, product_id, amount_minor, number });
  }

  /** Places the order once, whatever is tapped. Gives null when it was refused; the failure says why. */
  async function place(): Promise<Order | null> {
    const wanted = draft.value;
    const shown = quote.value;
    if (placing.value || wanted === null || shown === null) return null;
    placing.value = true;
    failure.value = null;
    const fingerprint = wanted.sent_fingerprint || shown.fingerprint;
    const key = wanted.key === wanted.draft_id ? `${wanted.key}-${fingerprint}` : wanted.key;
    const coupons = wanted.sent_fingerprint === '' ? useOffers().forOrder() : wanted.sent_coupons ?? {};
    const sent = { ...wanted, key, sent_fingerprint: fingerprint, sent_coupons: coupons };
    try {
      if (sent.draft_id && !(await useDrafts().isStillThere(sent.draft_id))) {
        failure.value = { reason: 'draft_gone', trace: '' };
        return null;
      }
      save(sent);
      const request = {
        product_id: sent.product_id,
        account_number: sent.account,
        quote_fingerprint: fingerprint,
        ...(sent.amount_minor > 0 ? { amount_minor: sent.amount_minor } : {}),
        ...(sent.account_again !== '' ? { account_number_again: sent.account_again } : {}),
        ...(asksAgain.value ? { confirm_repeat: true } : {}),
        ...coupons,
      };
      const { chosen: channel, scene } = useChannels();
      const made = await checkOut(send, request, { channel, scene, return_path: orderPath('{order_id}') }, sent.key);
      const { order } = made;
      save({ ...sent, order_id: order.order_id });
      if (sent.draft_id) useDrafts().forget(sent.draft_id);
      remember(sent);
      void useOffers().refresh(true);
      const samePrice = order.payable.minor === shown.payable.minor && order.payable.currency === shown.payable.currency;
      placed.value = samePrice ? made : null;
      return order;
    } catch (failed) {
      refused(failed, sent);
      return null;
    } finally {
      placing.value = false;
    }
  }

  /** The order with its ticket, for the page that shows it, once; null when it is another's or was taken before. */
  function takePlaced(orderId: string): Checkout | null {
    const made = placed.value;
    if (made === null || made.order.order_id !== orderId) return null;
    placed.value = null;
    return made;
  }

  return {
    ...{ draft, quote, oldQuote, failure, asksAgain, earlier, placing, placed },
    ...{ open, openDraft, keepAsDraft, price, priceFirst, reprice, place, takePlaced },
  };
});
