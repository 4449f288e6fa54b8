// Stands in where WebAssembly cannot load. It only counts digits and prints whole numbers; the server judges and prices.
import { createQuote } from '@api/quotes';
import { ApiRefused, type Send } from '@api/transport';
import type { Money, Outcome, PhoneCheck, Quote } from '@topup/core';
import { readPriceBook } from './price_book_reader';
import type { ShopBook } from './shop_book';
import type { Core } from './topup';

const kNationalDigits = 11;
const kZeroDigits = ['JPY', 'KRW', 'VND'];
const kThreeDigits = ['KWD'];

function refusal(code: string, reason: string): { ok: false; error: { code: string; reason: string; field: string; detail: string } } {
  return { ok: false, error: { code, reason, field: '', detail: '' } };
}

function digitsOf(typed: string): string {
  const digits = typed.normalize('NFKC').replace(/\D/g, '');
  return digits.replace(/^(00)?86/, '');
}

function checkPhone(typed: string): PhoneCheck {
  const digits = digitsOf(typed);
  const national = digits.slice(0, kNationalDigits);
  const answer = { operator_hint: 'unknown' as const, national, bad_at: -1, reason: '' as const };
  if (digits.length > kNationalDigits) {
    return { ...answer, verdict: 'impossible', bad_at: kNationalDigits, reason: 'phone_too_long' };
  }
  if (digits.length === 0) return { ...answer, verdict: 'empty' };
  return { ...answer, verdict: digits.length === kNationalDigits ? 'valid' : 'incomplete' };
}

function decimalText(amount: Money): string {
  const places = kZeroDigits.includes(amount.currency) ? 0 : kThreeDigits.includes(amount.currency) ? 3 : 2;
  const digits = String(Math.abs(amount.minor)).padStart(places + 1, '0');
  const sign = amount.minor < 0 ? '-' : '';
  if (places === 0) return sign + digits;
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function maskPhone(number: string): string {
  const digits = digitsOf(number);
  return digits.length === kNationalDigits ? `${digits.slice(0, 3)}****${digits.slice(7)}` : '****';
}

function loadPriceBook(bytes: Uint8Array): Outcome<ShopBook> {
  const book = readPriceBook(bytes);
  return book === null ? refusal('invalid_argument', 'price_book_damaged') : { ok: true, value: book };
}

export function makeServerCore(send: Send): Core {
  async function quote(productId: string, accountNumber: string): Promise<Outcome<Quote>> {
    try {
      return { ok: true, value: await createQuote(send, { product_id: productId, account_number: accountNumber }) };
    } catch (failed) {
      if (failed instanceof ApiRefused) return refusal(failed.problem.code, failed.problem.reason);
      return refusal('unavailable', 'network_unreachable');
    }
  }
  return { source: 'server', loadPriceBook, checkPhone, quote, decimalText, maskPhone };
}
