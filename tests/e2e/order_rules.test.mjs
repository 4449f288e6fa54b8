// The shop's own rules about orders, over real HTTP: asked "again?", held for a person, found, noted.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { follow } from './support/live.mjs';
import { Buyer, Shop, until } from './support/shop.mjs';

let shop;
let staff;
before(async () => {
  shop = await Shop.start({ speed: 20 });
  staff = await shop.signIn();
});
after(async () => {
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});

const post = (path, body) => shop.call('POST', path, {
  body, headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
async function change(changes) {
  const { version } = await staff.get('/api/admin/settings');
  const done = await shop.call('PUT', '/api/admin/settings', {
    body: { version, changes }, headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  assert.equal(done.status, 200, done.text);
}
const found = async (query) => (await staff.get(`/api/admin/orders?${query}`)).orders.map((order) => order.order_id);

test('X16: the same recipient and amount again is asked about, and placed when it is meant', async () => {
  const buyer = await Buyer.arrive(shop);
  const first = await buyer.place('13900001111', { again: false });
  assert.equal(first.status, 201, first.text);
  const key = randomUUID();
  const asked = await buyer.place('13900001111', { again: false, key });
  assert.equal(asked.status, 409);
  assert.deepEqual([asked.json.reason, asked.json.field, asked.json.earlier.order_id],
    ['same_recipient_again', 'confirm_repeat', first.json.order_id]);
  const meant = await buyer.place('13900001111', { again: true, key });
  assert.equal(meant.status, 201, meant.text);
  const stranger = await Buyer.arrive(shop);
  assert.equal((await stranger.place('13900001111', { again: false })).status, 201);
});

test('B-06, F120: what goes to one number in parts waits for a person, who delivers it or gives it back', async () => {
  await change({ 'orders.review_above_minor': 10_000 });
  const buyer = await Buyer.arrive(shop);
  const small = await buyer.buy('13900002222');
  await buyer.reaches(small.id, 'succeeded');
  const held = await buyer.buy('13900002222');
  await buyer.reaches(held.id, 'awaiting_approval');
  const other = await buyer.buy('13900002222');
  await buyer.reaches(other.id, 'awaiting_approval');
  assert.equal((await buyer.order(held.id)).word, 'recharging', 'the buyer sees one of the five words');
  assert.ok((await staff.order(held.id)).work_items.some((item) => item.kind === 'review_required'));

  assert.equal((await post(`/api/admin/orders/${held.id}/review`, { decision: 'approve' })).json.field, 'reason');
  const approved = await post(`/api/admin/orders/${held.id}/review`, { decision: 'approve', reason: 'called the buyer' });
  assert.deepEqual([approved.status, approved.json?.state], [200, 'paid'], approved.text);
  await buyer.reaches(held.id, 'succeeded');
  assert.equal((await post(`/api/admin/orders/${held.id}/review`, { decision: 'decline', reason: 'late' })).json.reason, 'order_not_in_review');

  assert.equal((await post(`/api/admin/orders/${other.id}/review`, { decision: 'decline', reason: 'nobody answers' })).status, 200);
  await buyer.reaches(other.id, 'refunded');
  const story = (await staff.order(other.id)).timeline;
  const decided = story.find((step) => step.event === 'review_rejected');
  assert.match(decided.actor, /^staff:/);
  assert.deepEqual([decided.from, decided.to, decided.reason], ['awaiting_approval', 'refunding', 'nobody answers']);
  assert.ok(decided.trace_id);
  await change({ 'orders.review_above_minor': null });
});

test('F120: whoever pays above the limit has bound a phone before; the order waits meanwhile', async () => {
  await change({ 'orders.verify_above_minor': 9_949 });
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13900002277')).json;
  const refused = await buyer.pay(order.order_id);
  assert.deepEqual([refused.status, refused.json?.reason], [422, 'phone_needed'], refused.text);
  assert.equal((await buyer.order(order.order_id)).state, 'awaiting_payment');
  const asked = await buyer.call('POST', '/api/v1/sign-in/sms/code', { body: { phone: '13800004277', purpose: 'bind' } });
  assert.equal(asked.status, 202, asked.text);
  const code = await until('the code arrives', async () => (await (await fetch(`${shop.sms}/inbox`)).json()).messages
    .find((message) => message.to === '+8613800004277')?.params.code);
  const bound = await buyer.call('POST', '/api/v1/me/phone/sms', { body: { phone: '13800004277', code } });
  assert.equal(bound.status, 200, bound.text);
  buyer.token = bound.json.token;
  const started = await buyer.pay(order.order_id);
  assert.equal(started.status, 200, started.text);

  await change({ 'orders.verify_above_minor': 9_950 });
  const guest = await Buyer.arrive(shop);
  const { id } = await guest.buy('13900002278');
  await guest.reaches(id, 'succeeded');
  await change({ 'orders.verify_above_minor': null });
});

test('two people: above their limit one asks and nothing moves', async () => {
  await change({ 'orders.review_above_minor': 1, 'orders.two_people_above_minor': 1 });
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13900003333');
  await buyer.reaches(id, 'awaiting_approval');
  const asked = await post(`/api/admin/orders/${id}/review`, { decision: 'approve', reason: 'known buyer' });
  assert.equal(asked.status, 202, asked.text);
  assert.equal((await buyer.order(id)).state, 'awaiting_approval');
  const waiting = (await staff.get('/api/admin/approvals')).approvals.find((one) => one.approval_id === asked.json.approval_id);
  assert.deepEqual([waiting.action, waiting.subject], ['order.review', id]);
  await change({ 'orders.review_above_minor': null, 'orders.two_people_above_minor': null });
});

test('F005: staff find an order by everything that names it', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id, outTradeNo } = await buyer.buy('13712345678');
  await buyer.reaches(id, 'succeeded');
  const full = await staff.order(id);
  const { user_id } = (await staff.get(`/api/admin/orders?q=${id}`)).orders[0];
  for (const q of [id, outTradeNo, full.payments[0].transaction_id, full.supplier_attempts[0].attempt_id,
    full.supplier_attempts[0].supplier_order_id, '13712345678', '+8613712345678', '137 1234 5678', '5678', user_id]) {
    const ids = await found(`q=${encodeURIComponent(q)}`);
    assert.ok(ids.includes(id), `by ${q}: ${ids}`);
  }
  assert.deepEqual(await found('q=13712345679'), []);
  assert.deepEqual(await found(`q=5678&state=closed`), []);
  assert.ok((await found(`state=succeeded&from_ms=${full.order.created_at_ms}&to_ms=${full.order.created_at_ms + 1}`)).includes(id));
  assert.deepEqual(await found(`to_ms=1000`), []);
  const page = await staff.get('/api/admin/orders?q=8000000000');
  assert.deepEqual(page.orders, []);
});

test('F022: a guest finds an order by number and tail; guessing ends; a buyer filters their own', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800138123')).json;
  const look = (tail, order_id = order.order_id) => shop.call('POST', '/api/v1/orders/find', { body: { order_id, tail } });
  const seen = await look('8123');
  assert.equal(seen.status, 200, seen.text);
  assert.equal(seen.json.account_masked, '138****8123');
  assert.equal(seen.json.quote, undefined);
  assert.equal((await look('8124')).json.reason, 'order_not_found');
  assert.equal((await look('8123', '01JD0000000000000000000000')).json.reason, 'order_not_found');
  assert.equal((await look('812')).status, 400);
  const own = async (query) => (await buyer.call('GET', `/api/v1/orders?${query}`)).json.orders.map((row) => row.order_id);
  assert.deepEqual(await own('state=awaiting_payment'), [order.order_id]);
  assert.deepEqual(await own('state=succeeded'), []);
  assert.deepEqual(await own('tail=8123'), [order.order_id]);
  assert.deepEqual(await own('tail=8124'), []);
  assert.equal((await buyer.call('GET', '/api/v1/orders?state=nothing')).status, 400);
});

test('F013: a note stays beside its order, for staff alone', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800138124')).json;
  assert.equal((await post(`/api/admin/orders/${order.order_id}/notes`, { text: 'buyer called' })).status, 201);
  const full = await staff.order(order.order_id);
  assert.equal(full.notes[0].text, 'buyer called');
  assert.ok(full.audit.some((row) => row.action === 'order.note'));
  assert.ok(!JSON.stringify(await buyer.order(order.order_id)).includes('buyer called'));
});

test('F071: a page resumes from its last id, by WebSocket or by asking', async () => {
  const buyer = await Buyer.arrive(shop);
  const begin = (await buyer.call('GET', '/api/v1/orders/changes')).json;
  assert.deepEqual([begin.changes, begin.more, begin.resync], [[], false, false]);
  const { id } = await buyer.buy('13800138125');
  await buyer.reaches(id, 'succeeded');
  const missed = (await buyer.call('GET', `/api/v1/orders/changes?after=${begin.last}`)).json;
  assert.deepEqual(missed.changes.map((row) => [row.order_id, row.state]), [[id, 'succeeded']]);
  const page = await follow(shop.origin, { type: 'subscribe', session: buyer.token, after: begin.last });
  await until('what was missed is told', () => page.heard.some((said) => said.type === 'changes' && said.changes.some((row) => row.order_id === id)));
  const next = (await buyer.place('13800138126')).json;
  await buyer.pay(next.order_id);
  await until('a change is told', () => page.heard.some((said) => said.type === 'changes' && said.changes.some((row) => row.order_id === next.order_id && row.state === 'paying')), 2_000);
  page.close();
  const other = await Buyer.arrive(shop);
  const stranger = await follow(shop.origin, { type: 'subscribe', session: other.token, after: 1 });
  await until('an answer', () => stranger.heard.find((said) => said.type === 'changes'));
  assert.deepEqual(stranger.heard.find((said) => said.type === 'changes').changes, []);
  stranger.close();
});

test('F088: hours and the second typing are settings that take effect at once', async () => {
  const minute = (new Date().getUTCHours() * 60 + new Date().getUTCMinutes() + 480) % 1_440;
  const buyer = await Buyer.arrive(shop);
  await change({ 'orders.opens_at_minute': (minute + 60) % 1_440, 'orders.closes_at_minute': (minute + 120) % 1_440 });
  assert.equal((await buyer.place('13800138127')).json.reason, 'shop_closed_now');
  await change({ 'orders.opens_at_minute': null, 'orders.closes_at_minute': null, 'orders.confirm_account': true });
  assert.equal((await buyer.place('13800138127')).json.reason, 'account_not_confirmed');
  await change({ 'orders.confirm_account': null });
  assert.equal((await buyer.place('13800138127')).status, 201);
});
