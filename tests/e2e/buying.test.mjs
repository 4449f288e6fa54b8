// Everything the shop sells, bought in a real browser: abroad, data, a range, a fuel card, a voucher; a code on a desktop; the
// question before a second order, a refund from wish to money, and orders found again.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Shop, until } from './support/shop.mjs';

const kEverySupplier = 'reloadly,dtone,dingconnect,juhe';
let shop;
let staff;
let browser;
before(async () => {
  shop = await Shop.start({ speed: 5, suppliers: kEverySupplier });
  staff = await shop.signIn();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

const zhPhone = { viewport: phone };
const enDesktop = { viewport: desktop, locale: 'en-US' };
const enPhoneDark = { viewport: phone, locale: 'en-US', colorScheme: 'dark' };
const waitState = (page, state, ms = 20_000) => page.waitForSelector(
  `[data-test="order-state"][data-state="${state}"]:visible`, { timeout: ms });
const orderIdOf = (page) => new URL(page.url()).hash.match(/id=([0-9A-Z]+)/)[1];
const post = (path, body) => shop.call('POST', path, {
  body, headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });

/** A second person, who may agree to refunds, does. */
async function agree(approvalId) {
  const added = (await post('/api/admin/staff', { name: 'director', roles: [] })).json;
  const given = await shop.call('PUT', `/api/admin/staff/${added.staff_id}/roles`, {
    body: { roles: ['finance_director'] }, headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  assert.equal(given.status, 200, given.text);
  const as = async (method, path, body, cookie) => shop.call(method, path, {
    body, headers: { origin: shop.origin, 'idempotency-key': randomUUID(), ...(cookie ? { cookie } : {}) } });
  const cookieOf = (answer) => answer.headers.get('set-cookie').split(';')[0];
  const first = cookieOf(await as('POST', '/api/admin/session', { name: 'director', password: added.password }));
  const own = cookieOf(await as('POST', '/api/admin/session/password', { old_password: added.password, new_password: 'gives money back 42' }, first));
  const { body_hash } = (await as('GET', '/api/admin/approvals', undefined, own)).json.approvals.find((one) => one.approval_id === approvalId);
  const agreed = await as('POST', `/api/admin/approvals/${approvalId}/approve`, { body_hash }, own);
  assert.equal(agreed.status, 200, agreed.text);
}

async function home(options) {
  const page = await openPage(browser, options);
  await page.goto(`${shop.origin}/`);
  await by(page, 'kind-airtime').waitFor();
  return page;
}
async function toConfirm(page) {
  await by(page, 'go-confirm').click();
  await by(page, 'payable').waitFor();
}
async function payAtSheet(page) {
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.locator('#pay').click();
  await page.waitForURL(`${shop.origin}/**`);
}
async function chooseCountry(page, typed, iso2) {
  await by(page, 'country-button').click();
  await by(page, 'country-search').fill(typed);
  await by(page, `country-${iso2}`).click();
  await page.waitForSelector(`[data-test="country-button"][data-country="${iso2}"]:visible`);
}
async function closed(page) {
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
}

test('F001: credit for Thailand, found by pinyin, in what arrives there', async () => {
  const page = await home(zhPhone);
  await by(page, 'country-button').click();
  await by(page, 'country-search').waitFor();
  await picture(page, 'buying-01-countries');
  for (const typed of ['泰国', 'thai', 'tg', 'TH', '66', '+66']) {
    await by(page, 'country-search').fill(typed);
    await by(page, 'country-TH').waitFor();
  }
  await by(page, 'country-search').fill('亚特兰蒂斯');
  await page.locator('[data-test="country-TH"]').waitFor({ state: 'hidden' });
  await by(page, 'country-search').fill('tg');
  await by(page, 'country-TH').click();
  await by(page, 'pick-operator-first').waitFor();
  await by(page, 'phone-input').fill('0812345678');
  await page.waitForSelector('[data-test="phone-verdict"][data-verdict="valid"]:visible');
  assert.equal(await by(page, 'phone-input').inputValue(), '812 345 678', 'the trunk prefix is gone');
  await by(page, 'operator-th-ais').click();
  await by(page, 'face-10000').click();
  assert.match(await by(page, 'face-10000').innerText(), /到账 THB \d/);
  await picture(page, 'buying-02-thailand');
  await toConfirm(page);
  assert.equal(await by(page, 'recipient').innerText(), '+66 81****678');
  const arrives = await by(page, 'arrives').innerText();
  assert.match(arrives, /^THB \d/);
  await payAtSheet(page);
  await waitState(page, 'succeeded');
  assert.ok((await by(page, 'receipt').innerText()).includes(arrives), 'the receipt says what arrived');
  await picture(page, 'buying-03-thailand-arrived');
  const { order } = await staff.order(orderIdOf(page));
  assert.deepEqual([order.account_masked, order.delivered.currency], ['+66 81****678', 'THB']);
  await closed(page);
});

test('F003: a pasted number brings its country along; a range counts in steps', async () => {
  const page = await home(enPhoneDark);
  await by(page, 'phone-input').fill('+880 1812-345678');
  await page.waitForSelector('[data-test="country-button"][data-country="BD"]:visible');
  assert.equal(await by(page, 'phone-input').inputValue(), '181 234 5678');
  await by(page, 'operator-bd-robi').click();
  assert.match(await by(page, 'range-bounds').innerText(), /BDT 201 to BDT 998, in steps of BDT 1/);
  await by(page, 'range-amount').fill('100');
  assert.match(await by(page, 'range-verdict').innerText(), /At least BDT 201/);
  await by(page, 'range-amount').fill('1000');
  assert.match(await by(page, 'range-verdict').innerText(), /At most BDT 998/);
  await by(page, 'range-amount').fill('250.50');
  assert.match(await by(page, 'range-verdict').innerText(), /nearest is BDT 250/);
  assert.equal(await by(page, 'go-confirm').isDisabled(), true);
  await by(page, 'range-amount').fill('250');
  await by(page, 'range-more').click();
  assert.equal(await by(page, 'range-amount').inputValue(), '251');
  await picture(page, 'buying-04-range-dark');
  await toConfirm(page);
  assert.equal(await by(page, 'arrives').innerText(), 'BDT 251');
  await payAtSheet(page);
  await waitState(page, 'succeeded');
  const { order } = await staff.order(orderIdOf(page));
  assert.deepEqual([order.face, order.delivered], [{ minor: 25100, currency: 'BDT' }, { minor: 25100, currency: 'BDT' }]);
  await closed(page);
});

test('F023: a desktop draws a code; a phone pays it and the page turns by itself', async () => {
  const page = await home(enDesktop);
  await by(page, 'phone-input').fill('+66 81 234 5678');
  await page.waitForSelector('[data-test="country-button"][data-country="TH"]:visible');
  await by(page, 'kind-data').click();
  await by(page, 'operator-th-ais').click();
  await by(page, 'bundle').click();
  const bundle = (await by(page, 'bundle').locator('.name').innerText()).trim();
  await picture(page, 'buying-05-data-desktop');
  await toConfirm(page);
  assert.equal(await by(page, 'arrives').innerText(), bundle);
  await by(page, 'pay-button').click();
  await by(page, 'pay-code').waitFor();
  await page.waitForFunction(() => (document.querySelector('[data-test="pay-code"] path')?.getAttribute('d') ?? '').length > 500);
  assert.match(await by(page, 'code-left').innerText(), /\d\d:\d\d/);
  await picture(page, 'buying-06-code');
  const code = await by(page, 'pay-code').getAttribute('data-code');
  assert.match(code, /^weixin:/);
  const scanner = await openPage(browser, zhPhone);
  await scanner.goto(`${shop.wechat}/scan?code=${encodeURIComponent(code)}`);
  await scanner.locator('#pay').click();
  await waitState(page, 'succeeded');
  assert.equal(await page.locator('[data-test="pay-code"]').count(), 0);
  assert.ok((await by(page, 'receipt').innerText()).includes(bundle));
  await picture(page, 'buying-07-code-paid');
  await closed(page);
});

test('F024, F026: inside WeChat the buyer is named by WeChat, closes its sheet, comes back to "continue" and pays', async () => {
  // 422: no openid yet. 401: what was under way with the guest's session when WeChat's took its place; it is asked again.
  const page = await openPage(browser, {
    ...zhPhone, userAgent: 'Mozilla/5.0 (Linux; Android 14) Chrome/122.0 Mobile MicroMessenger/8.0.49', expected: [/status of (401|422)/] });
  const tickets = [], refusedTokens = [];
  page.on('response', (response) => {
    if (response.status() === 401) refusedTokens.push(response.request().headers().authorization ?? 'none');
  });
  // Read on its way to the page: WeChat's sign-in leaves the page, and then the browser no longer keeps an answer's body.
  await page.route(/\/(payments|checkouts)$/, async (route) => {
    const response = await route.fetch();
    const got = response.ok() ? await response.json() : {};
    if (route.request().method() === 'POST' && response.ok()) tickets.push(got.out_trade_no ?? got.payment?.out_trade_no);
    await route.fulfill({ response });
  });
  const answers = ['get_brand_wcpay_request:cancel', 'get_brand_wcpay_request:ok'];
  const asked = [];
  await page.exposeFunction('sheetEnds', async (name, invoke) => {
    asked.push({ name, invoke });
    await until('the ticket was read', () => tickets.length >= asked.length);
    const answer = answers.shift();
    if (answer.endsWith(':ok')) assert.equal((await shop.payAtSheet(tickets.at(-1))).status, 200);
    return { err_msg: answer };
  });
  await page.addInitScript(() => {
    window.WeixinJSBridge = { invoke: (name, invoke, done) => void window.sheetEnds(name, invoke).then(done) };
  });
  await page.goto(`${shop.origin}/`);
  await by(page, 'phone-input').fill('13900007373');
  await by(page, 'face-3000').click();
  await toConfirm(page);
  assert.equal(await page.locator('[data-test="channel-alipay"]').count(), 0, 'WeChat opens no other sheet');
  await by(page, 'pay-button').click();
  await until('the sheet was opened and closed', () => asked.length === 1);
  // The button says "opening" until the page has heard how the sheet ended.
  await until('it says how long there is', async () => /剩 1[0-5]:\d\d/.test(await by(page, 'continue-pay').innerText()));
  assert.equal(asked[0].name, 'getBrandWCPayRequest');
  assert.deepEqual(Object.keys(asked[0].invoke).sort(), ['appId', 'nonceStr', 'package', 'paySign', 'signType', 'timeStamp']);
  await picture(page, 'buying-18-in-wechat');
  await by(page, 'continue-pay').click();
  await waitState(page, 'succeeded');
  assert.equal((await staff.order(orderIdOf(page))).payments[0].scene, 'jsapi');
  const session = await page.evaluate(() => localStorage.getItem('topup.session') ?? '');
  for (const token of refusedTokens) assert.ok(!session.includes(token.replace('Bearer ', '')), 'only what a guest had asked was refused');
  await closed(page);
});

test('recipients are named, deleted and brought back; the name is on the home page', async () => {
  const page = await home(enPhoneDark);
  await by(page, 'phone-input').fill('13900008484');
  await by(page, 'face-3000').click();
  await toConfirm(page);
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.goto(`${shop.origin}/`);
  await by(page, 'manage-recipients').click();
  await by(page, 'recipient-rename').click();
  await by(page, 'recipient-name').fill('Mum');
  await by(page, 'recipient-save').click();
  await page.waitForSelector('[data-test="recipient-row"][data-name="Mum"]:visible');
  await picture(page, 'buying-19-recipients-dark');
  await by(page, 'recipient-delete').click();
  await by(page, 'recipient-undo').click();
  await by(page, 'recipient-use').click();
  await page.waitForFunction(() => document.querySelector('[data-test="phone-input"]')?.value === '139 0000 8484');
  assert.equal((await by(page, 'recent').innerText()).trim(), 'Mum');
  await closed(page);
});

test('F004: a fuel card is typed twice, and the buyer hears of loading it before paying', async () => {
  const page = await home(zhPhone);
  await by(page, 'kind-fuel_card').click();
  await by(page, 'card-number').pressSequentially('1000113200000012345');
  assert.equal(await by(page, 'card-number').inputValue(), '1000 1132 0000 0012 345');
  await page.waitForSelector('[data-test="card-number-verdict"][data-verdict="valid"]:visible');
  await by(page, 'card-again').fill('1000113200000012346');
  await page.waitForSelector('[data-test="card-again-verdict"][data-verdict="differs"]:visible');
  assert.match(await by(page, 'card-again-verdict').innerText(), /第 19 位/);
  await by(page, 'face-20000').click();
  assert.equal(await by(page, 'go-confirm').isDisabled(), true, 'a card that differs buys nothing');
  await picture(page, 'buying-08-card-differs');
  await by(page, 'card-again').fill('1000 1132 0000 0012 345');
  await page.waitForSelector('[data-test="card-again-verdict"][data-verdict="match"]:visible');
  await toConfirm(page);
  assert.match(await by(page, 'confirm-note').innerText(), /圈存/);
  assert.equal(await by(page, 'recipient').innerText(), '1000****2345');
  await picture(page, 'buying-09-card-confirm');
  await payAtSheet(page);
  await by(page, 'order-state').waitFor();
  assert.match(await by(page, 'order-note').innerText(), /圈存/);
  await waitState(page, 'succeeded', 30_000);
  await picture(page, 'buying-10-card-arrived');
  await closed(page);
});

test('X26: a voucher needs no number; its code is fetched when its buyer asks', async () => {
  const page = await home(enPhoneDark);
  await chooseCountry(page, 'Austr', 'AU');
  await by(page, 'kind-pin').click();
  await by(page, 'operator-au-optus').click();
  await by(page, 'bundle').click();
  await picture(page, 'buying-11-voucher-dark');
  await toConfirm(page);
  await payAtSheet(page);
  await waitState(page, 'succeeded');
  assert.equal(await page.locator('[data-test="pin-code"]').count(), 0, 'nothing is fetched unasked');
  await by(page, 'pins-show').click();
  const code = await by(page, 'pin-code').innerText();
  assert.ok(code.length >= 4, code);
  await picture(page, 'buying-12-code-shown-dark');
  await by(page, 'pins-hide').click();
  await by(page, 'pins-show').waitFor();
  const full = await staff.order(orderIdOf(page));
  assert.equal(full.audit.filter((row) => row.action === 'pins.revealed').length, 1, 'one look, written down once');
  await closed(page);
});

test('X16: the same once more is a question with the order of before, and two answers', async () => {
  const page = await home(zhPhone);
  const buy = async () => {
    await by(page, 'phone-input').fill('13900005151');
    await by(page, 'face-5000').click();
    await toConfirm(page);
  };
  await buy();
  await payAtSheet(page);
  await waitState(page, 'succeeded');
  const first = orderIdOf(page);
  await by(page, 'again').click();
  await by(page, 'phone-input').waitFor();
  assert.equal(await by(page, 'phone-input').inputValue(), '139 0000 5151', '"again" fills in the same');
  await toConfirm(page);
  await by(page, 'pay-button').click();
  await by(page, 'again-question').waitFor();
  assert.ok((await by(page, 'again-question').innerText()).includes('139****5151'));
  await picture(page, 'buying-13-again');
  await by(page, 'again-yes').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.locator('#pay').click();
  await page.waitForURL(`${shop.origin}/**`);
  await waitState(page, 'succeeded');
  assert.notEqual(orderIdOf(page), first);
  await page.context().close(); // the question is a 409, which the console tells of
});

test('F034, F022: a refund is asked for, answered and seen; orders are found by state, tail and number', async () => {
  const page = await home({ ...zhPhone, expected: [/404/] });
  await by(page, 'phone-input').fill('13900006262');
  await by(page, 'face-3000').click();
  await toConfirm(page);
  await payAtSheet(page);
  await waitState(page, 'succeeded');
  const id = orderIdOf(page);
  await by(page, 'refund-open').click();
  await by(page, 'refund-not_arrived').click();
  await picture(page, 'buying-14-refund');
  await by(page, 'refund-send').click();
  await by(page, 'refund-requested').waitFor();
  const item = await until('the wish is in the work queue', async () => (
    await staff.order(id)).work_items.find((one) => one.kind === 'refund_requested'));
  assert.match(item.detail, /没到账/);
  const ordered = await post(`/api/admin/orders/${id}/refunds`, { reason: 'the buyer is right' });
  assert.equal(ordered.status, 202, 'what was delivered goes back by two people');
  await agree(ordered.json.approval_id);
  await until('the page tells of the refund', async () => {
    await page.reload();
    await by(page, 'order-state').waitFor();
    return page.locator('[data-test="refund-row"][data-state="succeeded"]').first().waitFor({ timeout: 2_000 }).then(() => true, () => false);
  }, 20_000);
  await picture(page, 'buying-15-refunded');

  await page.goto(`${shop.origin}/#/pages/orders/orders`);
  await page.reload();
  await by(page, 'order-row').waitFor();
  await picture(page, 'buying-16-orders');
  await by(page, 'orders-awaiting_payment').click();
  await by(page, 'orders-none').waitFor();
  await by(page, 'orders-all').click();
  await by(page, 'order-row').waitFor();
  await by(page, 'orders-search').fill('9999');
  await by(page, 'orders-none').waitFor();
  await by(page, 'orders-search').fill('6262');
  await by(page, 'order-row').waitFor();
  await by(page, 'orders-search').fill(id);
  await by(page, 'order-state').waitFor();
  assert.equal(orderIdOf(page), id);

  await closed(page);

  const stranger = await home({ ...zhPhone, expected: [/404/] });
  await by(stranger, 'phone-input').fill('13900006363');
  await by(stranger, 'face-3000').click();
  await toConfirm(stranger);
  await payAtSheet(stranger);
  await waitState(stranger, 'succeeded');
  await stranger.goto(`${shop.origin}/#/pages/orders/orders`);
  await by(stranger, 'orders-search').fill(id);
  await by(stranger, 'orders-foreign').waitFor();
  await by(stranger, 'orders-find').click();
  assert.equal(await by(stranger, 'find-order').inputValue(), id);
  await by(stranger, 'find-tail').fill('6262');
  await by(stranger, 'find-go').click();
  await by(stranger, 'found-order').waitFor();
  assert.match(await by(stranger, 'found-order').innerText(), /139\*\*\*\*6262/);
  await picture(stranger, 'buying-17-foreign-order');
  await closed(stranger);
});
