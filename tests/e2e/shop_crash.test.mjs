// kill -9 in the middle: whatever was answered is there afterwards, every paid order still ends, the books hold.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Buyer, Shop, binary, sleep, sumsToZero } from './support/shop.mjs';

const config = `
[orders]
first_supplier_query_ms = 300
`;

test('ten kills while orders are placed, paid and delivered lose and double nothing', { timeout: 180_000 }, async () => {
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
    order = await buyer.reaches(id, 'succeeded', 60_000);
    const full = await staff.order(id);
    assert.equal(full.journals.filter((journal) => journal.template === 'payment').length, 1);
    assert.equal(full.journals.filter((journal) => journal.template === 'fulfilment').length, 1);
    assert.equal(full.supplier_attempts.length, 1);
    assert.ok(sumsToZero(full));
    ++delivered;
  }
  assert.ok(delivered >= 1, 'some orders were delivered across the kills');
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
  execFileSync('rm', [`${shop.data}/topup.key`]);
  await assert.rejects(Shop.start({ data: shop.data }), /key_file_missing/);
  shop.cleanup();
});
