import type { PhoneCheck, Quote } from '@topup/core';
import { defineStore } from 'pinia';
import { computed, ref, watch } from 'vue';
import { core } from '@/core/topup';
import { groupedNumber } from '@/format';
import { useCatalog } from './catalog';
import type { Recipient } from './recipients';

const kNothing: PhoneCheck = { verdict: 'empty', operator_hint: 'unknown', national: '', bad_at: -1, reason: '' };
const kSegmentDigits = 3;
const kNationalDigits = 11;

/** What is being chosen on the home page: number, operator, face, and the price of the three together. */
export const useBasket = defineStore('basket', () => {
  const catalog = useCatalog();
  const typed = ref('');
  const pickedOperator = ref('');
  const productId = ref('');
  const quote = ref<Quote | null>(null);
  const refusedReason = ref('');
  const asking = ref(false);

  const check = computed(() => core.value?.checkPhone(typed.value) ?? kNothing);
  const missing = computed(() => kNationalDigits - check.value.national.length);
  const operators = computed(() => catalog.book?.operators ?? []);
  const guessed = computed(() => {
    const { operator_hint: hint } = check.value;
    return hint === 'unknown' ? null : operators.value.find((one) => one.hint === hint) ?? null;
  });
  const operator = computed(() => catalog.operator(pickedOperator.value) ?? guessed.value);
  /** Prices are shown before a number is known: those of the first operator. */
  const shelf = computed(() => operator.value ?? operators.value[0] ?? null);
  const products = computed(() => (shelf.value === null ? [] : catalog.productsOf(shelf.value.id)));
  const product = computed(() => products.value.find((one) => one.id === productId.value) ?? null);

  /** The text the field shall show: grouped digits as soon as there is one canonical form, the raw text until then. */
  function shape(text: string): string {
    const found = core.value?.checkPhone(text) ?? kNothing;
    const hasForm = found.verdict !== 'impossible' || (found.bad_at >= 0 && found.bad_at < found.national.length);
    const isClean = found.reason !== 'phone_bad_character' && found.reason !== 'phone_too_long';
    return hasForm && isClean && found.national !== '' ? groupedNumber(found.national) : text;
  }

  function type(text: string): void {
    const before = check.value.national.slice(0, kSegmentDigits);
    typed.value = text;
    if (check.value.national.slice(0, kSegmentDigits) !== before) pickedOperator.value = '';
  }
  function pickOperator(operatorId: string): void {
    pickedOperator.value = operatorId;
  }
  function pickProduct(id: string): void {
    productId.value = id;
  }
  function pickRecipient(recipient: Recipient): void {
    type(shape(recipient.number));
    pickedOperator.value = recipient.operator_id;
    productId.value = recipient.product_id;
  }

  // The same face stays chosen when the shelf changes.
  watch(products, (now, before) => {
    const face = before.find((one) => one.id === productId.value)?.face.minor;
    if (face === undefined || now.some((one) => one.id === productId.value)) return;
    productId.value = now.find((one) => one.face.minor === face)?.id ?? '';
  });

  let asked = 0;
  async function price(): Promise<void> {
    const mine = ++asked;
    quote.value = null;
    refusedReason.value = '';
    asking.value = false;
    const pricing = core.value;
    if (pricing === null || operator.value === null || product.value === null || check.value.verdict !== 'valid') return;
    asking.value = true;
    const outcome = await pricing.quote(product.value.id, check.value.national);
    if (mine !== asked) return;
    asking.value = false;
    if (outcome.ok) quote.value = outcome.value;
    else refusedReason.value = outcome.error.reason;
  }
  watch([() => check.value.verdict, () => check.value.national, operator, product], () => void price(), { immediate: true });

  return {
    typed, check, missing, operators, operator, shelf, products, product, productId, quote, refusedReason, asking,
    shape, type, pickOperator, pickProduct, pickRecipient, price,
  };
});
