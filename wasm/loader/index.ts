// Wraps the compiled core into the Topup of ../topup.d.ts: cleans every input, parses every answer, catches every throw.
import type { CoreError, Money, Outcome, PhoneCheck, PriceBook, Quote, Topup } from '../topup';

/** What Embind exports; see wasm/bindings.cpp. */
export interface RawTopup {
  version(): string;
  load_price_book(bytes: Uint8Array): string;
  check_phone(typed: string): PhoneCheck;
  quote(product_id: string, account_number: string): string;
  decimal_text(minor: number, currency: string): string;
  mask_phone(number: string): string;
  buyer_word(state: string): string;
}

export interface Source {
  url?: string;
  bytes?: BufferSource;
}
export type Instantiate = (
  imports: WebAssembly.Imports,
  source: Source,
) => Promise<WebAssembly.WebAssemblyInstantiatedSource>;
/** The factory in Emscripten's glue, topup.js. */
export type Glue = (options: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module?: WebAssembly.Module) => void,
  ): object;
}) => Promise<RawTopup>;

const kMaxTextLength = 4096;
const kMaxBookBytes = 1024 * 1024; // the core refuses above 300 KiB itself; this only spares the copy
const kMaxRestarts = 1;

/** Strings only, short, and without halves of surrogate pairs, which have no UTF-8 form. */
export function cleanText(value: unknown): string {
  if (typeof value !== 'string') return '';
  const text = value.slice(0, kMaxTextLength);
  let clean = '';
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    clean += point >= 0xd800 && point <= 0xdfff ? '\uFFFD' : character;
  }
  return clean;
}

function refusal(code: string, reason: string): { ok: false; error: CoreError } {
  return { ok: false, error: { code, reason, field: '', detail: '' } };
}

// A trap leaves the instance's memory in an unknown state; an ordinary Error does not.
function isTrap(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return true;
  return thrown.name === 'RuntimeError' || thrown instanceof RangeError;
}

class SafeTopup implements Topup {
  private raw: RawTopup | null;
  private book: Uint8Array | null = null;
  private restartsLeft = kMaxRestarts;

  constructor(raw: RawTopup, private readonly start: () => Promise<RawTopup>) {
    this.raw = raw;
  }

  version(): string {
    return this.call((raw) => raw.version(), '');
  }

  loadPriceBook(bytes: Uint8Array): Outcome<PriceBook> {
    if (!(bytes instanceof Uint8Array)) return refusal('invalid_argument', 'price_book_damaged');
    if (bytes.length > kMaxBookBytes) return refusal('invalid_argument', 'price_book_too_large');
    const outcome = this.outcome<PriceBook>((raw) => raw.load_price_book(bytes));
    if (outcome.ok) this.book = bytes.slice();
    return outcome;
  }

  checkPhone(typed: string): PhoneCheck {
    const nothing: PhoneCheck = { verdict: 'empty', operator_hint: 'unknown', national: '', bad_at: -1, reason: '' };
    return this.call((raw) => raw.check_phone(cleanText(typed)), nothing);
  }

  quote(productId: string, accountNumber: string): Outcome<Quote> {
    return this.outcome<Quote>((raw) => raw.quote(cleanText(productId), cleanText(accountNumber)));
  }

  decimalText(amount: Money): string {
    const minor: unknown = amount?.minor;
    if (typeof minor !== 'number' || !Number.isSafeInteger(minor)) return '';
    return this.call((raw) => raw.decimal_text(minor, cleanText(amount.currency)), '');
  }

  maskPhone(number: string): string {
    return this.call((raw) => raw.mask_phone(cleanText(number)), '****');
  }

  buyerWord(state: string): ReturnType<Topup['buyerWord']> {
    return this.call((raw) => raw.buyer_word(cleanText(state)), '') as ReturnType<Topup['buyerWord']>;
  }

  private outcome<T>(run: (raw: RawTopup) => string): Outcome<T> {
    const text = this.call(run, '');
    if (text === '') return refusal('unavailable', 'core_unavailable');
    try {
      return JSON.parse(text) as Outcome<T>;
    } catch {
      return refusal('internal', 'core_unavailable');
    }
  }

  private call<T>(run: (raw: RawTopup) => T, otherwise: T): T {
    if (this.raw === null) return otherwise;
    try {
      return run(this.raw);
    } catch (thrown) {
      if (isTrap(thrown)) void this.restart();
      return otherwise;
    }
  }

  private async restart(): Promise<void> {
    this.raw = null;
    if (this.restartsLeft === 0) return;
    this.restartsLeft -= 1;
    try {
      const fresh = await this.start();
      if (this.book !== null) fresh.load_price_book(this.book);
      this.raw = fresh;
    } catch {
      this.raw = null;
    }
  }
}

// Emscripten's own promise stays open for ever when the hook's instantiation fails, hence the race.
function startOnce(glue: Glue, instantiate: Instantiate, source: Source): Promise<RawTopup> {
  return new Promise((resolve, reject) => {
    const started = glue({
      instantiateWasm(imports, done) {
        instantiate(imports, source).then((result) => done(result.instance, result.module), reject);
        return {};
      },
    });
    started.then(resolve, reject);
  });
}

/** One shared instance per loader. A failed load is forgotten, so that the next call tries again. */
export function makeLoader(glue: Glue, instantiate: Instantiate): (source?: Source) => Promise<Topup> {
  let shared: Promise<Topup> | null = null;
  return (source: Source = {}) => {
    if (shared === null) {
      const start = () => startOnce(glue, instantiate, source);
      const loading: Promise<Topup> = start().then((raw) => new SafeTopup(raw, start));
      loading.catch(() => {
        if (shared === loading) shared = null;
      });
      shared = loading;
    }
    return shared;
  };
}
