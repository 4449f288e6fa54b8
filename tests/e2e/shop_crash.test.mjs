// kill -9 in the middle: whatever was answered is there afterwards, every paid order still ends, the books hold.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Buyer, Shop, binary, sleep, sumsToZero, until } from './support/shop.mjs';

const config = `
[orders]
first_supplier_query_ms = 300
not_found_needed = 3
not_found_gap_ms = 200
review_above_minor = 0
`;

test('D-05, O-01: ten kills while orders are placed, paid and delivered lose and double nothing', { timeout: 180_000 }, async () => {
  const shop = await Shop.start({ config, speed: 50 });
  const buyer = await Buyer.arrive(shop);
  const answered = [];
  for (let round = 0; round < 10; ++round) {
    const work = Promise.allSettled(Array.from({ length: 4 }, async () => {
      const placed = await buyer.place('13800001234');
      if (placed.status !== 201) return;
      const entry = { id: placed.json.order_id, paid: false };
      answered.push(entry);
      const ticket = await buyer.pay(entry.id);
      if (ticket.status !== 200) return;
      const paid = await shop.payAtSheet(ticket.json.out_trade_no);
      entry.paid = paid.json.paid === true;
    }));
    await sleep(20 + round * 37);
    await shop.kill();
    await work;
    await shop.run();
    for (const entry of answered) if (!entry.paid) await buyer.call('POST', `/api/v1/orders/${entry.id}/cancel`);
  }
  assert.ok(answered.length >= 10, `${answered.length} orders were answered`);
  const staff = await shop.signIn();
  let delivered = 0;
  for (const { id, paid } of answered) {
    let order = await buyer.order(id);
    assert.equal(order.order_id, id, 'an answered order is there');
    // A sheet that was paid while the answer was lost counts as paid too: the channel knows, and the query finds out.
    if (!paid && order.state === 'closed') continue;
    await buyer.call('POST', `/api/v1/orders/${id}/confirm`);
    order = await until('the order ends', async () => {
      const now = await buyer.order(id);
      return ['succeeded', 'refunded'].includes(now.state) ? now : null;
    }, 60_000);
    const full = await staff.order(id);
    const count = (template) => full.journals.filter((journal) => journal.template === template).length;
    assert.equal(count('payment'), 1);
    assert.equal(full.supplier_attempts.length, 1);
    assert.ok(sumsToZero(full));
    // A kill between "marked as sent" and the first byte leaves a reference that the supplier never saw: that order
    // is given back. The supplier's own book says which of the two ends is the true one.
    const theirs = await shop.suppliersBook(full.supplier_attempts[0].attempt_id);
    const refunds = full.refunds.filter((refund) => refund.state === 'succeeded').length;
    if (order.state === 'refunded') {
      assert.deepEqual(theirs, { known: false }, 'only what never arrived is given back');
      assert.deepEqual([count('fulfilment'), refunds], [0, 1]);
      continue;
    }
    assert.deepEqual(theirs, { known: true, status: 'SUCCESSFUL' });
    assert.deepEqual([count('fulfilment'), refunds], [1, 0]);
    ++delivered;
  }
  assert.ok(delivered >= 1, 'some orders were delivered across the kills');
  console.log(`figure D-05: ${answered.length} orders answered over 10 kills, 0 lost`);
  assert.equal((await shop.stop()).code, 0);
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

// The order and its attempt are one commit before the channel hears of it; the ticket is written after the buyer has it. So a
// kill finds a checkout before that commit, while the channel is asked, or with a ticket that nobody has kept.
test('O-01, D-05: kills while checkouts run leave one order, one attempt and one sheet for each key', { timeout: 120_000 }, async () => {
  const shop = await Shop.start({ config, speed: 50 });
  const buyer = await Buyer.arrive(shop);
  const staff = await shop.signIn();
  const quote = await buyer.quote('13800001234');
  const body = { payment: { channel: 'wechat', scene: 'h5' },
    order: { product_id: 'cn-mobile-10000', account_number: '13800001234', quote_fingerprint: quote.json.fingerprint, confirm_repeat: true } };
  const checkOut = (key) => buyer.call('POST', '/api/v1/checkouts', { headers: { 'idempotency-key': key }, body });
  const keys = [];
  let answered = 0;
  for (let round = 0; round < 8; ++round) {
    const told = new Map();
    const fresh = Array.from({ length: 4 }, (_, i) => `kill-at-checkout-${round}-${i}`);
    keys.push(...fresh);
    const work = Promise.allSettled(fresh.map(async (key) => {
      const made = await checkOut(key);
      if (made.status === 201 && made.json.payment) told.set(key, made.json);
    }));
    // Every other kill follows the first answer at once: its ticket has no commit yet.
    if (round % 2 === 0) await sleep(round * 9);
    else await Promise.race([work, until('one is answered', () => told.size > 0)]);
    await shop.kill();
    await work;
    await shop.run(Number(new URL(shop.origin).port)); // its address is part of what a channel was asked for
    for (const key of fresh) {
      const again = await checkOut(key);
      assert.equal(again.status, 201, again.text);
      assert.ok(again.json.payment, again.text);
      const before = told.get(key);
      if (before) {
        ++answered;
        assert.equal(again.json.order.order_id, before.order.order_id, 'what was answered is there');
        assert.equal(again.json.payment.out_trade_no, before.payment.out_trade_no, 'the sheet in the hand is the one watched');
      }
      const full = await staff.order(again.json.order.order_id);
      assert.equal(full.payments.length, 1);
      assert.equal((await shop.payAtSheet(again.json.payment.out_trade_no)).json.paid, true);
      await until('it is delivered', async () => (await buyer.order(again.json.order.order_id)).state === 'succeeded', 30_000);
    }
  }
  assert.ok(answered >= 4, `${answered} were answered before their kill`);
  const orders = new Set();
  for (let cursor = ''; ;) {
    const page = (await buyer.call('GET', `/api/v1/orders?cursor=${encodeURIComponent(cursor)}`)).json;
    for (const row of page.orders) orders.add(row.order_id);
    if (!page.next_cursor) break;
    cursor = page.next_cursor;
  }
  assert.equal(orders.size, keys.length, 'one order for each key');
  assert.equal((await shop.stop()).code, 0);
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

test('a port in use is refused with a clear message, and a second shop on the same data too', async () => {
  const shop = await Shop.start({});
  const port = new URL(shop.origin).port;
  await assert.rejects(Shop.start({ port: Number(port) }), /in use|cannot listen|Address already in use/i);
  await assert.rejects(Shop.start({ data: shop.data }), /another process is using/);
  await shop.stop();
  shop.cleanup();
});

test('a shop that lost the key of its personal data refuses to start', async () => {
  const shop = await Shop.start({});
  await shop.stop();
  execFileSync('rm', [`${shop.data}/topup.keys`]);
  await assert.rejects(Shop.start({ data: shop.data }), /key_file_missing/);
  shop.cleanup();
});
