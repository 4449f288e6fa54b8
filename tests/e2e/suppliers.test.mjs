// Each supplier behind the real shop: an order is delivered and booked, a refusal goes back to the
// buyer, an unknown outcome is asked about and never sent twice (F001, O-02, S-04).
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { Buyer, Shop } from './support/shop.mjs';

const shops = [];
after(async () => { for (const shop of shops) await shop.stop(); });

const rows = [
  { supplier: 'dtone', wallet: 'USD', refused: '9908', lost: '9902' },
  { supplier: 'dingconnect', wallet: 'USD', refused: '9005', lost: '9008' },
  { supplier: 'juhe', wallet: 'CNY', refused: '9002', lost: '9010' },
];

for (const { supplier, wallet, refused, lost } of rows) {
  test(`${supplier}: delivered, refused and lost`, { timeout: 120_000 }, async () => {
    const shop = await Shop.start({ suppliers: supplier, speed: 5 });
    shops.push(shop);
    const staff = await shop.signIn();
    const buyer = await Buyer.arrive(shop);
    const book = async (reference) => (await fetch(`${shop[supplier]}/control/orders/${reference}`)).json();

    for (const guess of ['', '?token=', '?token=guess', `?token=${'0'.repeat(64)}`]) {
      const forged = await shop.call('POST', `/callback/${supplier}${guess}`, { body: { external_id: 'S1', status: 'x' } });
      assert.equal(forged.status, 401, `a forged callback ${guess}`);
    }

    const good = await buyer.buy('13800001234');
    await buyer.reaches(good.id, 'succeeded');
    const delivered = await staff.order(good.id);
    assert.equal(delivered.supplier_attempts.length, 1);
    assert.equal(delivered.supplier_attempts[0].supplier, supplier);
    const kept = await book(delivered.supplier_attempts[0].attempt_id);
    assert.deepEqual([kept.count, kept.delivered], [1, 1]);
    assert.equal(delivered.supplier_attempts[0].cost.minor, kept.cost_minor);
    assert.equal(delivered.supplier_attempts[0].cost.currency, wallet);

    const bad = await buyer.buy(`1380000${refused}`);
    await buyer.reaches(bad.id, 'refunded');

    const unsure = await buyer.buy(`1380000${lost}`);
    await buyer.reaches(unsure.id, 'succeeded', 60_000);
    const asked = await staff.order(unsure.id);
    assert.equal(asked.supplier_attempts.length, 1);
    assert.deepEqual((await book(asked.supplier_attempts[0].attempt_id)).count, 1);
  });
}
