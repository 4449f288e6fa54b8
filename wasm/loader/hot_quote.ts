// Prices without JSON: the numbers of write_slots() (shared/pricing.h) become the same object as the call "quote" gives.
import type { Money, NotApplied, Quote, QuoteLine, QuoteRequest } from '../topup';
import type { HotPaths } from './hot';
import type { RawTopup } from './raw';
import { readUtf8, writeUtf8 } from './utf8';

const kHead = 12;
const kRow = 5;
const kBytesPerInteger = 4;
const kBytesPerDouble = 8;
const kMaxProductId = 128; // units; the core's own bounds in bytes are checked behind them
const kMaxAccount = 128;
const kBytePairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

interface Source {
  id: string;
  version: number;
}
/** A face comes from no rule. */
const kFace: Source = { id: '', version: 0 };

interface Rows {
  rules: Source[];
  benefits: Source[];
  promotions: Source[];
  coupons: Source[];
  fees: Source[];
}
interface Owned {
  id: string;
  template_id: string;
}
interface Book {
  version: number;
  currency: string;
}

function hexOf(half: number): string {
  return (kBytePairs[half >>> 24] as string) + kBytePairs[(half >>> 16) & 0xff] + kBytePairs[(half >>> 8) & 0xff] + kBytePairs[half & 0xff];
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value);
}

export class QuotePath {
  private book: Book | null = null;
  private owned: Owned[] = [];
  /** For each word of a line: where its index points. */
  private sources: Source[][] = [];
  private readonly price: RawTopup['_hot_quote'];
  private readonly integersAt: number;
  private readonly doublesAt: number;

  constructor(private readonly hot: HotPaths) {
    const { raw } = hot;
    this.integersAt = raw._hot_integers_start() / kBytesPerInteger;
    this.doublesAt = raw._hot_doubles_start() / kBytesPerDouble;
    raw._hot_quote(0, 0, 0, 0, 0, 0); // puts the real export in the place of the glue's wrapper
    this.price = raw._hot_quote;
  }

  /** The book or the buyer has changed: indices mean something else now. */
  forget(): void {
    this.book = null;
  }

  setOwned(coupons: Owned[]): void {
    this.owned = coupons;
    this.forget();
  }

  /** null when the call "quote" must answer: for refusals, and for what does not fit here. */
  quote(request: QuoteRequest): Quote | null {
    const { product_id: product, account_number: account, amount_minor: amount = 0, now_ms: now = 0 } = request;
    const { coupons = 'best', degraded = false } = request;
    const isPlain = typeof product === 'string' && typeof account === 'string' && isAmount(amount) && isAmount(now);
    const isChoice = (coupons === 'best' || coupons === 'none') && typeof degraded === 'boolean';
    if (!isPlain || !isChoice || product.length > kMaxProductId || account.length > kMaxAccount) return null;
    const { memory, text } = this.hot;
    memory.refresh();
    const productBytes = writeUtf8(memory.bytes, text, product);
    const accountBytes = writeUtf8(memory.bytes, text + productBytes, account);
    const count = this.price(productBytes, accountBytes, amount, now, degraded ? 1 : 0, coupons === 'none' ? 1 : 0);
    if (count === 0) return null;
    const book = this.book ?? this.learn();
    memory.refresh();
    return book === null ? null : this.read(product, book);
  }

  private read(productId: string, book: Book): Quote {
    const { memory, words } = this.hot;
    const n = memory.doubles;
    const i = memory.integers;
    const d = this.doublesAt;
    const own = book.currency;
    const face: Money = { minor: n[d + 4] as number, currency: words.currencies[n[d + 5] as number] as string };
    const delivered: Money = { minor: n[d + 6] as number, currency: words.currencies[n[d + 7] as number] as string };
    const at = this.integersAt;
    const lineCount = n[d + 10] as number;
    const reasons = d + kHead + kRow * lineCount;
    return {
      product_id: productId,
      account_masked: readUtf8(memory.bytes, i[at] as number, i[at + 1] as number),
      face,
      list: { minor: n[d + 2] as number, currency: own },
      payable: { minor: n[d + 1] as number, currency: own },
      saved: { minor: n[d + 3] as number, currency: own },
      delivered,
      lines: this.lines(n, d + kHead, lineCount, own),
      not_applied: this.notApplied(n, reasons, n[d + 11] as number),
      needs_review: n[d + 9] === 1,
      expires_at_ms: n[d + 8] as number,
      fingerprint: hexOf(i[at + 2] as number) + hexOf(i[at + 3] as number),
      price_book_version: book.version,
    };
  }

  private lines(n: Float64Array, from: number, count: number, currency: string): QuoteLine[] {
    const { lines: words } = this.hot.words;
    const rows: QuoteLine[] = [];
    for (let at = from; at < from + kRow * count; at += kRow) {
      const word = n[at] as number;
      const index = n[at + 1] as number;
      const { id, version } = this.sources[word]?.[index] ?? kFace;
      const effect = { minor: n[at + 3] as number, currency };
      const rate_bp = n[at + 2] as number;
      const remainder = n[at + 4] as number;
      const name = words[word] as QuoteLine['word'];
      rows.push(
        name === 'coupon'
          ? { word: name, rule_id: id, rule_version: version, coupon_id: this.owned[index]?.id ?? '', rate_bp, effect, remainder }
          : { word: name, rule_id: id, rule_version: version, rate_bp, effect, remainder },
      );
    }
    return rows;
  }

  private notApplied(n: Float64Array, from: number, count: number): NotApplied[] {
    const { lines: words, why_nots: whyNots } = this.hot.words;
    const rows: NotApplied[] = [];
    for (let at = from; at < from + kRow * count; at += kRow) {
      const word = n[at] as number;
      const index = n[at + 1] as number;
      const { id, version } = this.sources[word]?.[index] ?? kFace;
      const why = whyNots[n[at + 2] as number] as NotApplied['why'];
      const need = n[at + 3] as number;
      const have = n[at + 4] as number;
      const name = words[word] as NotApplied['word'];
      rows.push(
        name === 'coupon'
          ? { word: name, rule_id: id, rule_version: version, coupon_id: this.owned[index]?.id ?? '', why, need, have }
          : { word: name, rule_id: id, rule_version: version, why, need, have },
      );
    }
    return rows;
  }

  private learn(): Book | null {
    const { raw, words } = this.hot;
    const head = JSON.parse(raw.call('book_head', '{}'));
    const answer = JSON.parse(raw.call('book_rows', '{}'));
    if (!head.ok || !answer.ok) return null;
    const rows = answer.value as Rows;
    const coupons = this.owned.map(({ template_id: id }) => rows.coupons.find((one) => one.id === id) ?? { id, version: 0 });
    const { rules, benefits, promotions, fees } = rows;
    const bySource: Record<string, Source[]> = {
      face: [], markup: rules, margin_guard: rules, member: benefits, card: benefits, promotion: promotions, coupon: coupons, fee: fees,
    };
    this.sources = words.lines.map((word) => bySource[word] ?? []);
    this.book = { version: head.value.version, currency: head.value.currency };
    return this.book;
  }
}
