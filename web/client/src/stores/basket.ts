import type { CardIssuer, Operator, ProductKind, Quote } from '@topup/core';
import { defineStore } from 'pinia';
import { computed, ref, watch } from 'vue';
import { buyerTurn } from '@/core/offers';
import { core } from '@/core/topup';
import { groupedNumber } from '@/format';
import { isRecord, readStored, writeStored } from '@/storage';
import { isRange, onStep, readAmount } from './amount';
import { checkCard, compareCards } from './card_number';
import { useCatalog } from './catalog';
import { useNetwork } from './network';
import { useNetworkOperator } from './network_operator';
import { accountOf, countryOf, isWholeNumber, judge, missingOf, shapeOf } from './recipient_number';
import type { RecipientFacts } from './recipients';

const kSegmentDigits = 3;
const kHomeCountry = 'CN';
const kKinds: ProductKind[] = ['airtime', 'data', 'fuel_card', 'pin'];

/** Where the buyer left off, so that the next visit begins there. */
interface Shelf {
  country: string;
  kind: ProductKind;
  /** The operator last taken, by country. */
  operators: Record<string, string>;
}
function isShelf(value: unknown): value is Shelf {
  return isRecord(value) && typeof value.country === 'string' && kKinds.includes(value.kind as ProductKind) && isRecord(value.operators);
}

/** What is being chosen on the home page: recipient, operator, product, and the price of the three together. */
export const useBasket = defineStore('basket', () => {
  const catalog = useCatalog();
  const network = useNetwork();
  const hints = useNetworkOperator();
  const shelf = readStored('shelf', isShelf) ?? { country: kHomeCountry, kind: 'airtime' as ProductKind, operators: {} };
  const wantedCountry = ref(shelf.country);
  const wantedKind = ref<ProductKind>(shelf.kind);
  const lastOperators = shelf.operators;
  const typed = ref('');
  const card = ref('');
  const cardAgain = ref('');
  const pickedOperator = ref('');
  const productId = ref('');
  const amountTyped = ref('');
  const quote = ref<Quote | null>(null);
  const refusedReason = ref('');
  const asking = ref(false);

  const countries = computed(() => catalog.book?.countries ?? []);
  const country = computed(() => {
    const isSold = countries.value.length === 0 || countries.value.some((one) => one.country === wantedCountry.value);
    return isSold ? wantedCountry.value : countries.value[0]?.country ?? kHomeCountry;
  });
  /** What the shop sells for this country, in the order of the buttons. */
  const kinds = computed(() => kKinds.filter((kind) => catalog.country(country.value)?.kinds.includes(kind)));
  const kind = computed(() => (kinds.value.includes(wantedKind.value) ? wantedKind.value : kinds.value[0] ?? 'airtime'));
  const asksNumber = computed(() => kind.value === 'airtime' || kind.value === 'data');

  const check = computed(() => judge(typed.value, country.value));
  const missing = computed(() => missingOf(check.value));
  const issuer = computed<CardIssuer>(() => catalog.operator(pickedOperator.value)?.issuer ?? 'none');
  const cardCheck = computed(() => checkCard(card.value, issuer.value));
  const cardSame = computed(() => compareCards(card.value, cardAgain.value));
  const isWhole = computed(() => {
    if (kind.value === 'pin') return true;
    if (kind.value === 'fuel_card') return cardCheck.value.verdict === 'valid' && cardSame.value?.verdict === 'match';
    return isWholeNumber(check.value);
  });
  /** As an order names the recipient; '' for a voucher. */
  const account = computed(() => {
    if (kind.value === 'pin') return '';
    return kind.value === 'fuel_card' ? cardCheck.value.digits : accountOf(check.value);
  });

  const operators = computed(() => catalog.operatorsOf(country.value, kind.value));
  const picked = computed(() => operators.value.find((one) => one.id === pickedOperator.value) ?? null);
  /** Abroad a number says no operator: the network does, as a hint. What a buyer has chosen is never asked about. */
  const unsureAccount = computed(() => {
    const isUnsure = country.value !== kHomeCountry && asksNumber.value && operators.value.length > 1 && picked.value === null;
    return isUnsure && isWhole.value && network.online ? account.value : '';
  });
  const hinted = computed(() => {
    const id = country.value !== kHomeCountry && asksNumber.value ? hints.operatorOf(account.value) : '';
    return operators.value.find((one) => one.id === id) ?? null;
  });
  const guessed = computed<Operator | null>(() => {
    const sellers = operators.value;
    if (sellers.length === 1) return sellers[0] ?? null;
    if (kind.value === 'fuel_card') return sellers.find((one) => one.issuer !== 'none' && one.issuer === cardCheck.value.issuer) ?? null;
    const { operator_hint: hint } = check.value;
    if (country.value === kHomeCountry) return sellers.find((one) => hint !== 'unknown' && one.hint === hint) ?? null;
    return hinted.value ?? sellers.find((one) => one.id === lastOperators[country.value]) ?? null;
  });
  const isHint = computed(() => picked.value === null && hinted.value !== null && operators.value.length > 1);
  const operator = computed(() => picked.value ?? guessed.value);
  /** At home prices are shown before a number is known: those of the first operator. Abroad, and of cards, they differ too much. */
  const seller = computed(() => operator.value ?? (country.value === kHomeCountry && asksNumber.value ? operators.value[0] ?? null : null));
  const products = computed(() => {
    void buyerTurn.value; // the core prices for whom it was told last
    return seller.value === null ? [] : catalog.productsOf(seller.value.id, kind.value);
  });
  const fixed = computed(() => products.value.filter((one) => !isRange(one)));
  const range = computed(() => products.value.find(isRange) ?? null);
  const product = computed(() => products.value.find((one) => one.id === productId.value) ?? null);
  const isRanged = computed(() => product.value !== null && isRange(product.value));
  const amount = computed(() => (range.value === null ? null : readAmount(range.value, amountTyped.value)));
  const amountMinor = computed(() => (isRanged.value ? amount.value?.minor ?? 0 : 0));
  const hasAmount = computed(() => product.value !== null && (!isRanged.value || amountMinor.value > 0));

  // Text that leads to another country stays as it is: without its plus it would be a number of this one.
  function shape(text: string): string {
    return countryOf(text, country.value, isSold) === country.value ? shapeOf(text, country.value, groupedNumber) : text;
  }
  function isSold(iso2: string): boolean {
    return catalog.country(iso2) !== null;
  }
  function save(): void {
    writeStored('shelf', { country: country.value, kind: kind.value, operators: lastOperators });
  }

  function moveTo(iso2: string): void {
    if (iso2 === country.value) return;
    wantedCountry.value = iso2;
    pickedOperator.value = '';
    amountTyped.value = '';
    save();
  }
  function type(text: string): void {
    const before = check.value.national.slice(0, kSegmentDigits);
    moveTo(countryOf(text, country.value, isSold));
    typed.value = shape(text);
    const isOther = check.value.national.slice(0, kSegmentDigits) !== before;
    // Abroad a choice stands until the field is emptied for another number.
    if (country.value === kHomeCountry ? isOther : text === '' && before !== '') pickedOperator.value = '';
  }
  /** By hand: a number that cannot be one of that country is taken out of the field. */
  function pickCountry(iso2: string): void {
    moveTo(iso2);
    if (judge(typed.value, country.value).verdict === 'impossible') typed.value = '';
  }
  function pickKind(wanted: ProductKind): void {
    wantedKind.value = wanted;
    save();
  }
  function typeCard(text: string): void {
    card.value = text;
    if (checkCard(text, issuer.value).reason === 'card_other_issuer') pickedOperator.value = '';
  }
  function typeCardAgain(text: string): void {
    cardAgain.value = text;
  }
  function pickOperator(operatorId: string): void {
    pickedOperator.value = operatorId;
    if (country.value !== kHomeCountry) lastOperators[country.value] = operatorId;
    save();
  }
  function pickProduct(id: string): void {
    productId.value = id;
  }
  /** Of the range: the amount in minor units, moved onto a step. */
  function pickAmount(minor: number): void {
    if (range.value === null) return;
    const { face } = range.value;
    productId.value = range.value.id;
    amountTyped.value = (core.value?.decimalText({ minor: onStep(range.value, minor), currency: face.currency }) ?? '').replace(/\.0+$/, '');
  }
  function typeAmount(text: string): void {
    if (range.value !== null) productId.value = range.value.id;
    amountTyped.value = text;
  }
  function pickRecipient(one: RecipientFacts): void {
    wantedKind.value = one.kind;
    moveTo(one.country);
    if (one.kind === 'fuel_card') {
      card.value = one.number; // typed twice before, and charged: once is enough now
      cardAgain.value = one.number;
    } else if (one.kind !== 'pin') {
      typed.value = shape(one.number);
    }
    pickedOperator.value = one.operator_id;
    productId.value = one.product_id;
    if (range.value !== null && range.value.id === one.product_id) pickAmount(one.amount_minor);
    save();
  }

  watch(unsureAccount, hints.ask);

  // The same face stays chosen when the shelf changes.
  watch(products, (now, before) => {
    const old = before.find((one) => one.id === productId.value);
    if (old === undefined || now.some((one) => one.id === productId.value)) return;
    const same = now.find((one) => one.face.minor === old.face.minor && one.face.currency === old.face.currency && one.kind === old.kind);
    productId.value = same?.id ?? '';
  });

  let asked = 0;
  function take(priced: Quote | null, reason: string, isAsking: boolean): void {
    quote.value = priced;
    refusedReason.value = reason;
    asking.value = isAsking;
  }
  async function price(): Promise<void> {
    const mine = ++asked;
    const pricing = core.value;
    if (pricing === null || operator.value === null || product.value === null || !isWhole.value || !hasAmount.value) {
      return take(null, '', false);
    }
    let outcome = pricing.quote({ product_id: product.value.id, account_number: account.value, amount_minor: amountMinor.value });
    if (outcome instanceof Promise) {
      take(null, '', true);
      outcome = await outcome;
      if (mine !== asked) return;
    }
    take(outcome.ok ? outcome.value : null, outcome.ok ? '' : outcome.error.reason, false);
  }
  watch([isWhole, account, operator, product, amountMinor, buyerTurn], () => void price(), { immediate: true });

  return {
    typed, card, cardAgain, countries, country, kinds, kind, asksNumber, check, cardCheck, cardSame, isWhole, account, missing,
    operators, operator, isHint, seller, products, fixed, range, product, productId, isRanged, amount, amountTyped, amountMinor, hasAmount,
    quote, refusedReason, asking, shape, type, typeCard, typeCardAgain, typeAmount, pickCountry, pickKind, pickOperator,
    pickProduct, pickAmount, pickRecipient, price,
  };
});
