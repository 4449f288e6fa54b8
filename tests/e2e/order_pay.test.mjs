// The money path over real HTTP, without a browser: happy, refused, doubled, forged, lost and killed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Buyer, Shop, binary, books, sleep, sumsToZero, until } from './support/shop.mjs';

const quick = `
[orders]
pay_within_ms = 60000
not_found_needed = 3
not_found_gap_ms = 300
first_supplier_query_ms = 300
`;
let shop;
let staff;
before(async () => {
  shop = await Shop.start({ config: quick, speed: 20 });
  staff = await shop.signIn();
});
after(async () => {
  const how = await shop.stop();
  assert.equal(how.code, 0, 'SIGTERM ends the shop with 0');
  const said = execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' });
  assert.match(said, /the books hold/);
  shop.cleanup();
});

test('probes answer, and metrics only on this machine', async () => {
  assert.equal((await shop.call('GET', '/healthz')).json.status, 'alive');
  assert.equal((await shop.call('GET', '/readyz')).json.status, 'ready');
  assert.match((await shop.call('GET', '/metrics')).text, /http_requests_total/);
});

test('a paid order is delivered, and the books and the audit trail say so', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800001234');
  const order = await buyer.reaches(id, 'succeeded');
  assert.deepEqual(order.events.map((event) => event.event),
    ['place', 'start_payment', 'payment_confirmed', 'submit', 'supplier_accepted', 'supplier_succeeded']);
  assert.equal(order.account_masked, '138****1234');
  const full = await staff.order(id);
  const cost = full.supplier_attempts[0].cost;
  assert.equal(cost.currency, 'USD');
  assert.ok(cost.minor > 0);
  assert.deepEqual(books(full), [
    'fulfilment asset.supplier_prepaid.reloadly -' + cost.minor + ' USD',
    'fulfilment cost.sales ' + cost.minor + ' USD',
    'fulfilment liability.customer_orders 9950 CNY',
    'fulfilment revenue.sales -9950 CNY',
    'payment asset.channel_clearing.wechat 9950 CNY',
    'payment liability.customer_orders -9950 CNY',
  ]);
  assert.deepEqual(full.audit.map((row) => row.action), [
    'order.place', 'order.start_payment', 'order.payment_confirmed', 'order.submit', 'order.supplier_accepted',
    'order.supplier_succeeded']);
  assert.equal((await staff.get('/api/admin/overview')).audit_ok, true);
});

test('the phone number stands nowhere in the files in the clear', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13877665544');
  await buyer.reaches(id, 'succeeded');
  for (const file of ['topup.sqlite', 'topup.sqlite-wal', 'topup.log']) {
    assert.throws(() => execFileSync('grep', ['-c', '13877665544', `${shop.data}/${file}`]), undefined, file);
  }
});

test('B-04: a price from the client and other bad input is refused with the field, the reason and a trace id, and nothing is placed', async () => {
  const buyer = await Buyer.arrive(shop);
  const { fingerprint } = (await buyer.quote('13800001234')).json;
  const good = { product_id: 'cn-mobile-10000', account_number: '13800001234', quote_fingerprint: fingerprint };
  const rows = [
    ['wrong number', { ...good, account_number: '1380000' }, 422, 'account_number_invalid', 'account_number'],
    ['number of another kind', { ...good, account_number: '02088886666' }, 422, 'account_number_invalid', 'account_number'],
    ['unknown product', { ...good, product_id: 'cn-mobile-1' }, 422, 'product_not_found', 'product_id'],
    ['price sent by the client', { ...good, payable: 1 }, 400, 'unknown_field', undefined],
    ['missing field', { product_id: 'cn-mobile-10000' }, 400, 'missing_field', 'account_number'],
    ['wrong type', { ...good, account_number: 13800001234 }, 400, 'wrong_type', 'account_number'],
  ];
  for (const [name, body, status, reason, field] of rows) {
    const got = await buyer.call('POST', '/api/v1/orders', { headers: { 'idempotency-key': randomUUID() }, body });
    assert.equal(got.status, status, name);
    assert.equal(got.json.reason, reason, name);
    if (field) assert.equal(got.json.field, field, name);
    assert.match(got.json.trace_id, /^[0-9a-f]{32}$/, name);
    const lines = shop.log().filter((line) => line.trace_id === got.json.trace_id);
    assert.equal(lines.length, 1, `${name}: one log line with the trace id`);
    assert.equal(lines[0].reason, reason);
  }
  for (const raw of ['{', '[]', '"x"', '{"a":1}{"a":2}', '{"product_id":"a","product_id":"b"}', '['.repeat(5000)]) {
    const got = await buyer.call('POST', '/api/v1/orders', {
      headers: { 'idempotency-key': randomUUID(), 'content-type': 'application/json' }, raw });
    assert.ok([400, 413].includes(got.status), raw.slice(0, 20));
  }
  assert.deepEqual((await buyer.call('GET', '/api/v1/orders')).json.orders, []);
});

test('a price that is not the server\'s is refused with the server\'s quote', async () => {
  const buyer = await Buyer.arrive(shop);
  const got = await buyer.place('13800001234', { fingerprint: '0000000000000000' });
  assert.equal(got.status, 409);
  assert.equal(got.json.reason, 'price_changed');
  assert.equal(got.json.quote.payable.minor, 9950);
  const accepted = await buyer.place('13800001234', { fingerprint: got.json.quote.fingerprint });
  assert.equal(accepted.status, 201);
});

test('one key places one order: twenty at once, again later, and never for another body or buyer', async () => {
  const buyer = await Buyer.arrive(shop);
  const key = randomUUID();
  const { fingerprint } = (await buyer.quote('13800001234')).json;
  const all = await Promise.all(Array.from({ length: 20 }, () => buyer.place('13800001234', { key, fingerprint })));
  assert.equal(new Set(all.map((one) => one.json.order_id)).size, 1);
  assert.ok(all.every((one) => one.status === 201));
  assert.equal((await buyer.place('13800005678', { key })).json.reason, 'idempotency_key_reused');
  const other = await Buyer.arrive(shop);
  const theirs = await other.place('13800001234', { key });
  assert.equal(theirs.status, 201);
  assert.notEqual(theirs.json.order_id, all[0].json.order_id);
  assert.equal((await buyer.call('GET', '/api/v1/orders')).json.orders.length, 1);
  for (const bad of ['', '0', 'x'.repeat(65), 'sixteen chars ok?', '../../../../etc/passwd']) {
    const got = await buyer.place('13800001234', { key: bad });
    assert.equal(got.status, 400, JSON.stringify(bad));
  }
});

test('somebody else\'s order looks like none at all', async () => {
  const owner = await Buyer.arrive(shop);
  const thief = await Buyer.arrive(shop);
  const id = (await owner.place('13800001234')).json.order_id;
  for (const [method, path, options] of [
    ['GET', `/api/v1/orders/${id}`, {}],
    ['POST', `/api/v1/orders/${id}/cancel`, {}],
    ['POST', `/api/v1/orders/${id}/confirm`, {}],
    ['POST', `/api/v1/orders/${id}/payments`, { body: { channel: 'wechat', scene: 'h5' }, headers: { 'idempotency-key': randomUUID() } }],
  ]) {
    const got = await thief.call(method, path, options);
    assert.equal(got.status, 404, path);
    assert.equal(got.json.reason, 'order_not_found');
  }
  assert.equal((await shop.call('GET', `/api/v1/orders/${id}`)).status, 401);
  assert.equal((await shop.call('GET', `/api/admin/orders/${id}`)).status, 401);
  assert.equal((await owner.order(id)).state, 'awaiting_payment');
});

test('a double tap on pay gives one ticket', async () => {
  const buyer = await Buyer.arrive(shop);
  const id = (await buyer.place('13800001234')).json.order_id;
  const key = randomUUID();
  const first = await buyer.pay(id, key);
  const again = await buyer.pay(id, key);
  const reload = await buyer.pay(id);
  assert.equal(first.status, 200);
  assert.equal(again.json.out_trade_no, first.json.out_trade_no);
  assert.equal(reload.json.out_trade_no, first.json.out_trade_no);
  assert.equal((await staff.order(id)).payments.length, 1);
});

test('one notification heard twenty times is posted once', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800001234', { times: 20 });
  await buyer.reaches(id, 'succeeded');
  await sleep(500);
  const full = await staff.order(id);
  assert.equal(full.journals.filter((journal) => journal.template === 'payment').length, 1);
  assert.equal(full.supplier_attempts.length, 1);
  assert.ok(sumsToZero(full));
});

test('a notification with a bad signature changes nothing; the genuine one that follows does', async () => {
  const buyer = await Buyer.arrive(shop);
  await shop.arm('wechat', 'bad_signature_first');
  const { id } = await buyer.buy('13800001234');
  const order = await buyer.reaches(id, 'succeeded');
  assert.equal(order.events.filter((event) => event.event === 'payment_confirmed').length, 1);
  const refused = shop.log().filter((line) => line.route === '/notify/wechat' && line.reason === 'signature_probe');
  assert.equal(refused.length, 1, 'one log line for the one that was refused');
  assert.match(refused[0].trace_id, /^[0-9a-f]{32}$/);
});

test('a forged webhook of the supplier is refused and logged; the genuine one that follows counts', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800009009');
  await buyer.reaches(id, 'succeeded');
  const refused = shop.log().filter((line) => line.route === '/callback/{supplier}' && line.reason === 'signature_invalid');
  assert.ok(refused.length >= 1);
  assert.match(refused[0].trace_id, /^[0-9a-f]{32}$/);
});

test('forged notifications and callbacks are refused with 401 and write nothing', async () => {
  const before = await staff.get('/api/admin/overview');
  const headers = { 'wechatpay-timestamp': String(Math.floor(Date.now() / 1000)), 'wechatpay-nonce': 'n'.repeat(32),
    'wechatpay-serial': 'PUB_KEY_ID_0000000000', 'wechatpay-signature': Buffer.alloc(256).toString('base64') };
  for (const [path, extra] of [['/notify/wechat', headers], ['/notify/wechat', {}], ['/callback/reloadly', {}],
    ['/callback/reloadly', { 'x-reloadly-signature': '00'.repeat(32), 'x-reloadly-request-timestamp': String(Date.now()) }]]) {
    const got = await shop.call('POST', path, { body: { id: 'x', type: 'airtime_transaction.status', data: {} }, headers: extra });
    assert.equal(got.status, 401, path);
  }
  const after = await staff.get('/api/admin/overview');
  assert.deepEqual(after.trial_balance, before.trial_balance);
});

test('a payment of the wrong amount is held on suspense for a person, never delivered', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800001234', { amount_total: 1 });
  const order = await buyer.reaches(id, 'review');
  assert.equal(order.word, 'paying');
  const full = await staff.order(id);
  assert.deepEqual(books(full), ['suspense asset.channel_clearing.wechat 1 CNY', 'suspense liability.suspense -1 CNY']);
  assert.equal(full.supplier_attempts.length, 0);
  assert.equal(full.work_items.length, 1);
  assert.match(full.work_items[0].detail, /paid 0\.01 CNY, owed 99\.50/);
});

test('when every notification is lost the query finds the payment', async () => {
  const buyer = await Buyer.arrive(shop);
  await shop.arm('wechat', 'drop_notifications', 3);
  const { id } = await buyer.buy('13800001234');
  await sleep(300);
  assert.equal((await buyer.order(id)).state, 'paying');
  await buyer.call('POST', `/api/v1/orders/${id}/confirm`);
  await buyer.reaches(id, 'succeeded');
  await shop.arm('wechat', 'drop_notifications', 0);
});

test('a definite refusal by the supplier gives the money back, once', async () => {
  for (const [phone, code] of [['13800009001', 'RECIPIENT_PHONE_INACTIVE'], ['13800009002', 'REFUNDED']]) {
    const buyer = await Buyer.arrive(shop);
    const { id } = await buyer.buy(phone);
    const order = await buyer.reaches(id, 'refunded', 20_000);
    assert.equal(order.word, 'failed');
    const full = await staff.order(id);
    assert.equal(full.refunds.length, 1);
    assert.equal(full.refunds[0].amount.minor, 9950);
    assert.match(full.supplier_attempts[0].code, new RegExp(code));
    assert.deepEqual(books(full), [
      'payment asset.channel_clearing.wechat 9950 CNY', 'payment liability.customer_orders -9950 CNY',
      'refund asset.channel_clearing.wechat -9950 CNY', 'refund liability.customer_orders 9950 CNY']);
  }
});

test('a dropped connection after the debit is asked about, not refunded and not sent again', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800009004');
  const order = await buyer.reaches(id, 'succeeded');
  assert.ok(order.events.some((event) => event.event === 'supplier_unknown'));
  const full = await staff.order(id);
  assert.equal(full.supplier_attempts.length, 1);
  assert.equal(full.refunds.length, 0);
});

test('a supplier that never heard of it is believed only after enough queries', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800009005');
  await buyer.reaches(id, 'refunded', 30_000);
  const full = await staff.order(id);
  assert.ok(full.supplier_attempts[0].queries >= 3);
  assert.equal(full.supplier_attempts[0].code, 'NOT_FOUND');
});

test('an empty purse at the supplier holds the order under the same reference until it is filled', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800009007');
  await until('the order is held', async () => (await buyer.order(id)).events.some((event) => event.event === 'supplier_held'));
  const full = await staff.order(id);
  assert.equal(full.supplier_attempts.length, 1);
  assert.equal(full.refunds.length, 0);
});

test('without webhooks the supplier is asked', async () => {
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800009008');
  await buyer.reaches(id, 'succeeded');
});

test('a cancelled order is closed at the channel first; a payment that wins the race is kept', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800001234')).json;
  const ticket = (await buyer.pay(order.order_id)).json;
  assert.equal((await buyer.call('POST', `/api/v1/orders/${order.order_id}/cancel`)).json.state, 'closed');
  assert.equal((await shop.payAtSheet(ticket.out_trade_no)).status, 409);
  assert.equal((await buyer.pay(order.order_id)).json.reason, 'order_not_payable');

  const second = (await buyer.place('13800001234')).json;
  const open = (await buyer.pay(second.order_id)).json;
  await shop.arm('wechat', 'drop_notifications', 1);
  await shop.payAtSheet(open.out_trade_no);
  const refused = await buyer.call('POST', `/api/v1/orders/${second.order_id}/cancel`);
  assert.equal(refused.status, 409);
  assert.equal(refused.json.reason, 'order_already_paid');
  await buyer.reaches(second.order_id, 'succeeded');
});

test('an open order is not unlimited: the eleventh unpaid one is refused', async () => {
  const buyer = await Buyer.arrive(shop);
  for (let i = 0; i < 10; ++i) assert.equal((await buyer.place('13800001234')).status, 201);
  assert.equal((await buyer.place('13800001234')).json.reason, 'too_many_unpaid');
});

test('the console is shut: wrong passwords, then a lock; a session of ours only from our own pages', async () => {
  const wrong = await shop.call('POST', '/api/admin/session', { body: { name: 'nobody', password: 'x' } });
  assert.equal(wrong.json.reason, 'credentials_wrong');
  const foreign = await shop.call('DELETE', '/api/admin/session', { headers: { cookie: staff.cookie, origin: 'https://evil.example' } });
  assert.equal(foreign.json.reason, 'origin_foreign');
  for (let i = 0; i < 5; ++i) await shop.call('POST', '/api/admin/session', { body: { name: 'owner', password: 'wrong' } });
  const locked = await shop.call('POST', '/api/admin/session', { body: { name: 'owner', password: shop.password } });
  assert.equal(locked.status, 429);
  assert.equal(locked.json.reason, 'locked_out');
  assert.equal((await staff.get('/api/admin/session')).name, 'owner', 'a lock never ends a session that exists');
});

test('the price book comes with an ETag and is not sent twice', async () => {
  const first = await shop.call('GET', '/api/v1/price-book');
  assert.equal(first.status, 200);
  const again = await shop.call('GET', '/api/v1/price-book', { headers: { 'if-none-match': first.headers.get('etag') } });
  assert.equal(again.status, 304);
});
