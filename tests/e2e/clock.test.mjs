// D-06 on the real program: its machine's clock jumps while the shop stands still or is moved. Orders are delivered whatever
// year it is; a session does not live longer for a clock that went back; what was answered is there in every year.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { atAnotherTime } from './support/commands.mjs';
import { Buyer, Shop, binary, sumsToZero } from './support/shop.mjs';

const kDay = 86_400;
const kNow = Math.floor(Date.now() / 1000);
// Where the clock stands, in seconds from now. Each is one start of the same shop; the last is the time of the first again.
const kJumps = [
  ['400 days later', 400 * kDay],
  ['a day earlier', -kDay],
  ['before the end of 31 bits', Date.UTC(2038, 0, 19, 3, 14, 2) / 1000 - kNow],  // five seconds before it
  ['a year after it', Date.UTC(2039, 0, 19) / 1000 - kNow],
  ['ten years earlier', -3_650 * kDay],
  ['as it was', 0],
];

test('D-06: on a clock that jumps by a day, by 400 days and past 2038 orders are delivered and sessions still end', { timeout: 120_000 }, async () => {
  const shop = await Shop.start({});
  const first = await Buyer.arrive(shop);
  const known = [(await first.buy('13800001234')).id];
  await first.reaches(known[0], 'succeeded');
  assert.equal((await shop.stop()).code, 0);
  let ended = 0;
  for (const [name, seconds] of kJumps) {
    shop.options.under = seconds === 0 ? [] : atAnotherTime(seconds);
    await shop.run();
    const answer = await first.call('GET', `/api/v1/orders/${known[0]}`);
    if (seconds > 300 * kDay) {
      assert.equal(answer.status, 401, `${name}: a session of long ago has ended`);
      ++ended;
    } else {
      assert.ok([200, 401].includes(answer.status), `${name}: ${answer.text}`);
    }
    const buyer = await Buyer.arrive(shop);
    const { id } = await buyer.buy('13800001234');
    await buyer.reaches(id, 'succeeded', 30_000);
    const staff = await shop.signIn();
    known.push(id);
    for (const order of known) {
      const full = await staff.order(order);
      assert.equal(full.order.state, 'succeeded', `${name}: ${order}`);
      assert.equal(full.supplier_attempts.length, 1, name);
      assert.ok(sumsToZero(full), name);
    }
    assert.equal((await shop.stop()).code, 0, name);
  }
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  console.log(`figure D-06: ${kJumps.length} starts at other times (+400 d, -1 d, 2038, 2039, -10 y), ${known.length} orders delivered, `
    + `${ended} ended sessions refused, 0 lost, 0 twice`);
  shop.cleanup();
});
