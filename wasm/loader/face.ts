// The typed face of ../topup.d.ts over a running instance. Every call of the border becomes a method of its name, written the
// TypeScript way; a few that pages make all the time have a form of their own.
import type { Money, Outcome, PhoneCheck, Quote, QuoteRequest, Topup } from '../topup';
import { Instance, refusal } from './instance';
import type { RawTopup } from './raw';

const kNoPhone: PhoneCheck = {
  verdict: 'empty', operator_hint: 'unknown', bad_at: -1, calling_code: 0, national: '', country: '', reason: '', other_country: '',
};

/** list_products → listProducts. */
export function methodName(call: string): string {
  return call.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

const kMaxNumber = 64;
function shortText(value: unknown): string {
  return textOf(value).slice(0, kMaxNumber);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function read<T>(text: string): Outcome<T> {
  try {
    return JSON.parse(text) as Outcome<T>;
  } catch {
    return refusal('internal', 'core_unavailable');
  }
}

export function makeTopup(raw: RawTopup, start: () => Promise<RawTopup>): Topup {
  const instance = new Instance(raw, start);
  const ask = <T>(name: string, input: unknown): Outcome<T> => read<T>(instance.callText(name, input));
  const plain = (name: string, input: unknown, otherwise: string): string => {
    const outcome = ask<string>(name, input);
    return outcome.ok ? outcome.value : otherwise;
  };
  const calls: Record<string, (input?: unknown) => unknown> = {};
  for (const name of JSON.parse(raw.call_names()) as string[]) calls[methodName(name)] = (input = {}) => ask(name, input);

  const face = {
    version: () => instance.run(({ raw }) => raw.version(), ''),
    loadPriceBook: (bytes: unknown) => read(instance.loadBook(bytes)),
    loadStations: (bytes: unknown) => read(instance.loadStations(bytes)),
    checkPhone: (typed: unknown, country: unknown = 'CN') =>
      instance.run(({ hot }) => hot.checkPhone(textOf(typed), textOf(country)), kNoPhone),
    quote: (request: QuoteRequest): Outcome<Quote> => {
      const value = instance.run(({ quotes }) => quotes.quote(request), null);
      return value === null ? ask<Quote>('quote', request) : { ok: true, value };
    },
    orderNext: (state: unknown, event: unknown) => instance.run(({ hot }) => hot.orderNext(textOf(state), textOf(event)), null),
    orderTable: () => instance.run(({ hot }) => hot.orderTable(), []),
    decimalText: (amount: Money) => plain('decimal_text', { amount }, ''),
    maskPhone: (number: unknown) => instance.run(({ raw }) => raw.mask_phone(shortText(number)), '****'),
  };
  return Object.assign(calls, face) as unknown as Topup;
}
