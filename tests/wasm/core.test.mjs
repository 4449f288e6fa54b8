// The compiled core under Node: the names its types promise, the golden vectors that the native tests run as well, and
// hostile input, after which the module must still answer.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const dist = process.env.TOPUP_WASM ?? join(root, 'build/wasm/dist');
const { default: create } = await import(join(dist, 'topup.js'));
const core = await create({ wasmBinary: readFileSync(join(dist, 'topup.wasm')) });
const vectors = (name) => JSON.parse(readFileSync(join(root, 'tests/vectors', `${name}.json`), 'utf8'));
const bytesOf = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));

test('the module exports what its typed face is built on, and nothing else by mistake', () => {
  const names = ['buyer_word', 'check_phone', 'decimal_text', 'load_price_book', 'mask_phone', 'quote', 'version'];
  for (const name of names) assert.equal(typeof core[name], 'function', name);
  const declared = readFileSync(join(root, 'wasm/topup.d.ts'), 'utf8');
  for (const name of names) {
    const friendly = name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    assert.ok(declared.includes(`  ${friendly}(`), `${friendly} is declared in topup.d.ts`);
  }
});

test('quote asks for a price book first', () => {
  assert.deepEqual(JSON.parse(core.quote('p', '13800001234')),
    { ok: false, error: { code: 'unavailable', reason: 'price_book_missing', field: '', detail: '' } });
});

test('phone vectors', () => {
  for (const { name, in: typed, out } of vectors('phone')) {
    assert.deepEqual(core.check_phone(typed), out, name);
  }
});

test('pricing vectors, byte for byte', () => {
  const { book_hex: bookHex, cases } = vectors('pricing');
  assert.equal(JSON.parse(core.load_price_book(bytesOf(bookHex))).ok, true);
  for (const { name, product_id: product, account_number: account, text } of cases) {
    assert.equal(core.quote(product, account), text, name);
  }
});

test('a damaged price book is refused with its reason and the one in use stays', () => {
  const { book_hex: bookHex, cases } = vectors('pricing');
  const bytes = bytesOf(bookHex);
  for (let at = 0; at < bytes.length; ++at) {
    const damaged = bytes.slice();
    damaged[at] ^= 0x40;
    assert.equal(JSON.parse(core.load_price_book(damaged)).ok, false, `byte ${at}`);
  }
  assert.equal(core.quote(cases[0].product_id, cases[0].account_number), cases[0].text);
});

test('hostile input gives an answer and leaves the module usable', () => {
  const strings = ['', '\0', '\ud800', 'x'.repeat(200_000), '１'.repeat(5_000), '__proto__', '"}', '\u2028', '💥'.repeat(999)];
  for (const text of strings) {
    core.check_phone(text);
    core.mask_phone(text);
    core.buyer_word(text);
    JSON.parse(core.quote(text, text));
    JSON.parse(core.load_price_book(text));
  }
  for (const minor of [NaN, Infinity, -Infinity, 0.5, 2 ** 53, -(2 ** 53), 1e300]) {
    assert.equal(core.decimal_text(minor, 'CNY'), '', String(minor));
  }
  assert.equal(core.decimal_text(9850, 'CNY'), '98.50');
  assert.equal(core.decimal_text(9850, 'ZZZ'), '');
  assert.equal(core.check_phone('13800001234').verdict, 'valid');
});

test('memory stays flat over many calls', () => {
  const before = core.HEAP8.length;
  for (let i = 0; i < 200_000; ++i) core.check_phone('138 0000 1234');
  for (let i = 0; i < 50_000; ++i) core.quote('cn-mobile-10000', '13800001234');
  assert.equal(core.HEAP8.length, before);
});
