// Stands in where WebAssembly cannot load. It only counts digits and prints whole numbers; the server judges and prices.
import { createQuote } from '@api/quotes';
import { ApiRefused, type Send } from '@api/transport';
import type { AmountCheck, CardCheck, CardComparison, CardIssuer, Money, Outcome, PhoneCheck, Quote } from '@topup/core';
import { quoteExtras } from './offers';
import { readPriceBook, type PlainBook } from './price_book_reader';
import type { PriceWish, ShopBook, ShopProduct } from './shop_book';
import type { Core } from './topup';

const kNationalDigits = 11;
const kLeastAbroad = 6;
const kMostAbroad = 15;
const kCardDigits = { none: 19, sinopec: 19, petrochina: 16 };
/** ISO 4217, as in shared/money.cpp; all others have two digits after the point. */
const kWithoutDecimals = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ');
const kWithThreeDecimals = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');

function refusal(code: string, reason: string): { ok: false; error: { code: string; reason: string; field: string; detail: string } } {
  return { ok: false, error: { code, reason, field: '', detail: '' } };
}

function plainDigits(typed: string): string {
  return typed.normalize('NFKC').replace(/\D/g, '');
}

function digitsOf(typed: string): string {
  return plainDigits(typed).replace(/^(00)?86/, '');
}

// Calling codes are the core's knowledge: here every number of a possible length passes, and the server says more.
function checkAbroad(typed: string, country: string): PhoneCheck {
  const national = plainDigits(typed);
  const place = { calling_code: 0, country, other_country: '', operator_hint: 'unknown' as const };
  if (national.length > kMostAbroad) return { ...place, national, verdict: 'impossible', bad_at: kMostAbroad, reason: 'phone_too_long' };
  const verdict = national.length === 0 ? 'empty' : national.length < kLeastAbroad ? 'incomplete' : 'possible';
  return { ...place, national, verdict, bad_at: -1, reason: '' };
}

function checkPhone(typed: string, wanted: string): PhoneCheck {
  if (wanted !== 'CN') return checkAbroad(typed, wanted);
  const digits = digitsOf(typed);
  const national = digits.slice(0, kNationalDigits);
  const place = { calling_code: 86, country: 'CN', other_country: '' };
  const answer = { operator_hint: 'unknown' as const, national, bad_at: -1, reason: '' as const, ...place };
  if (digits.length > kNationalDigits) {
    return { ...answer, verdict: 'impossible', bad_at: kNationalDigits, reason: 'phone_too_long' };
  }
  if (digits.length === 0) return { ...answer, verdict: 'empty' };
  return { ...answer, verdict: digits.length === kNationalDigits ? 'valid' : 'incomplete' };
}

function checkCard(typed: string, issuer: CardIssuer): CardCheck {
  const digits = plainDigits(typed);
  const whose: CardIssuer = issuer !== 'none' ? issuer : digits.startsWith('9') ? 'petrochina' : digits.startsWith('1') ? 'sinopec' : 'none';
  const length = kCardDigits[whose];
  const plain = { digits, issuer: whose, bad_at: -1, reason: '', province_doubtful: false, prefix_doubtful: false, masked: '****' };
  if (digits.length > length) return { ...plain, verdict: 'impossible', bad_at: length, reason: 'card_too_long' };
  return { ...plain, verdict: digits.length === 0 ? 'empty' : digits.length < length ? 'incomplete' : 'valid' };
}

function sameCard(first: string, second: string): CardComparison {
  const [one, two] = [plainDigits(first), plainDigits(second)];
  if (one === two) return { verdict: 'match', differs_at: -1 };
  if (one.startsWith(two)) return { verdict: 'incomplete', differs_at: -1 };
  return { verdict: 'differs', differs_at: [...two].findIndex((digit, at) => digit !== one[at]) };
}

function placesOf(currency: string): number {
  return kWithoutDecimals.includes(currency) ? 0 : kWithThreeDecimals.includes(currency) ? 3 : 2;
}

function checkAmount(typed: string, currency: string, least: number, most: number): AmountCheck {
  const text = typed.normalize('NFKC').replace(/[^0-9.]/g, '');
  const minor = Math.round(Number(text) * 10 ** placesOf(currency)) || 0;
  const plain = { text, bad_at: -1, reason: '', amount: { minor, currency } };
  if (text === '') return { ...plain, verdict: 'empty' };
  if (minor > most) return { ...plain, verdict: 'impossible', reason: 'amount_above_most' };
  return minor < least ? { ...plain, verdict: 'incomplete', reason: 'amount_below_least' } : { ...plain, verdict: 'valid' };
}

function decimalText(amount: Money): string {
  const places = placesOf(amount.currency);
  const digits = String(Math.abs(amount.minor)).padStart(places + 1, '0');
  const sign = amount.minor < 0 ? '-' : '';
  if (places === 0) return sign + digits;
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function maskPhone(number: string): string {
  const digits = digitsOf(number);
  return digits.length === kNationalDigits ? `${digits.slice(0, 3)}****${digits.slice(7)}` : '****';
}

/** The server knows by itself what it runs without. */
function couponsOf(): { coupons?: 'none' | string[] } {
  const { coupons } = quoteExtras();
  return coupons === undefined ? {} : { coupons };
}

export function makeServerCore(send: Send): Core {
  let book: PlainBook | null = null;

  function loadPriceBook(bytes: Uint8Array): Outcome<ShopBook> {
    const read = readPriceBook(bytes);
    if (read === null) return refusal('invalid_argument', 'price_book_damaged');
    book = read;
    const { version, published_at_ms, countries, operators, products } = read;
    return { ok: true, value: { version, published_at_ms, fingerprint: '', countries, operators, products: products.length } };
  }
  function listProducts(operatorId: string): ShopProduct[] {
    const mine = book?.products.filter((product) => product.operator_id === operatorId) ?? [];
    return mine.map((product) => ({ ...product, payable: null }));
  }
  async function quote({ amount_minor, ...wish }: PriceWish): Promise<Outcome<Quote>> {
    try {
      const request = amount_minor > 0 ? { ...wish, amount_minor } : wish;
      return { ok: true, value: await createQuote(send, { ...request, ...couponsOf() }) };
    } catch (failed) {
      if (failed instanceof ApiRefused) return refusal(failed.problem.code, failed.problem.reason);
      return refusal('unavailable', 'network_unreachable');
    }
  }
  return { source: 'server', loadPriceBook, listProducts, checkPhone, checkCard, sameCard, checkAmount, quote, decimalText, maskPhone, offers: null };
}
