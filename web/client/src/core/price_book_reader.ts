// Reads what is on sale out of a price book's bytes (form: shared/price_book_bytes.cpp, schema 2 or 3). It reads no rules: without
// the WebAssembly core prices come from the server. Returns null for anything that is not such a book.
import type { Country, Money, Operator, OperatorHint, Product } from '@topup/core';
import { readUtf8 } from '@loader/utf8';

const kMagic = 'TPB1';
const kSchemas = [2, 3];
const kMaxText = 256;
const kMaxRows = 20_000;
const kHints: OperatorHint[] = ['unknown', 'mobile', 'unicom', 'telecom', 'broadnet', 'virtual'];
const kIssuers: Operator['issuer'][] = ['none', 'sinopec', 'petrochina'];
const kKinds: Product['kind'][] = ['airtime', 'data', 'fuel_card', 'pin'];
const kLetters = 3;
const kChecksumBytes = 8;

export type PlainProduct = Omit<Product, 'payable' | 'list'>;
export interface PlainBook {
  version: number;
  published_at_ms: number;
  countries: Country[];
  operators: Operator[];
  products: PlainProduct[];
}

class Damaged extends Error {}

class ByteReader {
  private at = 0;
  private readonly end: number;
  private currencies: string[] = [];
  constructor(private readonly bytes: Uint8Array) {
    this.end = bytes.length - kChecksumBytes;
  }

  byte(): number {
    if (this.at >= this.end) throw new Damaged();
    return this.bytes[this.at++] as number;
  }
  number(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw new Damaged();
        return value;
      }
    }
    throw new Damaged();
  }
  skipNumber(): void {
    while (this.byte() >= 0x80);
  }
  choice<T>(choices: readonly T[]): T {
    const chosen = choices[this.number()];
    if (chosen === undefined) throw new Damaged();
    return chosen;
  }
  raw(size: number): string {
    if (size > kMaxText || this.at + size > this.end) throw new Damaged();
    this.at += size;
    return readUtf8(this.bytes, this.at - size, size);
  }
  text(): string {
    return this.raw(this.number());
  }
  rows<T>(read: () => T): T[] {
    const count = this.number();
    if (count > kMaxRows) throw new Damaged();
    const rows: T[] = [];
    while (rows.length < count) rows.push(read());
    return rows;
  }
  readCurrencies(): void {
    this.currencies = this.rows(() => this.raw(kLetters));
  }
  money(): Money {
    return { minor: this.number(), currency: this.choice(this.currencies) };
  }
}

function readOperator(reader: ByteReader): Operator {
  const [id, name_zh, name_en, country] = [reader.text(), reader.text(), reader.text(), reader.text()];
  return { id, name_zh, name_en, country, hint: reader.choice(kHints), issuer: reader.choice(kIssuers), kinds: [] };
}

function readProduct(reader: ByteReader, idBefore: string, operators: Operator[]): PlainProduct {
  const id = idBefore.slice(0, reader.number()) + reader.text(); // ids are ASCII
  const operator = reader.choice(operators);
  const kind = reader.choice(kKinds);
  if (!operator.kinds.includes(kind)) operator.kinds.push(kind);
  const flags = reader.number();
  const face = reader.money();
  const delivered = flags & 1 ? reader.money() : face;
  if (flags & 2) reader.money(); // a cost: never in the book that pages get
  const [most_minor, step_minor] = flags & 4 ? [reader.number(), reader.number()] : [0, 0];
  const validity_days = flags & 8 ? reader.number() : 0;
  const [name_zh, name_en] = flags & 16 ? [reader.text(), reader.text()] : ['', ''];
  if (flags & 32) reader.number(); // the list price; the server quotes here
  if (flags & 64) reader.number(); // below what no discount goes
  return { id, operator_id: operator.id, kind, face, delivered, most_minor, step_minor, validity_days, name_zh, name_en };
}

function isSold(operators: Operator[], land: string, kind: Product['kind']): boolean {
  return operators.some(({ country, kinds }) => country === land && kinds.includes(kind));
}

function readBook(reader: ByteReader): PlainBook {
  if (reader.raw(kMagic.length) !== kMagic || !kSchemas.includes(reader.number())) throw new Damaged();
  const [version, published_at_ms] = [reader.number(), reader.number()];
  for (let times = 0; times < 2; ++times) reader.number(); // how long the book and a quote hold
  reader.skipNumber(); // the salt of blocked numbers
  reader.readCurrencies();
  const lands = reader.rows(() => ({ country: reader.text(), name_zh: reader.text(), name_en: reader.text() }));
  const operators = reader.rows(() => readOperator(reader));
  reader.rows(() => [reader.number(), reader.number()]); // exchange rates
  let id = '';
  const products = reader.rows(() => {
    const product = readProduct(reader, id, operators);
    id = product.id;
    return product;
  });
  const countries = lands.map((land) => ({ ...land, kinds: kKinds.filter((kind) => isSold(operators, land.country, kind)) }));
  return { version, published_at_ms, countries: countries.filter(({ kinds }) => kinds.length > 0), operators, products };
}

export function readPriceBook(bytes: Uint8Array): PlainBook | null {
  try {
    return readBook(new ByteReader(bytes));
  } catch {
    return null;
  }
}
