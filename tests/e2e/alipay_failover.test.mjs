// F017, F149: new payments begin on the channel that is well; what has begun on the other one ends there.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Buyer, Shop, until } from './support/shop.mjs';

let shop;
let staff;
before(async () => {
  shop = await Shop.start({ speed: 5, config: '[orders]\npay_within_ms = 120000\n' });
  staff = await shop.signIn();
});
after(async () => {
  await shop.stop();
  shop.cleanup();
});

const offered = async (scene = 'h5') => (await shop.call('GET', `/api/v1/payment-channels?scene=${scene}`)).json.channels;
async function placed(phone = '13800001234') {
  const buyer = await Buyer.arrive(shop);
  return { buyer, id: (await buyer.place(phone)).json.order_id };
}
const start = ({ buyer, id }, body) => buyer.call('POST', `/api/v1/orders/${id}/payments`, {
  headers: { 'idempotency-key': randomUUID() }, body: { scene: 'h5', ...body } });

test('F029: a scene lists its channels in order, and a buyer may leave the choice to the shop', async () => {
  assert.deepEqual(await offered(), [{ channel: 'wechat', health: 'green' }, { channel: 'alipay', health: 'green' }]);
  assert.deepEqual((await offered('mini_program')).map(({ channel }) => channel), ['wechat']);
  assert.equal((await shop.call('GET', '/api/v1/payment-channels?scene=carrier_pigeon')).json.reason, 'out_of_range');
  const started = await start(await placed(), {});
  assert.equal(started.json.channel, 'wechat');
  assert.equal((await start(await placed(), { channel: 'paypal' })).json.reason, 'channel_unknown');
  assert.equal((await start(await placed(), { channel: 'alipay', scene: 'mini_program' })).json.reason, 'scene_not_offered');
});

test('F017: while WeChat Pay is down new payments go to Alipay, old ones stay and settle, and it comes back by trial', async () => {
  const old = await placed();
  const before = (await start(old, { channel: 'wechat' })).json;
  assert.equal(before.channel, 'wechat');

  await shop.arm('wechat', 'outage', 1_000);
  const hit = [];
  for (let i = 0; i < 12; i += 1) {
    const one = await placed();
    hit.push((await start(one, { channel: 'wechat' })).json.reason ?? 'started');
    if ((await offered())[0].channel === 'alipay') break;
  }
  assert.ok(hit.every((reason) => reason === 'channel_unavailable'), hit.join());
  assert.deepEqual(await offered(), [{ channel: 'alipay', health: 'green' }, { channel: 'wechat', health: 'red' }]);
  const { channels } = await staff.get('/api/admin/overview');
  const ill = channels.find(({ name }) => name === 'wechat');
  assert.equal(ill.health, 'red');
  assert.ok(ill.recent_bad >= 1 && ill.why !== '');
  assert.match((await shop.call('GET', '/metrics')).text, /^payment_channel_health\{channel="wechat"\} 2$/m);
  assert.ok(shop.log().some((line) => line.event === 'payment_channel_health' || line.msg === 'payment_channel_health'
    || JSON.stringify(line).includes('"payment_channel_health"')));

  const refused = await start(await placed(), { channel: 'wechat' });
  assert.equal(refused.status, 503);
  assert.equal(refused.json.reason, 'channel_unhealthy');
  assert.equal(refused.json.alternative, 'alipay');

  const fresh = await placed();
  const started = (await start(fresh, {})).json;
  assert.equal(started.channel, 'alipay');
  await shop.payAtAlipay(started.h5_url);
  await fresh.buyer.reaches(fresh.id, 'succeeded', 30_000);

  // Paid at the sheet that was opened before: its notification still arrives, whatever the API does.
  assert.equal((await shop.payAtSheet(before.out_trade_no)).status, 200);
  await old.buyer.reaches(old.id, 'succeeded', 30_000);
  const full = await staff.order(old.id);
  assert.deepEqual(full.payments.map(({ channel, state }) => `${channel} ${state}`), ['wechat paid']);

  await shop.arm('wechat', 'outage', 0);
  await until('trials bring it back', async () => (await offered())[0].channel === 'wechat', 60_000);
  assert.equal((await start(await placed(), {})).json.channel, 'wechat');
});
