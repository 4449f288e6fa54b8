// F016, F080, F084: without a network the page opens, prices and keeps drafts; back again each is priced anew, what changed is
// shown, and it becomes one order. Two devices of one buyer converge.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Shop, until } from './support/shop.mjs';

const kOffline = [/Failed to load resource/, /ERR_INTERNET_DISCONNECTED/, /ERR_FAILED/];

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

/** Opens the shop and waits until its worker has every file. */
async function openInstalled(options = {}) {
  const page = await openPage(browser, { expected: kOffline, ...options });
  await page.goto(`${shop.origin}/`);
  await by(page, 'face-10000').waitFor();
  await isInstalled(page);
  return page;
}

/** The worker has gathered what the pages are made of: from now on they work without a network. */
async function isInstalled(page) {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

async function offline(page, yes) {
  await page.context().setOffline(yes);
}

async function keepDraft(page, number, face = 10000) {
  await by(page, 'phone-input').fill(number);
  await by(page, `face-${face}`).click();
  await by(page, 'go-confirm').click();
  await by(page, 'keep-draft').waitFor();
}

const stateIs = (page, state) => page.waitForSelector(`[data-test="draft"][data-state="${state}"]:visible`);

async function tokenOf(page) {
  return page.evaluate(() => localStorage.getItem('topup.session').match(/[A-Za-z0-9_-]{53}/)[0]);
}
async function ordersOf(page) {
  const token = await tokenOf(page);
  return (await shop.call('GET', '/api/v1/orders', { headers: { authorization: `Bearer ${token}` } })).json.orders;
}

/** On a phone at the sheet, on a desktop by the code that a phone scans. */
async function pay(page) {
  if (page.viewportSize().width < desktop.width) {
    await page.waitForURL(`${shop.wechat}/**`);
    await page.locator('#pay').click();
    await page.waitForURL(`${shop.origin}/**`);
    return;
  }
  await page.waitForURL(/pages\/order\/order/);
  const id = new URL(page.url()).hash.match(/id=([0-9A-Z]+)/)[1];
  const started = await until('the payment has begun', async () => (await staff.order(id)).payments[0]);
  await shop.payAtSheet(started.out_trade_no);
}

/** The next answer of the shop's quote says `change`d lines, as if a new book had been published since. */
async function dearer(page, extraMinor) {
  const raise = (quote) => {
    const lines = quote.lines.map((line, at) => (at === quote.lines.length - 1
      ? { ...line, effect: { ...line.effect, minor: line.effect.minor + extraMinor } } : line));
    return { ...quote, lines, payable: { ...quote.payable, minor: quote.payable.minor + extraMinor }, fingerprint: '0123456789abcdef' };
  };
  await page.route('**/api/v1/quotes', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: raise(await answer.json()) });
  });
}

for (const [name, options] of Object.entries({ 'phone-zh': { viewport: phone }, 'desktop-en-dark': { viewport: desktop, locale: 'en-US', colorScheme: 'dark' } })) {
  test(`the whole way: opened once, offline and reloaded, a draft kept, back online, paid: one order (${name})`, async () => {
    const page = await openInstalled(options);
    await offline(page, true);
    await page.reload();
    await by(page, 'offline-bar').waitFor();
    assert.match(await by(page, 'offline-bar').innerText(), /\d\d:\d\d/);
    await by(page, 'face-10000').waitFor();
    await picture(page, `offline-${name}-1-home`);
    await keepDraft(page, '13800001234');
    assert.equal(await by(page, 'payable').getAttribute('data-minor'), '9950');
    await by(page, 'quote-line').first().click();
    await by(page, 'quote-why').waitFor();
    await picture(page, `offline-${name}-2-confirm`);
    await by(page, 'keep-draft').dblclick();
    await stateIs(page, 'only_here');
    await picture(page, `offline-${name}-3-drafts`);

    await page.reload();
    await page.goto(`${shop.origin}/#/pages/drafts/drafts`);
    await stateIs(page, 'only_here');
    assert.equal(await page.locator('[data-test="draft"]:visible').count(), 1, 'a double tap keeps one draft');
    assert.ok(await by(page, 'draft-order').isDisabled());

    await offline(page, false);
    await stateIs(page, 'confirmed');
    await picture(page, `offline-${name}-4-confirmed`);
    await by(page, 'draft-order').click();
    await by(page, 'pay-button').click();
    await pay(page);
    await page.waitForSelector('[data-test="order-state"][data-state="succeeded"]:visible');
    assert.equal((await ordersOf(page)).length, 1);
    await page.goto(`${shop.origin}/#/pages/drafts/drafts`);
    await by(page, 'drafts-go').waitFor();
    await picture(page, `offline-${name}-5-empty`);
    assert.deepEqual(page.complaints(), []);
    await page.context().close();
  });
}

test('a price that moved meanwhile is shown with the old one struck through, and nothing is ordered before it is accepted', async () => {
  const page = await openInstalled();
  await offline(page, true);
  await keepDraft(page, '13800002345');
  await by(page, 'keep-draft').click();
  await stateIs(page, 'only_here');
  await dearer(page, 150);
  await offline(page, false);
  await stateIs(page, 'changed');
  assert.match(await by(page, 'draft-old').innerText(), /99\.50/);
  assert.equal(await by(page, 'draft-payable').getAttribute('data-minor'), '10100');
  await by(page, 'quote-line').first().waitFor();
  await picture(page, 'offline-phone-zh-6-changed');
  assert.equal((await ordersOf(page)).length, 0);
  await by(page, 'draft-accept').click();
  await stateIs(page, 'confirmed');
  await page.context().close();
});

test('F084: a price published while the buyer was away: shown, accepted, ordered at the new price, paid and delivered', async () => {
  const asOwner = (method, path, body) => shop.call(method, path, {
    body, headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() },
  });
  const page = await openInstalled();
  await offline(page, true);
  await keepDraft(page, '13800006789', 20000);
  await by(page, 'keep-draft').click();
  await stateIs(page, 'only_here');
  const old = Number(await by(page, 'draft-payable').getAttribute('data-minor'));

  const { version, rules } = (await asOwner('GET', '/api/admin/price-rules')).json;
  const dearer = rules.map((rule) => (rule.id === 'default' ? { ...rule, rate_bp: 10_400 } : rule));
  const published = await asOwner('POST', '/api/admin/price-rules/publish', { version, rules: dearer, reason: 'spring prices' });
  assert.equal(published.status, 200, published.text);
  const now = 20_800;
  assert.notEqual(old, now);

  await offline(page, false);
  await stateIs(page, 'changed');
  assert.match(await by(page, 'draft-old').innerText(), new RegExp((old / 100).toFixed(2).replace('.', '\\.')));
  assert.equal(await by(page, 'draft-payable').getAttribute('data-minor'), String(now));
  await picture(page, 'offline-phone-zh-10-published');
  assert.equal((await ordersOf(page)).length, 0);
  await by(page, 'draft-accept').click();
  await stateIs(page, 'confirmed');
  await by(page, 'draft-order').click();
  assert.equal(await by(page, 'payable').getAttribute('data-minor'), String(now));
  await by(page, 'pay-button').click();
  await pay(page);
  await page.waitForSelector('[data-test="order-state"][data-state="succeeded"]:visible');
  const [order, ...more] = await ordersOf(page);
  assert.deepEqual([order.payable.minor, more.length], [now, 0]);
  await page.goto(`${shop.origin}/#/pages/drafts/drafts`);
  await by(page, 'drafts-go').waitFor();
  const back = await asOwner('POST', '/api/admin/price-rules/rollback', { version: published.json.version, to: version, reason: 'spring is over' });
  assert.equal(back.status, 200, back.text);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('killed between sending and answer: the draft is ordered once, however often it is tapped', async () => {
  const page = await openInstalled();
  await offline(page, true);
  await keepDraft(page, '13800003456');
  await by(page, 'keep-draft').click();
  await offline(page, false);
  await stateIs(page, 'confirmed');
  await by(page, 'draft-order').click();
  await by(page, 'pay-button').waitFor();
  // The order reaches the shop; its answer does not reach the page.
  await page.route('**/api/v1/checkouts', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fetch();
    return route.abort('connectionreset');
  });
  await by(page, 'pay-button').click();
  await until('the order is there', async () => (await ordersOf(page)).length === 1);
  const second = await page.context().newPage();
  await page.close();
  await second.goto(`${shop.origin}/#/pages/drafts/drafts`);
  await stateIs(second, 'confirmed');
  await by(second, 'draft-order').click();
  await by(second, 'pay-button').dblclick();
  await second.waitForURL(`${shop.wechat}/**`);
  assert.equal((await ordersOf(second).catch(() => null)) ?? 1, 1);
  await second.goto(`${shop.origin}/`);
  assert.equal((await ordersOf(second)).length, 1);
  await second.context().close();
});

test('F080: a draft of one device is on the other within seconds, edits meet in the middle, a clash is asked about', async () => {
  const one = await openInstalled();
  await offline(one, true);
  await keepDraft(one, '13800004567');
  await by(one, 'keep-draft').click();
  await offline(one, false);
  await stateIs(one, 'confirmed');

  // The same buyer on a desktop.
  const session = await one.evaluate(() => localStorage.getItem('topup.session'));
  const two = await openPage(browser, { viewport: desktop, expected: kOffline });
  await two.addInitScript((text) => localStorage.setItem('topup.session', text), session);
  await two.goto(`${shop.origin}/#/pages/drafts/drafts`);
  await stateIs(two, 'confirmed');
  await isInstalled(two);

  // Both change the amount while neither hears of the other.
  for (const [page, face] of [[one, 5000], [two, 3000]]) {
    await by(page, 'draft-edit').click();
    await by(page, `face-${face}`).waitFor();
    await offline(page, true);
    await by(page, `face-${face}`).click();
    await by(page, 'go-confirm').click();
    await by(page, 'keep-draft').click();
    await stateIs(page, 'only_here');
  }
  await offline(one, false);
  await stateIs(one, 'confirmed');
  await offline(two, false);
  await stateIs(two, 'conflict');
  await picture(two, 'offline-desktop-zh-7-conflict');
  await stateIs(one, 'conflict');
  await picture(one, 'offline-phone-zh-7-conflict');
  await one.locator('[data-test="draft-choice"][data-value="cn-mobile-3000"]:visible').click();
  for (const page of [one, two]) {
    await stateIs(page, 'confirmed');
    await page.waitForSelector('[data-test="draft-payable"][data-minor="2985"]:visible');
  }

  // Ordered here, it is gone there: no second order.
  await by(one, 'draft-order').click();
  await by(one, 'pay-button').click();
  await one.waitForURL(`${shop.wechat}/**`);
  await by(two, 'drafts-go').waitFor();
  assert.equal((await ordersOf(two)).length, 1);
  await one.context().close();
  await two.context().close();
});

test('a deleted draft can be taken back, and stays away when it is not', async () => {
  const page = await openInstalled();
  await offline(page, true);
  await keepDraft(page, '13800005678');
  await by(page, 'keep-draft').click();
  await stateIs(page, 'only_here');
  await by(page, 'draft-delete').click();
  await by(page, 'undo').waitFor();
  await picture(page, 'offline-phone-zh-8-undo');
  await by(page, 'undo').click();
  await stateIs(page, 'only_here');
  await by(page, 'draft-delete').click();
  await by(page, 'draft-undo').waitFor({ state: 'hidden' });
  await page.reload();
  await by(page, 'drafts-go').waitFor();
  await page.context().close();
});

test('the worker keeps nothing of the interface: no answer of /api is in a cache', async () => {
  const page = await openInstalled();
  await by(page, 'tab-orders').click();
  await by(page, 'orders-go').waitFor();
  const kept = await page.evaluate(async () => {
    const paths = [];
    for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) paths.push(new URL(request.url).pathname);
    return paths;
  });
  assert.ok(kept.some((path) => path.endsWith('.wasm')));
  assert.deepEqual(kept.filter((path) => path.startsWith('/api') || path.startsWith('/admin')), []);
  await page.context().close();
});

test('the shop says which page is too old, in the page\'s place, and lets it go on when it is not', async () => {
  const { version } = await staff.get('/api/admin/settings');
  const change = (changes, seen) => shop.call('PUT', '/api/admin/settings', {
    headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() }, body: { version: seen, changes },
  });
  const raised = await change({ 'client.lowest_version': '99.0.0' }, version);
  assert.equal(raised.status, 200, raised.text);
  const page = await openPage(browser);
  await page.goto(`${shop.origin}/`);
  await by(page, 'too-old').waitFor();
  await picture(page, 'offline-phone-zh-9-too-old');
  const back = await change({ 'client.lowest_version': null }, raised.json.version);
  assert.equal(back.status, 200, back.text);
  await page.reload();
  await by(page, 'phone-input').waitFor();
  await page.context().close();
});
