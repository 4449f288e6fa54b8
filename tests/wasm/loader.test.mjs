// What the loader adds to the compiled core: a load that ends, a fresh instance after a trap, and answers to any input.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshTopup, nodeLoader, wasmPath } from './support/core.mjs';
import { bookBytes, request } from './support/book.mjs';

// (module (func (export "trap") unreachable)): a trap as the engine throws it.
const kTrap = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1,
  3, 0, 0, 11);
const { exports: { trap } } = new WebAssembly.Instance(new WebAssembly.Module(kTrap));

// Instances whose order table traps from its second call on, as often as `traps` says; `started` counts them.
async function trappingCore(traps) {
  const { glue, makeLoader, instantiate } = await nodeLoader();
  const counts = { started: 0 };
  const trapping = async (options) => {
    const raw = await glue(options);
    counts.started += 1;
    if (counts.started > traps) return raw;
    let asked = 0;
    raw._hot_order_next = () => (++asked === 1 ? 0 : trap());
    return raw;
  };
  const topup = await makeLoader(trapping, instantiate)({ url: wasmPath });
  return { topup, counts };
}

test('a trap answers with an error value, and a fresh instance goes on with the same book', async () => {
  const { topup, counts } = await trappingCore(1);
  assert.equal(topup.loadPriceBook(bookBytes).ok, true);
  const before = topup.quote(request);
  assert.equal(before.ok, true);
  assert.equal(topup.orderNext('paying', 'cancel'), null, 'the call that trapped');
  assert.equal(topup.quote(request).error.reason, 'core_unavailable', 'while there is no instance');
  await sleep(50);
  assert.equal(counts.started, 2);
  assert.deepEqual(topup.quote(request), before);
  assert.equal(topup.orderNext('paying', 'cancel').state, 'closed');
});

test('a module that keeps trapping is given up, and every call still answers', async () => {
  const { topup, counts } = await trappingCore(Infinity);
  for (let i = 0; i < 10; ++i) {
    assert.equal(topup.orderNext('paying', 'cancel'), null);
    await sleep(20);
  }
  assert.equal(counts.started, 4, 'the first and three restarts');
  assert.equal(topup.quote(request).error.reason, 'core_unavailable');
  assert.equal(topup.checkPhone('13800001234').verdict, 'empty');
  assert.equal(topup.maskPhone('13800001234'), '****');
  assert.equal(topup.decimalText({ minor: 1, currency: 'CNY' }), '');
});

test('a load that hangs or fails is a rejection, and the next call tries again', async () => {
  const { glue, makeLoader, instantiate } = await nodeLoader();
  const plans = [() => new Promise(() => {}), () => Promise.reject(new Error('gone')), instantiate];
  const load = makeLoader(glue, (...given) => plans.shift()(...given), { maxLoadMs: 50 });
  await assert.rejects(load({ url: wasmPath }), /within 50 ms/);
  await assert.rejects(load({ url: wasmPath }), /gone/);
  assert.equal((await load({ url: wasmPath })).checkPhone('13800001234').verdict, 'valid');
});

test('many callers share one instance', async () => {
  const { glue, makeLoader, instantiate } = await nodeLoader();
  const load = makeLoader(glue, instantiate);
  const [one, other] = await Promise.all([load({ url: wasmPath }), load()]);
  assert.equal(one, other);
});

test('a truncated binary is a rejection', async () => {
  const { glue, makeLoader, instantiate } = await nodeLoader();
  const bytes = readFileSync(wasmPath).subarray(0, 5_000);
  await assert.rejects(makeLoader(glue, instantiate)({ bytes }), WebAssembly.CompileError);
});

test('input of any type gives an answer and leaves the core usable', async () => {
  const topup = await freshTopup();
  topup.loadPriceBook(bookBytes);
  const expected = topup.quote(request);
  const endless = {};
  endless.self = endless;
  const throwing = { get amount() { throw new TypeError('mine'); } };
  let deep = [];
  for (let i = 0; i < 10_000; ++i) deep = [deep];
  const hostile = [undefined, null, NaN, Infinity, -0, 0.5, 2 ** 53, 1e300, 10n, '', '\0', '\ud800', '\udfff\ud800', 'x'.repeat(300_000),
    '１'.repeat(5_000), '💥'.repeat(999), '"}', '\u2028', [], {}, [[]], deep, endless, throwing, new Date(NaN), Symbol('s'),
    () => 1, new Uint8Array(9), new Map([[1, 2]]), { __proto__: null }, { toJSON: () => { throw new Error('mine'); } }, /x/];
  const methods = Object.keys(topup);
  assert.ok(methods.length > 30, `${methods.length} methods`);
  for (const name of methods) {
    for (const value of hostile) {
      const shown = `${name}(${typeof value})`;
      assert.doesNotThrow(() => topup[name](value, value), shown);
      const answer = topup[name](value, value);
      if (answer !== null && typeof answer === 'object' && answer.ok === false) {
        assert.match(answer.error.reason, /^[a-z][a-z0-9_]*$/, shown);
        assert.notEqual(answer.error.reason, 'core_unavailable', shown);
      }
    }
  }
  topup.loadPriceBook(bookBytes);
  assert.deepEqual(topup.quote(request), expected);
});

test('a member of the wrong kind is named', async () => {
  const topup = await freshTopup();
  topup.loadPriceBook(bookBytes);
  for (const [member, value] of [['product_id', 7], ['account_number', ['1']], ['now_ms', 0.5], ['now_ms', '1'], ['coupons', {}], ['coupons', [7]]]) {
    const { ok, error } = topup.quote({ ...request, [member]: value });
    assert.equal(ok, false, member);
    assert.ok(['field_type', 'field_missing', 'json_malformed', 'out_of_range'].includes(error.reason), `${member}: ${error.reason}`);
  }
});
