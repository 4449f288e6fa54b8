// Reads what is on sale out of a price book's bytes (form: shared/price_book.h, schema 1). It reads no prices: without
// the WebAssembly core those come from the server. Returns null for anything that is not such a book.
import type { Money, OperatorHint } from '@topup/core';
import type { ShopBook } from './shop_book';

const kMagic = 'TPB1';
const kSchema = 1;
const kMaxText = 256;
const kMaxRows = 20_000;
const kHints: OperatorHint[] = ['unknown', 'mobile', 'unicom', 'telecom', 'broadnet', 'virtual'];

class Damaged extends Error {}

class ByteReader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  number(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      if (this.at >= this.bytes.length) throw new Damaged();
      const byte = this.bytes[this.at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw new Damaged();
        return value;
      }
    }
    throw new Damaged();
  }
  count(): number {
    const value = this.number();
    if (value > kMaxRows) throw new Damaged();
    return value;
  }
  raw(size: number): string {
    if (size > kMaxText || this.at + size > this.bytes.length) throw new Damaged();
    const part = this.bytes.subarray(this.at, this.at + size);
    this.at += size;
    return new TextDecoder().decode(part);
  }
  text(): string {
    return this.raw(this.number());
  }
  money(): Money {
    return { minor: this.number(), currency: this.text() };
  }
}

function readBook(reader: ByteReader): ShopBook {
  if (reader.raw(kMagic.length) !== kMagic || reader.number() !== kSchema) throw new Damaged();
  const book: ShopBook = { version: reader.number(), published_at_ms: reader.number(), fingerprint: '', operators: [], products: [] };
  reader.text();
  for (let ruleNumbers = 0; ruleNumbers < 4; ++ruleNumbers) reader.number();
  for (let left = reader.count(); left > 0; --left) {
    const [id, name_zh, name_en, country] = [reader.text(), reader.text(), reader.text(), reader.text()];
    book.operators.push({ id, name_zh, name_en, country, hint: kHints[reader.number()] ?? 'unknown' });
  }
  for (let left = reader.count(); left > 0; --left) {
    const id = reader.text();
    const operator = book.operators[reader.number()];
    if (operator === undefined) throw new Damaged();
    reader.number(); // the kind: airtime is the only one
    const [face, delivered] = [reader.money(), reader.money()];
    book.products.push({ id, operator_id: operator.id, kind: 'airtime', face, delivered, payable: null });
  }
  return book;
}

export function readPriceBook(bytes: Uint8Array): ShopBook | null {
  try {
    return readBook(new ByteReader(bytes));
  } catch {
    return null;
  }
}
