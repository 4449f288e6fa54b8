// I-01 to I-06 over real HTTP: whatever a client repeats, it happens once, and only for its owner.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { Buyer, Shop, until } from './support/shop.mjs';

const kPhone = '13800001234';
let shop;
before(async () => { shop = await Shop.start({}); });
after(async () => {
  await shop.stop();
  shop.cleanup();
});

const ordersOf = async (buyer) => (await buyer.call('GET', '/api/v1/orders')).json.orders;

test('I-01: one key and body a hundred times at once places one order and starts one payment', async () => {
  const buyer = await Buyer.arrive(shop);
  const { fingerprint } = (await buyer.quote(kPhone)).json;
  const key = randomUUID();
  const placed = await Promise.all(Array.from({ length: 100 }, () => buyer.place(kPhone, { key, fingerprint })));
  const ids = new Set(placed.filter((one) => one.status === 201).map((one) => one.json.order_id));
  console.log(`figure I-01: ${placed.length} at once, ${ids.size} order`);
  assert.equal(ids.size, 1);
  for (const one of placed) assert.ok(one.status === 201 || one.json.reason === 'idempotency_in_flight', one.text);
  assert.equal((await ordersOf(buyer)).length, 1);

  const [id] = ids;
  const payKey = randomUUID();
  const paid = await Promise.all(Array.from({ length: 100 }, () => buyer.pay(id, payKey)));
  const tickets = new Set(paid.filter((one) => one.status === 200).map((one) => one.json.out_trade_no));
  assert.equal(tickets.size, 1);
  for (const one of paid) assert.ok(one.status === 200 || one.json.reason === 'idempotency_in_flight', one.text);
  const again = await buyer.pay(id, payKey);
  assert.equal(again.headers.get('idempotency-replayed'), 'true');
  assert.ok(tickets.has(again.json.out_trade_no));
  const staff = await shop.signIn();
  assert.equal((await staff.order(id)).payments.length, 1);
});

test('I-02: the same key with another body is refused with 422 and does nothing', async () => {
  const buyer = await Buyer.arrive(shop);
  const key = randomUUID();
  const first = await buyer.place(kPhone, { key });
  assert.equal(first.status, 201);
  const other = await buyer.place('13800001235', { key });
  assert.deepEqual([other.status, other.json.reason], [422, 'idempotency_key_reused']);
  const payKey = randomUUID();
  assert.equal((await buyer.pay(first.json.order_id, payKey)).status, 200);
  const otherPay = await buyer.pay(first.json.order_id, payKey, { return_path: '/elsewhere' });
  assert.deepEqual([otherPay.status, otherPay.json.reason], [422, 'idempotency_key_reused']);
  assert.equal((await ordersOf(buyer)).length, 1);
});

test('I-03: another user with the same key and body gets an order of his own and sees nothing of the first', async () => {
  const [first, second] = [await Buyer.arrive(shop), await Buyer.arrive(shop)];
  const key = randomUUID();
  const mine = await first.place(kPhone, { key });
  const theirs = await second.place(kPhone, { key });
  assert.deepEqual([mine.status, theirs.status], [201, 201]);
  assert.notEqual(mine.json.order_id, theirs.json.order_id);
  const payKey = randomUUID();
  assert.equal((await first.pay(mine.json.order_id, payKey)).status, 200);
  const foreign = await second.pay(mine.json.order_id, payKey);
  assert.deepEqual([foreign.status, foreign.json.reason], [404, 'order_not_found']);
});

test('I-05: an empty, endless or malformed key is refused, and nothing is placed', async () => {
  const buyer = await Buyer.arrive(shop);
  const { fingerprint } = (await buyer.quote(kPhone)).json;
  const body = { product_id: 'cn-mobile-10000', account_number: kPhone, quote_fingerprint: fingerprint };
  for (const [key, statuses] of [
    ['', [400]], ['short', [400]], ['a'.repeat(15), [400]], ['a'.repeat(65), [400]], ['a'.repeat(256), [400]],
    ['a'.repeat(10_000), [400]], ['a'.repeat(100_000), [400, 431]], ['0123456789 abcdef', [400]], ['0123456789abcde/', [400]],
    ['%00'.repeat(6), [400]], ['%0a%0d'.repeat(4), [400]],
  ]) {
    const answer = await buyer.call('POST', '/api/v1/orders', { headers: { 'idempotency-key': key }, body });
    assert.ok(statuses.includes(answer.status), `${key.slice(0, 20)} (${key.length}): ${answer.status}`);
    if (answer.status === 400 && key.length < 10_000) assert.match(answer.json.reason, /^idempotency_key_|header/);
  }
  // fetch sends no NUL and no line break; a socket does.
  const text = JSON.stringify(body);
  for (const bad of ['0123456789abcdef\0', '0123456789\nabcdef', '0123456789abcdef\r\n\r\nGET / HTTP/1.1']) {
    const said = await raw(`POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${buyer.token}\r\n`
      + `Content-Type: application/json\r\nIdempotency-Key: ${bad}\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
    assert.match(said, /^HTTP\/1\.1 4\d\d /, JSON.stringify(bad));
    assert.doesNotMatch(said, /HTTP\/1\.1 2/);
  }
  assert.equal((await ordersOf(buyer)).length, 0);
});

test('I-06: the same request twice in one batch has one effect and two equal answers', async () => {
  const buyer = await Buyer.arrive(shop);
  const { fingerprint } = (await buyer.quote(kPhone)).json;
  const text = JSON.stringify({ product_id: 'cn-mobile-10000', account_number: kPhone, quote_fingerprint: fingerprint });
  const one = (connection) => `POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${buyer.token}\r\n`
    + `Content-Type: application/json\r\nIdempotency-Key: ${'k'.repeat(24)}\r\nContent-Length: ${text.length}\r\n`
    + `Connection: ${connection}\r\n\r\n${text}`;
  const said = await raw(one('keep-alive') + one('close'));
  const ids = [...said.matchAll(/"order_id":"(\w+)"/g)].map((found) => found[1]);
  assert.equal([...said.matchAll(/HTTP\/1\.1 201 /g)].length, 2, said);
  assert.equal(new Set(ids).size, 1);
  assert.equal((await ordersOf(buyer)).length, 1);
});

test('I-04: killed after the commit and before the answer is heard, a repeat gets the stored answer', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 4; ++round) {
    const buyer = await Buyer.arrive(shop);
    const { fingerprint } = (await buyer.quote(kPhone)).json;
    const text = JSON.stringify({ product_id: 'cn-mobile-10000', account_number: kPhone, quote_fingerprint: fingerprint, confirm_repeat: true });
    const key = randomUUID();
    const deaf = connect(Number(new URL(shop.origin).port), '127.0.0.1');
    deaf.on('error', () => undefined);
    deaf.pause();
    deaf.write(`POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${buyer.token}\r\n`
      + `Content-Type: application/json\r\nIdempotency-Key: ${key}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    const [seen] = await until('the order is committed', async () => {
      const orders = await ordersOf(buyer);
      return orders.length > 0 ? orders : null;
    });
    await shop.kill();
    deaf.destroy();
    await shop.run();
    const again = await buyer.place(kPhone, { key, fingerprint });
    assert.equal(again.status, 201);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.equal(again.json.order_id, seen.order_id);
    assert.equal((await ordersOf(buyer)).length, 1);
    assert.equal((await buyer.place('13800001235', { key })).status, 422);

    // A payment that was being started when the process died: its claim is taken over, its ticket is the same.
    const payKey = randomUUID();
    const lost = buyer.pay(seen.order_id, payKey).catch(() => null);
    if (round % 2 === 1) await lost;
    await shop.kill();
    await lost;
    await shop.run();
    const first = await buyer.pay(seen.order_id, payKey);
    const second = await buyer.pay(seen.order_id, payKey);
    assert.equal(first.status, 200, first.text);
    assert.equal(second.json.out_trade_no, first.json.out_trade_no);
    assert.equal(second.headers.get('idempotency-replayed'), 'true');
  }
});

function raw(bytes) {
  return new Promise((done) => {
    let said = '';
    const socket = connect(Number(new URL(shop.origin).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (more) => { said += more; });
    socket.on('error', () => done(said));
    socket.on('close', () => done(said));
  });
}
