/**
 * @topup/core: the compiled core. Every function is total: bad input of any type gives an error value, never an exception,
 * and leaves the module usable. Nothing returned needs freeing. Amounts are integers in minor units (fen) below 2^53.
 */
export interface Money { minor: number; currency: string }
export interface CoreError { code: string; reason: string; field: string; detail: string }
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: CoreError };

export type PhoneVerdict = 'empty' | 'incomplete' | 'valid' | 'impossible';
export type OperatorHint = 'unknown' | 'mobile' | 'unicom' | 'telecom' | 'broadnet' | 'virtual';
export interface PhoneCheck {
  verdict: PhoneVerdict;
  operator_hint: OperatorHint;
  /** Digits kept so far, at most 11, without +86. */
  national: string;
  /** Index of the first impossible digit, 11 when there are too many, -1 otherwise. */
  bad_at: number;
  reason: '' | 'phone_too_long' | 'phone_not_mobile' | 'phone_bad_character' | 'phone_segment_unassigned';
}

export interface Operator { id: string; name_zh: string; name_en: string; country: string; hint: OperatorHint }
export interface Product { id: string; operator_id: string; kind: 'airtime'; face: Money; delivered: Money; payable: Money }
export interface PriceBook { version: number; published_at_ms: number; fingerprint: string; operators: Operator[]; products: Product[] }

export interface QuoteLine {
  word: 'face' | 'rule' | 'fee';
  rule_id: string;
  rule_version: number;
  rate_bp: number;
  effect: Money;
  remainder: number;
}
export interface Quote {
  price_book_version: number;
  product_id: string;
  account_masked: string;
  face: Money;
  payable: Money;
  delivered: Money;
  lines: QuoteLine[];
  fingerprint: string;
}

export interface Topup {
  version(): string;
  /** Loads a price book's bytes and makes it the one that quote() uses. Errors: price_book_damaged, price_book_newer, price_book_too_large. */
  loadPriceBook(bytes: Uint8Array): Outcome<PriceBook>;
  /** The verdict on what has been typed so far. */
  checkPhone(typed: string): PhoneCheck;
  /** An explained price. Errors: price_book_missing, product_not_found, account_number_invalid. */
  quote(productId: string, accountNumber: string): Outcome<Quote>;
  /** "98.50"; '' when the amount or currency is not one. */
  decimalText(amount: Money): string;
  /** "138****5678". */
  maskPhone(number: string): string;
  /** One of the buyer's five words for any state word; '' when unknown. */
  buyerWord(state: string): '' | 'awaiting_payment' | 'paying' | 'recharging' | 'succeeded' | 'failed';
}

/** One shared instance; a failed load may be retried by calling again. `wasm` overrides where the binary comes from. */
export function loadTopup(source?: { url?: string; bytes?: BufferSource }): Promise<Topup>;
