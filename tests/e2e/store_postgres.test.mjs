// The shop on PostgreSQL: an order from price to delivery, a database killed in the middle, a shop killed in the middle.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Postgres } from './support/postgres.mjs';
import { Buyer, Shop, binary, sleep, sumsToZero, until } from './support/shop.mjs';

test('on PostgreSQL orders are delivered across kills of the database and of the shop', { timeout: 180_000 }, async () => {
  const database = await Postgres.start();
  const config = `
[store]
url = "${database.url}"
[orders]
first_supplier_query_ms = 300
not_found_needed = 3
not_found_gap_ms = 200
`;
  const shop = await Shop.start({ config });
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800001234');
  await buyer.reaches(id, 'succeeded');

  const answered = [];
  for (let round = 0; round < 4; ++round) {
    const work = Promise.allSettled(Array.from({ length: 4 }, async () => {
      const placed = await buyer.place('13800001234');
      if (placed.status !== 201) return;
      const entry = { id: placed.json.order_id, paid: false };
      answered.push(entry);
      const ticket = await buyer.pay(entry.id);
      if (ticket.status !== 200) return;
      entry.paid = (await shop.payAtSheet(ticket.json.out_trade_no)).json.paid === true;
    }));
    await sleep(60 + round * 70);
    if (round % 2 === 0) {
      await database.kill();
      const away = await shop.call('GET', '/readyz');
      assert.equal(away.status, 503);
      assert.ok(away.json.missing.includes('database'), away.text);
      const refused = await shop.call('POST', '/api/v1/sessions');
      assert.equal(refused.status, 503);
      assert.equal(refused.json.reason, 'store_unavailable');
      assert.equal(refused.headers.get('retry-after'), '1');
      await work;
      await database.run();
      await until('the shop is ready again', async () => (await shop.call('GET', '/readyz')).status === 200);
    } else {
      await shop.kill();
      await work;
      await shop.run();
    }
    for (const entry of answered) if (!entry.paid) await buyer.call('POST', `/api/v1/orders/${entry.id}/cancel`);
  }
  assert.ok(answered.length >= 4, `${answered.length} orders were answered`);

  const staff = await shop.signIn();
  for (const { id: order, paid } of answered) {
    const found = await buyer.order(order);
    assert.equal(found.order_id, order, 'an answered order is there');
    if (!paid && found.state === 'closed') continue;
    await buyer.call('POST', `/api/v1/orders/${order}/confirm`);
    const end = await until('the order ends', async () => {
      const now = await buyer.order(order);
      return ['succeeded', 'refunded'].includes(now.state) ? now.state : null;
    }, 60_000);
    const full = await staff.order(order);
    const count = (template) => full.journals.filter((journal) => journal.template === template).length;
    assert.equal(count('payment'), 1);
    assert.equal(full.supplier_attempts.length, 1);
    assert.ok(sumsToZero(full));
    // As in shop_crash.test.mjs: what never reached the supplier is given back, and only that.
    const theirs = await shop.suppliersBook(full.supplier_attempts[0].attempt_id);
    assert.equal(theirs.known, end === 'succeeded');
    assert.equal(count('fulfilment'), end === 'succeeded' ? 1 : 0);
  }
  const verified = execFileSync(binary, ['verify', '--config', `${shop.data}/shop.toml`], { encoding: 'utf8' });
  assert.match(verified, /the books hold/);
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
  await database.stop();
});

test('a shop that moved to PostgreSQL goes on with its orders, its sessions and its staff', { timeout: 120_000 }, async () => {
  const database = await Postgres.start();
  const shop = await Shop.start({});
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800001234');
  await buyer.reaches(id, 'succeeded');
  const open = (await buyer.place('13800001234')).json.order_id;
  await shop.stop();

  const move = ['move', '--data', shop.data, '--to', database.url];
  assert.match(execFileSync(binary, move, { encoding: 'utf8' }), /moved: \d+ rows, the same on both sides/);
  assert.throws(() => execFileSync(binary, move, { stdio: 'pipe' }), /in use as a shop already/);

  shop.options.config = `[store]\nurl = "${database.url}"\n`;
  await shop.run();
  assert.equal((await buyer.order(id)).state, 'succeeded');
  const ticket = await buyer.pay(open);
  await shop.payAtSheet(ticket.json.out_trade_no);
  await buyer.reaches(open, 'succeeded');
  const staff = await shop.signIn();
  assert.ok(sumsToZero(await staff.order(id)));
  await shop.stop();
  assert.match(execFileSync(binary, ['verify', '--config', `${shop.data}/shop.toml`], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
  await database.stop();
});
