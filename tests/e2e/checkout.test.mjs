// From the confirm page to the payment sheet in one request, and what a lost answer, a changed price or a channel that is away
// make of it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { by, openBrowser, openPage } from './support/browser.mjs';
import { Buyer, Shop } from './support/shop.mjs';

let shop;
let buyer;
let browser;
before(async () => {
  shop = await Shop.start();
  buyer = await Buyer.arrive(shop);
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  await shop.stop();
  shop.cleanup();
});

async function asked(phone, fingerprint) {
  const seen = fingerprint ?? (await buyer.quote(phone)).json.fingerprint;
  return { product_id: 'cn-mobile-10000', account_number: phone, quote_fingerprint: seen, confirm_repeat: true };
}
const checkOut = (body, key = randomUUID()) => buyer.call('POST', '/api/v1/checkouts', { headers: { 'idempotency-key': key }, body });
const ordersMade = async () => (await buyer.call('GET', '/api/v1/orders')).json.orders.length;

test('one request makes the order and its ticket; a repeat gives the same of both', async () => {
  const key = randomUUID();
  const body = { order: await asked('13800001234'), payment: { channel: 'wechat', scene: 'h5' } };
  const first = await checkOut(body, key);
  assert.equal(first.status, 201, first.text);
  assert.equal(first.json.payment_problem, undefined);
  assert.match(first.json.payment.h5_url, /^http/);
  const again = await checkOut(body, key);
  assert.equal(again.status, 201);
  assert.equal(again.headers.get('idempotency-replayed'), 'true');
  assert.equal(again.json.order.order_id, first.json.order.order_id);
  assert.equal(again.json.payment.out_trade_no, first.json.payment.out_trade_no);
  assert.equal(await ordersMade(), 1);
  assert.equal((await shop.payAtSheet(first.json.payment.out_trade_no)).status, 200);
  await buyer.reaches(first.json.order.order_id, 'succeeded');

  const other = await checkOut({ ...body, order: { ...body.order, account_number: '13800005678' } }, key);
  assert.equal(other.status, 422, 'the same key for another order');
  assert.equal(other.json.reason, 'idempotency_key_reused');
});

test('with the channel away the order stands, says why, and is paid by its own button', async () => {
  await shop.arm('wechat', 'outage', 100);
  const made = await checkOut({ order: await asked('13800001235'), payment: { channel: 'wechat', scene: 'h5' } });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.json.payment, undefined);
  assert.equal(made.json.payment_problem.reason, 'channel_unavailable');
  await shop.arm('wechat', 'outage', 0);
  const ticket = await buyer.pay(made.json.order.order_id);
  assert.equal(ticket.status, 200, ticket.text);
  assert.equal((await shop.payAtSheet(ticket.json.out_trade_no)).status, 200);
  await buyer.reaches(made.json.order.order_id, 'succeeded');
});

test('what may not be ordered or paid leaves no order behind', async () => {
  const before = await ordersMade();
  const order = await asked('13800001236');
  const refused = [
    [{ order: { ...order, quote_fingerprint: '0000000000000000' }, payment: { scene: 'h5' } }, 409, 'price_changed'],
    [{ order, payment: { scene: 'telepathy' } }, 400, 'out_of_range'],
    [{ order }, 400, 'missing_field'],
    [{ order: [], payment: { scene: 'h5' } }, 400, 'wrong_type'],
    [{ order: { ...order, account_number: '12' }, payment: { scene: 'h5' } }, 422, 'account_number_invalid'],
    [{ order, payment: { scene: 'h5', return_path: '//elsewhere' } }, 400, 'out_of_range'],
    [{ order, payment: { scene: 'h5' }, price: 1 }, 400, 'unknown_field'],
  ];
  for (const [body, status, reason] of refused) {
    const answer = await checkOut(body);
    assert.equal(answer.json.reason, reason, answer.text);
    assert.equal(answer.status, status);
  }
  assert.equal((await checkOut({ order, payment: { scene: 'h5' } }, 'short')).json.reason, 'idempotency_key_malformed');
  assert.equal(await ordersMade(), before);
});

/** A page that is about to pay; `asked` fills with what it asks the shop for from then on. */
async function readyToPay(number) {
  const page = await openPage(browser, { expected: [/status of 503/] });
  await page.goto(`${shop.origin}/`);
  await by(page, 'phone-input').fill(number);
  await by(page, 'face-10000').click();
  await by(page, 'go-confirm').click();
  await by(page, 'pay-button').waitFor();
  await page.waitForLoadState('networkidle');
  const asked = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/api/')) asked.push(`${request.method()} ${pathname}`);
  });
  return { page, asked };
}

test('in the page: one request makes order and ticket after the tap on "pay"; only a new guest\'s session comes before it', async () => {
  const { page, asked } = await readyToPay('13800001240');
  // Read on its way to the page: once the page has gone to the sheet, the browser no longer keeps the answer's body.
  const tickets = [];
  await page.route('**/api/v1/checkouts', async (route) => {
    const response = await route.fetch();
    tickets.push(await response.json());
    await route.fulfill({ response });
  });
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.wechat}/**`);
  assert.equal(tickets.length, 1);
  const [{ order, payment }] = tickets;
  assert.deepEqual(asked.slice(0, 2), ['POST /api/v1/sessions', 'POST /api/v1/checkouts']);
  assert.deepEqual(asked.filter((one) => one.includes('/payments') || one === `GET /api/v1/orders/${order.order_id}`), []);
  assert.equal((await shop.payAtSheet(payment.out_trade_no)).status, 200);
  await page.goto(`${shop.origin}/#/pages/order/order?id=${order.order_id}`);
  await page.waitForSelector('[data-test="order-state"][data-state="succeeded"]:visible');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('in the page: where the sheet does not open, the order is there, says why, and its own button pays it', async () => {
  const { page } = await readyToPay('13800001241');
  await shop.arm('wechat', 'outage', 100);
  await by(page, 'pay-button').click();
  await page.waitForSelector('[data-test="problem"][data-reason="channel_unavailable"]:visible');
  await shop.arm('wechat', 'outage', 0);
  await by(page, 'continue-pay').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.locator('#pay').click();
  await page.waitForURL(`${shop.origin}/**`);
  await page.waitForSelector('[data-test="order-state"][data-state="succeeded"]:visible');
  const session = await page.evaluate(() => JSON.parse(localStorage.getItem('topup.session')));
  const own = await shop.call('GET', '/api/v1/orders', { headers: { authorization: `Bearer ${session.token}` } });
  assert.equal(own.json.orders.length, 1);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});
