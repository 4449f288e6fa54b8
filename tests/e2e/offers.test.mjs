// Coupons, member levels and stations over real HTTP and in a real browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Buyer, Shop, binary, sumsToZero, until } from './support/shop.mjs';

const kPhone = '13800138000';
const kRefused = '13800139001'; // the rehearsed supplier refuses it
let shop;
let staff;
let browser;

const post = (path, body, keyed = false) => shop.call('POST', path, {
  headers: { cookie: staff.cookie, origin: shop.origin, ...(keyed ? { 'idempotency-key': randomUUID() } : {}) }, body,
});
const saveOffer = (kind, id, terms, version = 0, on = true) => post('/api/admin/marketing/offers', {
  kind, id, version, on, terms: { name_zh: id, name_en: id, ...terms },
});
async function campaign(template, way, more = {}) {
  const made = await post('/api/admin/marketing/campaigns', {
    version: 0,
    campaign: { template_id: template, way, name: `${template} ${way}`, budget: 100, per_user: 5, valid_days: 30, on: true, ...more },
  });
  assert.equal(made.status, 200, made.text);
  return made.json.campaign_id;
}
const claim = (buyer, body) => buyer.call('POST', '/api/v1/coupons', { headers: { 'idempotency-key': randomUUID() }, body });
const quoteOf = (buyer, coupons, number = kPhone) => buyer.call('POST', '/api/v1/quotes', {
  body: { product_id: 'cn-mobile-10000', account_number: number, ...(coupons ? { coupons } : {}) },
});
async function place(buyer, { coupons, fingerprint, number = kPhone } = {}) {
  const seen = fingerprint ?? (await quoteOf(buyer, coupons, number)).json.fingerprint;
  return buyer.call('POST', '/api/v1/orders', {
    headers: { 'idempotency-key': randomUUID() },
    body: {
      product_id: 'cn-mobile-10000', account_number: number, quote_fingerprint: seen, confirm_repeat: true,
      ...(coupons ? { coupons } : {}),
    },
  });
}
const couponsOf = async (buyer) => (await buyer.call('GET', '/api/v1/coupons')).json.coupons;
const stateOf = async (buyer, id) => (await couponsOf(buyer)).find((one) => one.coupon_id === id)?.state;

let open;
before(async () => {
  shop = await Shop.start({ speed: 100 });
  staff = await shop.signIn();
  await until('prices are there', async () => (await shop.call('GET', '/api/v1/price-book')).status === 200);
  assert.equal((await shop.call('GET', '/api/v1/shop')).json.offers.coupons, false, 'a shop without coupons shows none');
  const saved = await saveOffer('coupon', 'one-off', { name_zh: '满百减一', name_en: '1 off 100', form: 'amount', value: 100, least_spend_minor: 9000 });
  assert.equal(saved.status, 200, saved.text);
  await saveOffer('coupon', 'big-spender', { name_zh: '满千减百', name_en: '100 off 1000', form: 'amount', value: 10000, least_spend_minor: 100000 });
  await saveOffer('level', 'silver', { name_zh: '银卡会员', name_en: 'Silver', growth_from: 90, discount_bp: 100 });
  await saveOffer('level', 'gold', { name_zh: '金卡会员', name_en: 'Gold', growth_from: 1000, discount_bp: 200, cap_minor: 1000 });
  open = await campaign('one-off', 'open', { per_user: 5 });
  await campaign('big-spender', 'code', { code: 'BIG-2026' });
  await until('the book has them', async () => (await shop.call('GET', '/api/v1/shop')).json.offers.coupons);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop?.cleanup();
});

test('F060: a coupon is held by its order, used when it is paid, and the books sum to zero', async () => {
  const buyer = await Buyer.arrive(shop);
  const got = await claim(buyer, { campaign_id: open });
  assert.equal(got.status, 201, got.text);
  const id = got.json.coupon_id;
  const quote = (await quoteOf(buyer)).json;
  assert.equal(quote.payable.minor, 9850);
  assert.equal((await quoteOf(await Buyer.arrive(shop))).json.payable.minor, 9950, 'a coupon is its owner\'s only');
  const order = await place(buyer);
  assert.equal(order.status, 201, order.text);
  assert.equal(order.json.payable.minor, 9850);
  assert.equal(await stateOf(buyer, id), 'held');
  const ticket = (await buyer.pay(order.json.order_id)).json;
  await shop.payAtSheet(ticket.out_trade_no);
  await buyer.reaches(order.json.order_id, 'succeeded');
  assert.equal(await stateOf(buyer, id), 'used');
  const full = await staff.order(order.json.order_id);
  assert.ok(sumsToZero(full));
  const [owned] = await couponsOf(buyer);
  assert.equal(owned.order_id, order.json.order_id);
  const member = (await buyer.call('GET', '/api/v1/member')).json;
  assert.equal(member.facts.growth, 98);
  assert.equal(member.level.level_id, 'silver');
  assert.equal(member.next_level.level_id, 'gold');
  assert.equal((await quoteOf(buyer)).json.payable.minor, 9950 - 99, 'the level counts from the next order on');
});

test('F060: two orders at once with the one coupon: one has it, the other is told why', async () => {
  const buyer = await Buyer.arrive(shop);
  const id = (await claim(buyer, { campaign_id: open })).json.coupon_id;
  const { fingerprint } = (await quoteOf(buyer, [id])).json;
  const both = await Promise.all([1, 2].map(() => place(buyer, { coupons: [id], fingerprint })));
  const placed = both.find(({ status }) => status === 201);
  const refused = both.find(({ status }) => status !== 201);
  assert.ok(placed && refused, both.map(({ text }) => text).join('\n'));
  assert.ok(['coupon_in_use', 'coupon_not_usable'].includes(refused.json.reason), refused.text);
  assert.equal((await couponsOf(buyer)).filter(({ state }) => state === 'held').length, 1);
});

test('F060: a cancelled order gives the coupon back, and so does a refund of all', async () => {
  const buyer = await Buyer.arrive(shop);
  const id = (await claim(buyer, { campaign_id: open })).json.coupon_id;
  const first = (await place(buyer)).json;
  await buyer.call('POST', `/api/v1/orders/${first.order_id}/cancel`, { body: {} });
  assert.equal(await stateOf(buyer, id), 'available');
  const second = (await place(buyer, { number: kRefused })).json;
  assert.equal(second.payable.minor, 9850);
  const ticket = (await buyer.pay(second.order_id)).json;
  await shop.payAtSheet(ticket.out_trade_no);
  await buyer.reaches(second.order_id, 'refunded');
  assert.equal(await stateOf(buyer, id), 'available');
  assert.ok(sumsToZero(await staff.order(second.order_id)));
});

test('F060: staff give and take back, with a reason; nobody else may', async () => {
  const buyer = await Buyer.arrive(shop);
  const user = (await shop.call('POST', '/api/v1/sessions')).json;
  const given = await campaign('one-off', 'staff');
  const path = `/api/admin/marketing/campaigns/${given}/grants`;
  assert.equal((await post(path, { users: [user.user_id], reason: ' ' }, true)).json.reason, 'reason_missing');
  assert.equal((await buyer.call('POST', path, { body: {} })).status, 401);
  const granted = await post(path, { users: [user.user_id], reason: 'sorry for the wait' }, true);
  assert.equal(granted.status, 201, granted.text);
  const theirs = (await staff.get(`/api/admin/marketing/coupons?user_id=${user.user_id}`)).coupons;
  assert.deepEqual(theirs.map(({ state }) => state), ['available']);
  const taken = await post(`/api/admin/marketing/coupons/${theirs[0].coupon_id}/revoke`, { reason: 'wrong buyer' });
  assert.equal(taken.json.coupons[0].state, 'revoked');
});

test('F019: without marketing the price is the plain one and the coupons wait', async () => {
  const buyer = await Buyer.arrive(shop);
  const id = (await claim(buyer, { campaign_id: open })).json.coupon_id;
  const level = async (word) => {
    const settings = await staff.get('/api/admin/settings');
    const set = await shop.call('PUT', '/api/admin/settings', {
      headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() },
      body: { version: settings.version, changes: { 'service.level': word } },
    });
    assert.equal(set.status, 200, set.text);
  };
  await level('no_marketing');
  try {
    assert.equal((await quoteOf(buyer)).json.payable.minor, 9950);
    assert.equal((await shop.call('GET', '/api/v1/shop')).json.offers.coupons, false);
    assert.equal((await buyer.call('GET', '/api/v1/coupons')).json.reason, 'degraded');
  } finally {
    await level('normal');
  }
  assert.equal(await stateOf(buyer, id), 'available');
});

async function toConfirm(page) {
  await page.goto(`${shop.origin}/`);
  await by(page, 'phone-input').fill(kPhone);
  await by(page, 'face-10000').click();
  await by(page, 'go-confirm').click();
  await by(page, 'payable').waitFor();
}
const waitPayable = (page, minor) => page.waitForSelector(`[data-test="payable"][data-minor="${minor}"]:visible`);

for (const [name, options] of Object.entries({
  'zh': { viewport: phone },
  'en-dark': { viewport: phone, locale: 'en-US', colorScheme: 'dark' },
})) {
  test(`F061: claim on the page, best coupon picked, none chosen, reason told (${name})`, async () => {
    const page = await openPage(browser, { ...options, expected: [/status of 404/] }); // a code that is none
    await page.goto(`${shop.origin}/#/pages/coupons/coupons`);
    await by(page, 'claim').click();
    await page.waitForSelector('[data-test="coupon"][data-state="available"]:visible');
    await by(page, 'coupon-code').fill('no such code');
    await by(page, 'redeem').click();
    await page.waitForSelector('[data-test="coupon-code-says"][role="alert"]:visible');
    await by(page, 'coupon-code').fill('big 2026');
    await by(page, 'redeem').click();
    await page.waitForFunction(() => document.querySelectorAll('[data-test="coupon"]').length === 2);
    await picture(page, `offers-coupons-${name}`);
    await toConfirm(page);
    await waitPayable(page, 9850);
    await by(page, 'coupon-line').click();
    await by(page, 'coupon-choice').waitFor();
    assert.equal(await page.locator('[data-test="coupon-choice"]:visible').count(), 2);
    assert.match(await page.locator('[data-test="coupon-note"]:visible').last().innerText(), /1,?000/);
    await picture(page, `offers-picker-${name}`);
    await by(page, 'coupon-none').click();
    await waitPayable(page, 9950);
    await by(page, 'coupon-best').click();
    await waitPayable(page, 9850);
    await by(page, 'pay-button').click();
    await page.waitForURL(`${shop.wechat}/**`);
    assert.match(await page.locator('#amount').innerText(), /98\.50/);
    assert.deepEqual(page.complaints(), []);
    await page.context().close();
  });
}

test('F104: stations by distance where the place is known, by city where it is refused, and offline from the device', async () => {
  const page = await openPage(browser, { viewport: phone });
  await page.context().grantPermissions(['geolocation'], { origin: shop.origin });
  await page.context().setGeolocation({ latitude: 31.2304, longitude: 121.4737 });
  await page.addInitScript(() => localStorage.setItem('topup.agreed', JSON.stringify({ terms: 1, privacy: 1, location: true })));
  await page.goto(`${shop.origin}/#/pages/stations/stations`);
  await by(page, 'locate').click();
  await by(page, 'station').waitFor();
  assert.match(await by(page, 'station').getAttribute('data-id'), /^shanghai-/);
  await by(page, 'order-nearest').click();
  const metres = await page.locator('[data-test="station-where"]:visible').allInnerTexts();
  const first = metres.slice(0, 5).map((text) => Number.parseFloat(text) * (text.includes('公里') ? 1000 : 1));
  assert.deepEqual(first, [...first].sort((a, b) => a - b));
  await picture(page, 'offers-stations-zh');
  await by(page, 'brand-shell').click();
  assert.ok((await page.locator('[data-test="station-where"]:visible').allInnerTexts()).every((text) => text.includes('壳牌')));
  await by(page, 'brand-any').click();
  await by(page, 'station').click();
  await by(page, 'station-address').waitFor();
  await until('the address', async () => /上海市/.test(await by(page, 'station-address').innerText()));
  assert.match(await by(page, 'open-map').getAttribute('href'), /^geo:31\./);
  await picture(page, 'offers-station-zh');
  await page.goBack();
  await by(page, 'station').waitFor();
  await page.context().setOffline(true);
  await by(page, 'order-cheapest').click();
  await by(page, 'fuel-gasoline_95').click();
  await page.waitForFunction(() => document.querySelector('[data-test="stations-as-of"]')?.textContent?.includes('离线') ?? true);
  assert.ok((await page.locator('[data-test="station"]:visible').count()) > 5);
  await page.context().close();
});

test('X03: location refused: a city of the stations themselves', async () => {
  const page = await openPage(browser, { viewport: phone, locale: 'en-US', colorScheme: 'dark' });
  await page.context().clearPermissions();
  await page.addInitScript(() => localStorage.setItem('topup.agreed', JSON.stringify({ terms: 1, privacy: 1, location: true })));
  await page.goto(`${shop.origin}/#/pages/stations/stations`);
  await by(page, 'locate').click();
  await by(page, 'location-refused').waitFor();
  await page.locator('[data-test="city"][data-city="杭州市"]:visible').click();
  await by(page, 'station').waitFor();
  assert.match(await by(page, 'station').getAttribute('data-id'), /^hangzhou-/);
  await picture(page, 'offers-stations-en-dark');
  assert.deepEqual(page.complaints(), []);
  await page.reload();
  await by(page, 'station').waitFor();
  await page.context().close();
});

test('the member card says what the level gives and how far the next one is', async () => {
  const page = await openPage(browser, { viewport: phone });
  await page.goto(`${shop.origin}/#/pages/member/member`);
  await by(page, 'member-card').waitFor();
  assert.match(await by(page, 'member-next').innerText(), /银卡会员/);
  assert.equal(await page.locator('[data-test="level"]:visible').count(), 2);
  await picture(page, 'offers-member-zh');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

async function consolePage(options) {
  const page = await openPage(browser, options);
  const [name, value] = staff.cookie.split('=');
  await page.context().addCookies([{ name, value, url: shop.origin }]);
  return page;
}

test('the console makes a coupon and a way to hand it out, and imports stations after a check', async () => {
  const page = await consolePage({ viewport: desktop });
  await page.goto(`${shop.origin}/admin/offers`);
  await by(page, 'offer-row').waitFor();
  await by(page, 'offer-add').click();
  await by(page, 'offer-id').fill('console-made');
  await by(page, 'offer-name_zh').fill('九五折');
  await by(page, 'offer-name_en').fill('5% off');
  await by(page, 'offer-form-percent').check();
  await by(page, 'offer-value').fill('x');
  await by(page, 'offer-save').click();
  assert.equal(await by(page, 'offer-value').getAttribute('aria-invalid'), 'true');
  await picture(page, 'offers-console-form-zh');
  await by(page, 'offer-value').fill('5');
  await by(page, 'offer-save').click();
  await by(page, 'offer-said').waitFor();
  // What was kept is said at once; the list is fetched again after it.
  await page.locator('[data-test="offer-row"]').nth(2).waitFor();
  assert.equal(await page.locator('[data-test="offer-row"]').count(), 3);
  await by(page, 'offers-campaign').click();
  await by(page, 'campaign-row').waitFor();
  await picture(page, 'offers-console-campaigns-zh');

  await page.goto(`${shop.origin}/admin/stations`);
  await by(page, 'station-row').waitFor();
  await by(page, 'station-add').click();
  const head = 'id,name,brand,issuer,city,address,lat,lng,gasoline_92,gasoline_95,gasoline_98,diesel_0,hours,flags\n';
  await by(page, 'station-csv').fill(`${head}new-1,New,shell,none,上海市,,91,121.5,7.80,,,,00:00-24:00,shop\n`);
  await by(page, 'station-check').click();
  assert.match(await by(page, 'station-fault').innerText(), /lat/);
  await picture(page, 'offers-console-stations-zh');
  await by(page, 'station-csv').fill(`${head}new-1,New,shell,none,上海市,,31.1,121.5,7.80,,,,00:00-24:00,shop\n`);
  await by(page, 'station-check').click();
  await by(page, 'station-apply').click();
  await until('the station is published', async () => (await shop.call('GET', '/api/v1/stations/new-1')).status === 200);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});
