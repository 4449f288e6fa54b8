// The main job in a real browser: open the page, type a number, see an explained price, pay, watch it arrive.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Shop, books, until } from './support/shop.mjs';

let shop;
let staff;
let browser;
before(async () => {
  shop = await Shop.start({ speed: 100 });
  staff = await shop.signIn();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

async function typeNumber(page, number, face = 10000) {
  await page.goto(`${shop.origin}/`);
  await by(page, 'phone-input').fill(number);
  await by(page, `face-${face}`).click();
}

async function toConfirm(page, number) {
  await typeNumber(page, number);
  await by(page, 'go-confirm').click();
  await by(page, 'payable').waitFor();
}

const stateOf = (page) => by(page, 'order-state').getAttribute('data-state');
const waitState = (page, state, ms = 15_000) => page.waitForSelector(
  `[data-test="order-state"][data-state="${state}"]:visible`, { timeout: ms });
const orderIdOf = async (page) => new URL(page.url()).hash.match(/id=([0-9A-Z]+)/)[1];

for (const [name, options] of Object.entries({
  'phone-zh': { viewport: phone },
  'desktop-zh': { viewport: desktop },
  'phone-en-dark': { viewport: phone, locale: 'en-US', colorScheme: 'dark' },
})) {
  test(`open page, number, price, order, pay, success without reload (${name})`, async () => {
    const page = await openPage(browser, options);
    await page.goto(`${shop.origin}/`);
    await by(page, 'phone-input').waitFor();
    await picture(page, `${name}-1-home`);
    await by(page, 'phone-input').pressSequentially('1380000');
    assert.equal(await by(page, 'phone-verdict').getAttribute('data-verdict'), 'incomplete');
    await by(page, 'phone-input').fill('+86 138-0000-1234');
    await page.waitForSelector('[data-test="phone-verdict"][data-verdict="valid"]');
    await by(page, 'face-10000').click();
    await picture(page, `${name}-2-number`);
    await by(page, 'go-confirm').click();
    await by(page, 'payable').waitFor();
    assert.equal(await by(page, 'price-source').getAttribute('data-source'), 'wasm');
    assert.equal(await by(page, 'payable').getAttribute('data-minor'), '9950');
    await by(page, 'quote-line').first().click();
    await picture(page, `${name}-3-confirm`);
    await by(page, 'pay-button').click();

    if (options.viewport === desktop) {
      await by(page, 'pay-code').waitFor();
      await page.evaluate(() => { window.sameDocument = true; });
      const code = await by(page, 'pay-code').getAttribute('data-code');
      const scanner = await openPage(browser);
      await scanner.goto(`${shop.wechat}/scan?code=${encodeURIComponent(code)}`);
      assert.match(await scanner.locator('#amount').innerText(), /99\.50/);
      await scanner.locator('#pay').click();
    } else {
      await page.waitForURL(`${shop.wechat}/**`);
      assert.match(await page.locator('#amount').innerText(), /99\.50/);
      await picture(page, `${name}-4-sheet`);
      await page.locator('#pay').click();
      await page.waitForURL(`${shop.origin}/**`);
      await by(page, 'order-state').waitFor();
      await page.evaluate(() => { window.sameDocument = true; });
    }
    await waitState(page, 'succeeded');
    assert.equal(await page.evaluate(() => window.sameDocument), true, 'the page flipped by itself');
    assert.equal(await by(page, 'order-state').getAttribute('data-word'), 'succeeded');
    await picture(page, `${name}-5-succeeded`);

    const full = await staff.order(await orderIdOf(page));
    assert.equal(full.order.account_masked, '138****1234');
    assert.ok(books(full).includes('payment liability.customer_orders -9950 CNY'));
    assert.ok(books(full).includes('fulfilment revenue.sales -9950 CNY'));
    assert.deepEqual(full.audit.map((row) => row.action), ['order.place', 'order.start_payment', 'order.payment_confirmed',
      'order.submit', 'order.supplier_accepted', 'order.supplier_succeeded']);
    assert.deepEqual(page.complaints(), []);
    await page.context().close();
  });
}

test('F029: the buyer picks Alipay on the pay page, pays at its cashier and comes back to the order', async () => {
  const page = await openPage(browser);
  await toConfirm(page, '13800001234');
  await by(page, 'channel-alipay').click();
  assert.equal(await by(page, 'channel-alipay').getAttribute('aria-checked'), 'true');
  assert.match(await by(page, 'pay-button').innerText(), /支付宝/);
  await picture(page, 'alipay-1-confirm');
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.alipay}/**`);
  await picture(page, 'alipay-2-cashier');
  await page.locator('#pay').click();
  await page.waitForURL(`${shop.origin}/**`);
  await waitState(page, 'succeeded');
  const full = await staff.order(await orderIdOf(page));
  assert.ok(books(full).includes('payment asset.channel_clearing.alipay 9950 CNY'));
  assert.deepEqual(page.complaints(), []);
});

test('the price comes from the WebAssembly: it is there with the network off', async () => {
  const page = await openPage(browser, { expected: [/Failed to load resource/, /ERR_INTERNET_DISCONNECTED/] });
  await page.goto(`${shop.origin}/`);
  await by(page, 'face-5000').waitFor();
  await page.context().setOffline(true);
  await by(page, 'phone-input').fill('13000001234');
  await page.waitForSelector('[data-test="phone-verdict"][data-verdict="valid"]');
  await by(page, 'face-5000').click();
  await by(page, 'offline-bar').waitFor();
  assert.match(await by(page, 'face-5000').innerText(), /49\.75/);
  await picture(page, 'phone-zh-offline');
  await page.context().setOffline(false);
  await by(page, 'go-confirm').click();
  await by(page, 'payable').waitFor();
  assert.equal(await by(page, 'payable').getAttribute('data-minor'), '4975');
  assert.equal(await by(page, 'price-source').getAttribute('data-source'), 'wasm');
  await page.context().close();
});

test('wrong numbers are answered at the field, key by key', async () => {
  const page = await openPage(browser);
  await page.goto(`${shop.origin}/`);
  await by(page, 'phone-input').fill('12');
  await page.waitForSelector('[data-test="phone-verdict"][data-verdict="impossible"]');
  assert.ok((await by(page, 'phone-verdict').innerText()).length > 3);
  await picture(page, 'phone-zh-wrong-number');
  await by(page, 'phone-input').fill('138000012345');
  await page.waitForSelector('[data-test="phone-verdict"][data-verdict="impossible"]');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('a double tap on pay, a reload in the middle and going back make one order', async () => {
  const page = await openPage(browser);
  await toConfirm(page, '13800002222');
  await by(page, 'pay-button').dblclick();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.goBack();
  await page.reload();
  await page.waitForLoadState();
  const mine = async () => page.evaluate(async () => {
    const token = localStorage.getItem('topup.session').match(/[A-Za-z0-9_-]{53}/)[0];
    const answer = await fetch('/api/v1/orders', { headers: { authorization: `Bearer ${token}` } });
    return (await answer.json()).orders;
  });
  const orders = await until('the order is there', async () => {
    const found = await mine();
    return found.length > 0 ? found : null;
  });
  assert.equal(orders.length, 1);
  await page.context().close();
});

test('cancelled at the sheet: back at the order with "pay again", then paid', async () => {
  const page = await openPage(browser);
  await toConfirm(page, '13800003333');
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.locator('#cancel').click();
  await page.waitForURL(`${shop.origin}/**`);
  await by(page, 'continue-pay').waitFor();
  assert.equal(await stateOf(page), 'paying');
  await picture(page, 'phone-zh-pay-again');
  await page.reload();
  await by(page, 'continue-pay').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.locator('#pay').click();
  await page.waitForURL(`${shop.origin}/**`);
  await waitState(page, 'succeeded');
  await page.context().close();
});

test('a refusal by the operator says that the money goes back, and it does', async () => {
  const page = await openPage(browser);
  await toConfirm(page, '13800009002');
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.locator('#pay').click();
  await page.waitForURL(`${shop.origin}/**`);
  await waitState(page, 'refunded', 30_000);
  await picture(page, 'phone-zh-refunded');
  const full = await staff.order(await orderIdOf(page));
  assert.equal(full.refunds[0].state, 'succeeded');
  await page.context().close();
});

test('a supplier that does not answer: the page says who is asked and what follows', async () => {
  const page = await openPage(browser);
  await toConfirm(page, '13800009003');
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.locator('#pay').click();
  await page.waitForURL(`${shop.origin}/**`);
  await waitState(page, 'recharging');
  await picture(page, 'phone-zh-recharging');
  await page.reload();
  await waitState(page, 'succeeded', 40_000);
  await page.context().close();
});

test('the list of orders shows the buyer\'s own, and an empty one a picture', async () => {
  const page = await openPage(browser);
  await page.goto(`${shop.origin}/`);
  await by(page, 'tab-orders').click();
  await page.waitForTimeout(600);
  await picture(page, 'phone-zh-orders-empty');
  await toConfirm(page, '13800004444');
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.goto(`${shop.origin}/`);
  await by(page, 'tab-orders').click();
  await by(page, 'order-row').waitFor();
  await picture(page, 'phone-zh-orders');
  await page.context().close();
});

test('the console: sign in, the day, one order with journals that sum to zero', async () => {
  for (const [name, options] of Object.entries({ desktop: { viewport: desktop }, phone: { viewport: phone } })) {
    const page = await openPage(browser, { ...options, expected: [/401/] });
    await page.goto(`${shop.origin}/admin/`);
    await by(page, 'login-name').fill('owner');
    await by(page, 'login-password').fill(shop.password);
    await picture(page, `console-${name}-1-sign-in`);
    await by(page, 'login-submit').click();
    await by(page, 'trial-balance').waitFor();
    await page.waitForTimeout(800);
    await picture(page, `console-${name}-2-home`);
    await page.goto(`${shop.origin}/admin/orders?state=succeeded`);
    await page.locator('[data-test^="order-row-"]:visible').first().click();
    await by(page, 'journal').waitFor();
    await by(page, 'audit-row').waitFor();
    await page.waitForTimeout(500);
    await picture(page, `console-${name}-3-order`);
    assert.deepEqual(page.complaints(), []);
    await page.context().close();
  }
});

