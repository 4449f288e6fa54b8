// What buyers and WeChat are told, over real HTTP against the played platform.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Buyer, Shop, until } from './support/shop.mjs';

const kTemplate = 'delivered_template_1';
let shop;
let staff;
before(async () => {
  shop = await Shop.start({ speed: 20 });
  staff = await shop.signIn();
  const { version } = await staff.get('/api/admin/settings');
  const done = await shop.call('PUT', '/api/admin/settings', {
    body: { version, changes: {
      'messages.order_delivered_mini': `${kTemplate} character_string1=order_no thing2=product amount3=payable phrase4=status time5=at`,
    } },
    headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  assert.equal(done.status, 200, done.text);
});
after(async () => {
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});

const platform = async () => (await fetch(`${shop.platform}/control`)).json();
async function miniBuyer(person) {
  const { code } = await (await fetch(`${shop.platform}/control/login`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ person }) })).json();
  const buyer = await Buyer.arrive(shop);
  buyer.token = (await shop.call('POST', '/api/v1/sign-in/wechat-mini', { body: { code } })).json.token;
  return buyer;
}
async function buyInside(buyer, phone) {
  const order = (await buyer.place(phone)).json;
  const ticket = (await buyer.pay(order.order_id, randomUUID(), { scene: 'mini_program' })).json;
  await shop.payAtSheet(ticket.out_trade_no);
  await buyer.reaches(order.order_id, 'succeeded');
  return order.order_id;
}
const agree = (buyer, results) => buyer.call('POST', '/api/v1/subscriptions', { body: { results } });
const told = (id, probe, ms = 10_000) => until('the order tells', async () => {
  const full = await staff.order(id);
  return probe(full) ? full : null;
}, ms);

test('F066 F067: agreed to at a tap, told once with typed data, and reported to WeChat', async () => {
  const buyer = await miniBuyer('noah');
  const ask = (await buyer.call('GET', '/api/v1/subscriptions')).json;
  assert.deepEqual(ask.templates, [{ topic: 'order_delivered', template_id: kTemplate }]);
  assert.equal((await agree(buyer, { [kTemplate]: 'accept', foreign: 'accept' })).json.accepted, 1);
  assert.equal((await agree(buyer, { [kTemplate]: 'yes' })).status, 400);
  const id = await buyInside(buyer, '13800131234');
  const full = await told(id, (order) => order.messages[0]?.state === 'sent' && order.shipping[0]?.state === 'reported');
  assert.equal(full.messages[0].way, 'subscribe');
  const played = await platform();
  const sent = played.messages.find((message) => message.data.character_string1.value === id);
  assert.equal(String(sent.msgid), full.messages[0].party_id);
  assert.equal(sent.data.phrase4.value, '充值成功');
  assert.match(sent.data.amount3.value, /元$/);
  assert.ok(played.shipped[full.payments[0].transaction_id].includes('138****1234'));

  const inbox = (await buyer.call('GET', '/api/v1/messages')).json.messages;
  assert.deepEqual(inbox.map((message) => [message.order_id, message.topic, message.read_at_ms]), [[id, 'order_delivered', 0]]);
  assert.equal((await buyer.call('POST', `/api/v1/messages/${inbox[0].message_id}/read`)).status, 200);
  assert.ok((await buyer.call('GET', '/api/v1/messages')).json.messages[0].read_at_ms > 0);
  const other = await Buyer.arrive(shop);
  assert.equal((await other.call('POST', `/api/v1/messages/${inbox[0].message_id}/read`)).status, 404);
});

test('F069: who has not agreed is not asked for; a refusal is final for this message', async () => {
  const buyer = await miniBuyer('olga');
  const before_ = (await platform()).message_calls;
  const silent = await buyInside(buyer, '13800132234');
  await told(silent, (order) => order.messages[0]?.state === 'failed');
  assert.equal((await platform()).message_calls, before_, 'no quota, no call');
  await agree(buyer, { [kTemplate]: 'accept' });
  await agree(buyer, { [kTemplate]: 'accept' });
  await shop.arm('platform', 'not_subscribed');
  const refused = await buyInside(buyer, '13800133234');
  const full = await told(refused, (order) => order.messages[0]?.state === 'failed');
  assert.equal(full.messages[0].code, '43101');
  assert.equal((await platform()).message_calls, before_ + 1);
  const next = await buyInside(buyer, '13800134234');
  await told(next, (order) => order.messages[0]?.state === 'failed');
  assert.equal((await platform()).message_calls, before_ + 1, 'the quota is empty after 43101');
});

test('F069: wrong data is a work item, and no storm', async () => {
  const buyer = await miniBuyer('paul');
  await agree(buyer, { [kTemplate]: 'accept' });
  const before_ = (await platform()).message_calls;
  await shop.arm('platform', 'bad_data');
  const id = await buyInside(buyer, '13800135234');
  const full = await told(id, (order) => order.messages[0]?.state === 'failed' && order.work_items.some((item) => item.kind === 'message_template'));
  assert.equal(full.messages[0].code, '47003');
  assert.equal((await platform()).message_calls, before_ + 1);
});

test('F077: a token that was retired costs one more call', async () => {
  const buyer = await miniBuyer('rosa');
  await agree(buyer, { [kTemplate]: 'accept' });
  const before_ = await platform();
  await shop.arm('platform', 'retire_token');
  const id = await buyInside(buyer, '13800136234');
  await told(id, (order) => order.messages[0]?.state === 'sent' && order.shipping[0]?.state === 'reported');
  const after_ = await platform();
  assert.ok(after_.stable_token_calls - before_.stable_token_calls <= 2, 'no loop for a new token');
});

test('X01: a refused report is a work item, and the order is delivered all the same', async () => {
  const buyer = await miniBuyer('sven');
  await shop.arm('platform', 'shipping_refused');
  const id = await buyInside(buyer, '13800137234');
  const full = await told(id, (order) => order.shipping[0]?.state === 'failed');
  assert.ok(full.work_items.some((item) => item.kind === 'shipping_not_reported'));
  assert.equal(full.order.state, 'succeeded');
});
