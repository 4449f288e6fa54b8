// The calls that a page makes on every key press: no JSON. Texts go in as bytes, numbers come back (see "Hot paths" in
// ../bindings.cpp); words come back as places in lists that are read once, or as the addresses of static text.
import type { OperatorHint, OrderEffect, OrderEvent, OrderState, OrderStep, OrderTransition, PhoneCheck, PhoneVerdict } from '../topup';
import type { RawTopup } from './raw';
import { readUtf8, writeUtf8 } from './utf8';

/** Longer input is judged by its beginning: more than this is no number anywhere. */
const kMaxTyped = 128;
const kMaxWord = 64;
const kMaxKnownWords = 4_096;
const kBytesPerInteger = 4;

export interface Words {
  verdicts: PhoneVerdict[];
  operators: OperatorHint[];
  states: OrderState[];
  events: OrderEvent[];
  effects: OrderEffect[];
  currencies: string[];
  lines: string[];
  why_nots: string[];
}

function placesOf(words: readonly string[]): Map<string, number> {
  return new Map(words.map((word, place) => [word, place]));
}

/** The module's memory; its views are looked at through here, because they are replaced whenever it grows. */
export class Memory {
  bytes: Uint8Array;
  integers: Int32Array;
  doubles: Float64Array;
  constructor(private readonly raw: RawTopup) {
    this.bytes = raw.HEAPU8;
    this.integers = raw.HEAP32;
    this.doubles = raw.HEAPF64;
  }
  refresh(): void {
    if (this.bytes.length !== 0) return;
    this.bytes = this.raw.HEAPU8;
    this.integers = this.raw.HEAP32;
    this.doubles = this.raw.HEAPF64;
  }
}

export class HotPaths {
  readonly memory: Memory;
  readonly words: Words;
  readonly text: number;
  private readonly integersAt: number;
  private readonly states: Map<string, number>;
  private readonly events: Map<string, number>;
  /** What stands at an address of static text. */
  private readonly known = new Map<number, string>();
  private readonly effectLists = new Map<number, OrderEffect[]>();
  private readonly check: RawTopup['_hot_check_phone'];
  private readonly next: RawTopup['_hot_order_next'];

  constructor(readonly raw: RawTopup) {
    this.words = JSON.parse(raw.words()) as Words;
    this.states = placesOf(this.words.states);
    this.events = placesOf(this.words.events);
    this.text = raw._hot_text_start();
    this.integersAt = raw._hot_integers_start() / kBytesPerInteger;
    // The glue puts the real export in the place of its wrapper at the first call.
    raw._hot_check_phone(0, 0);
    raw._hot_order_next(0, 0);
    this.check = raw._hot_check_phone;
    this.next = raw._hot_order_next;
    this.memory = new Memory(raw);
  }

  checkPhone(typed: string, country: string): PhoneCheck {
    const { memory, text, integersAt: at, words } = this;
    const input = typed.length > kMaxTyped ? typed.slice(0, kMaxTyped) : typed;
    memory.refresh();
    const typedBytes = writeUtf8(memory.bytes, text, input);
    const countryBytes = writeUtf8(memory.bytes, text + typedBytes, country.length > kMaxWord ? '' : country);
    this.check(typedBytes, countryBytes);
    memory.refresh();
    const slots = memory.integers;
    return {
      verdict: words.verdicts[slots[at] as number] as PhoneVerdict,
      operator_hint: words.operators[slots[at + 1] as number] as OperatorHint,
      bad_at: slots[at + 2] as number,
      calling_code: slots[at + 3] as number,
      national: this.digits(slots[at + 4] as number, input),
      country: this.word(slots[at + 5] as number, slots[at + 6] as number),
      reason: this.word(slots[at + 7] as number, slots[at + 8] as number) as PhoneCheck['reason'],
      other_country: this.word(slots[at + 9] as number, slots[at + 10] as number),
    };
  }

  orderNext(state: string, event: string): OrderStep | null {
    const from = this.states.get(state);
    const on = this.events.get(event);
    if (from === undefined || on === undefined) return null;
    const step = this.next(from, on);
    if (step < 0) return null;
    return { state: this.words.states[step & 0xff] as OrderState, effects: this.effectsOf(step >> 8) };
  }

  /** Every step there is. */
  orderTable(): OrderTransition[] {
    const { states, events } = this.words;
    return states.flatMap((from) =>
      events.flatMap((on) => {
        const step = this.orderNext(from, on);
        return step === null ? [] : [{ from, on, to: step.state, effects: step.effects }];
      }),
    );
  }

  // The digits that the core kept stand where the text came in; most often they are the end of that text.
  private digits(size: number, input: string): string {
    if (size === 0) return '';
    const heap = this.memory.bytes;
    const { text } = this;
    const skipped = input.length - size;
    let i = size;
    while (i > 0 && heap[text + i - 1] === input.charCodeAt(skipped + i - 1)) --i;
    if (i === 0) return skipped === 0 ? input : input.slice(skipped);
    return readUtf8(heap, text, size);
  }

  private word(at: number, size: number): string {
    if (size === 0) return '';
    let word = this.known.get(at);
    if (word === undefined || word.length !== size) {
      if (this.known.size >= kMaxKnownWords) this.known.clear();
      word = readUtf8(this.memory.bytes, at, size);
      this.known.set(at, word);
    }
    return word;
  }

  private effectsOf(bits: number): OrderEffect[] {
    let list = this.effectLists.get(bits);
    if (list === undefined) {
      list = this.words.effects.filter((_, place) => (bits >> place) & 1);
      this.effectLists.set(bits, list);
    }
    return list;
  }
}
