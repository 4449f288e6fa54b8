// Price rules, products and settings from the console to a buyer's quote, and everything that is refused on the way.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Buyer, Shop, until } from './support/shop.mjs';

const kNumber = '13800001234';
let shop;
let owner;
let buyer;

class Person {
  constructor(name, cookie) { this.name = name; this.cookie = cookie; }
  static async signIn(name, password) {
    const got = await shop.call('POST', '/api/admin/session', { body: { name, password } });
    assert.equal(got.status, 200, got.text);
    return new Person(name, got.headers.get('set-cookie').split(';')[0]);
  }
  static async hire(name, roles) {
    const added = await owner.call('POST', '/api/admin/staff', { name, roles });
    const person = await Person.signIn(name, added.json.password);
    const password = 'tidies up after lunch 7';
    const changed = await person.call('POST', '/api/admin/session/password', { old_password: added.json.password, new_password: password });
    person.cookie = changed.headers.get('set-cookie').split(';')[0];
    person.password = password;
    return person;
  }
  call(method, path, body) {
    return shop.call(method, path, { body, headers: { cookie: this.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  }
}

const rules = async () => (await owner.call('GET', '/api/admin/price-rules')).json;
const payable = async () => (await buyer.quote(kNumber)).json.payable?.minor;
const publish = (who, set, reason = 'spring prices') => who.call('POST', '/api/admin/price-rules/publish', { ...set, reason });
const withRate = (set, rate) => ({
  version: set.version,
  rules: set.rules.map((rule) => (rule.id === 'default' ? { ...rule, rate_bp: rate } : rule)),
});
const product = async (id) => (await owner.call('GET', `/api/admin/catalog/products?q=${id}`)).json.products.find((row) => row.product_id === id);

before(async () => {
  shop = await Shop.start({});
  owner = await Person.signIn('owner', shop.password);
  buyer = await Buyer.arrive(shop);
});
after(async () => {
  await shop.stop();
  shop.cleanup();
});

test('F002: what pages get of the price book names no supplier and is not the book that staff price with', async () => {
  const got = await fetch(`${shop.origin}/api/v1/price-book`);
  const bytes = Buffer.from(await got.arrayBuffer());
  const set = await rules();
  const preview = (await owner.call('POST', '/api/admin/price-rules/preview', { rules: set.rules })).json;
  assert.ok(Object.keys(preview.costs).length > 0, 'the shop knows costs');
  assert.notEqual(bytes.toString('hex'), preview.book_hex);
  assert.ok(!/reloadly|dtone|dingconnect|juhe/i.test(bytes.toString('latin1')));
  assert.equal(got.headers.get('etag')?.length, 18);
});

test('F002: a published rule is in a buyer\'s quote within 2 s, an order under way is told, and going back restores it', async () => {
  const before = await payable();
  const old = (await buyer.quote(kNumber)).json.fingerprint;
  const draft = withRate(await rules(), 10_500);
  const preview = (await owner.call('POST', '/api/admin/price-rules/preview', { rules: draft.rules })).json;
  const row = preview.changes.find((one) => one.product_id === 'cn-mobile-10000');
  assert.equal(row.before_minor, before);
  assert.equal(row.after_minor, 10_500);
  assert.equal(await payable(), before, 'a preview changes nothing');

  const began = Date.now();
  const done = await publish(owner, draft);
  assert.equal(done.status, 200, done.text);
  await until('the new price', async () => (await payable()) === row.after_minor, 2_000);
  assert.ok(Date.now() - began < 2_000);
  const late = await buyer.place(kNumber, { fingerprint: old });
  assert.equal(late.status, 409);
  assert.equal(late.json.reason, 'price_changed');
  assert.equal(late.json.quote.payable.minor, 10_500);

  const stale = await publish(owner, draft);
  assert.equal(stale.status, 409);
  assert.equal(stale.json.reason, 'rules_changed');
  const back = await owner.call('POST', '/api/admin/price-rules/rollback', { version: done.json.version, to: 0, reason: 'too dear' });
  assert.equal(back.status, 200, back.text);
  assert.equal(await payable(), before);
  const { versions } = (await owner.call('GET', '/api/admin/price-rules/history')).json;
  assert.deepEqual(versions.map((one) => one.reason), ['too dear', 'spring prices']);
});

test('F002: below cost only with a reason; without a reason for the change nothing is published', async () => {
  const set = await rules();
  const cheap = { id: 'cheap', form: 'fixed_price', price_minor: 100, product_id: 'cn-mobile-10000' };
  const refused = await publish(owner, { version: set.version, rules: [...set.rules, cheap] });
  assert.equal(refused.json.reason, 'rule_below_cost', refused.text);
  const mute = { ...cheap, allow_below_cost: true };
  assert.equal((await publish(owner, { version: set.version, rules: [...set.rules, mute] })).json.reason, 'below_cost_reason_missing');
  const said = { ...mute, below_cost_reason: 'first hundred buyers' };
  assert.equal((await publish(owner, { version: set.version, rules: [...set.rules, said] }, ' ')).json.reason, 'reason_missing');
  const done = await publish(owner, { version: set.version, rules: [...set.rules, said] });
  assert.equal(done.status, 200, done.text);
  assert.equal(await payable(), 100);
  assert.equal((await publish(owner, { version: done.json.version, rules: set.rules })).status, 200);
});

test('F002: an auditor reads and writes nothing; who keeps the catalogue does not set prices', async () => {
  const auditor = await Person.hire('auditor', ['auditor']);
  const keeper = await Person.hire('keeper', ['catalog']);
  const set = await rules();
  assert.equal((await auditor.call('GET', '/api/admin/price-rules')).status, 200);
  assert.equal((await auditor.call('GET', '/api/admin/catalog/products')).status, 200);
  for (const [who, path, body] of [
    [auditor, '/api/admin/price-rules/publish', { ...set, reason: 'x' }],
    [auditor, '/api/admin/price-rules/rollback', { version: set.version, to: 0, reason: 'x' }],
    [auditor, '/api/admin/catalog/products', { edits: [{ product_id: 'cn-mobile-10000', on_sale: false }] }],
    [auditor, '/api/admin/parties/reloadly/test', undefined],
    [keeper, '/api/admin/price-rules/publish', { ...set, reason: 'x' }],
  ]) {
    const got = await who.call('POST', path, body);
    assert.equal(got.status, 403, `${who.name} ${path}`);
    assert.equal(got.json.reason, 'permission_missing');
  }
  assert.equal((await rules()).version, set.version);
});

test('F002: an import with one wrong row changes nothing; a right one changes exactly what it says', async () => {
  const edit = (edits, dry = false) => owner.call('POST', '/api/admin/catalog/products', { edits, dry_run: dry });
  const off = { product_id: 'cn-mobile-10000', on_sale: false };
  const bad = await edit([off, { product_id: 'nothing' }, { product_id: 'cn-mobile-5000', on_sale: 'maybe' }, off]);
  assert.deepEqual(bad.json.errors, [
    { row: 2, reason: 'product_unknown' }, { row: 3, reason: 'wrong_type' }, { row: 4, reason: 'product_twice' },
  ]);
  assert.equal(bad.json.changed, 0);
  assert.equal((await product('cn-mobile-10000')).on_sale, true);
  const dry = await edit([off], true);
  assert.deepEqual(dry.json.changes, [{ product_id: 'cn-mobile-10000', fields: [{ field: 'on_sale', before: true, now: false }] }]);
  assert.equal((await product('cn-mobile-10000')).on_sale, true);
  assert.equal((await edit([off])).json.changed, 1);
  assert.equal((await buyer.quote(kNumber)).json.reason, 'product_not_found');
  assert.equal((await edit([{ ...off, on_sale: true }])).json.changed, 1);
  assert.ok((await payable()) > 0);
});

test('F183: the suppliers of a product are put in order and switched off from the product page, and it is in the trail', async () => {
  const path = '/api/admin/catalog/ways?product_id=cn-mobile-10000';
  const ways = async () => (await owner.call('GET', path)).json.ways;
  const before = await ways();
  const { supplier, priority } = before[0];
  const browser = await openBrowser();
  try {
    const page = await openPage(browser, { viewport: desktop, expected: [/status of (401|403|409|422)/] });
    await page.goto(`${shop.origin}/admin/products`);
    await by(page, 'login-password').fill(shop.password);
    await by(page, 'login-name').fill('owner');
    await page.keyboard.press('Enter');
    await by(page, 'ways-cn-mobile-10000').click();
    await by(page, `way-place-${supplier}`).fill('-1');
    assert.equal(await by(page, `way-keep-${supplier}`).isDisabled(), true, 'no such place');
    await by(page, `way-place-${supplier}`).fill(String(priority + 7));
    await by(page, `way-keep-${supplier}`).click();
    await by(page, 'ways-told').waitFor();
    assert.equal((await ways()).find((one) => one.supplier === supplier).priority, priority + 7);
    for (const one of before) {
      await by(page, `way-switch-${one.supplier}`).click();
      await until(`${one.supplier} is off`, async () => !(await ways()).find((way) => way.supplier === one.supplier).enabled);
      await page.locator(`[data-test="way-switch-${one.supplier}"]:enabled`).waitFor();
    }
    await by(page, 'ways-none-on').waitFor();
    await picture(page, 'catalogue-ways');
    await page.setViewportSize(phone);
    await picture(page, 'catalogue-ways-phone');
    await by(page, `way-switch-${supplier}`).click();
    await by(page, 'ways-none-on').waitFor({ state: 'detached' });
    assert.deepEqual(page.complaints(), []);
  } finally {
    await browser.close();
  }
  const set = (body) => owner.call('POST', '/api/admin/catalog/ways', { product_id: 'cn-mobile-10000', supplier, priority, enabled: true, ...body });
  assert.equal((await set({ priority: 10_001 })).json.reason, 'out_of_range');
  assert.equal((await set({ supplier: 'nobody' })).json.reason, 'way_not_found');
  for (const one of before) assert.equal((await set({ supplier: one.supplier, priority: one.priority, enabled: one.enabled })).status, 200);
  assert.deepEqual(await ways(), before);
  const trail = (await owner.call('GET', '/api/admin/audit?action=catalog.way_set')).json;
  assert.match(JSON.stringify(trail), new RegExp(`priority ${priority + 7}, on`));
});

test('F093: a party is really asked, and what it said is shown and audited', async () => {
  const got = await owner.call('POST', '/api/admin/parties/reloadly/test');
  assert.equal(got.status, 200, got.text);
  assert.equal(got.json.ok, true);
  assert.match(got.json.said, /^[\d.]+ [A-Z]{3}$/);
  const channel = await owner.call('POST', '/api/admin/parties/wechat/test');
  assert.deepEqual([channel.json.ok, channel.json.said], [true, 'no_such_payment']);
  assert.equal((await owner.call('POST', '/api/admin/parties/nobody/test')).json.reason, 'party_unknown');
});

test('in the browser: a draft is priced by the core as the server does, published, and the products, settings and stock pages work', { timeout: 120_000 }, async () => {
  const browser = await openBrowser();
  try {
    const page = await openPage(browser, { viewport: desktop, expected: [/status of (401|422)/] });
    await page.goto(`${shop.origin}/admin/price-rules`);
    await by(page, 'login-name').fill('owner');
    await by(page, 'login-password').fill(shop.password);
    await by(page, 'login-submit').click();
    const cell = page.locator('[data-test="sample-cn-mobile-10000"] [data-test="draft-price"]').first();
    await by(page, 'rule-default').click();
    await by(page, 'rule-rate').fill('101.00');
    await until('the core prices the draft', async () => (await cell.innerText()) === '101.00');
    await by(page, 'rules-changes').waitFor();
    await picture(page, 'price-rules-1440');
    await by(page, 'publish').click();
    await by(page, 'publish-reason').fill('dearer airtime');
    await picture(page, 'price-rules-publish-1440');
    await by(page, 'publish-confirm').click();
    await until('the published price', async () => (await payable()) === 10_100, 5_000);
    await by(page, 'rules-version').waitFor();
    await page.setViewportSize(phone);
    await picture(page, 'price-rules-390');
    await page.setViewportSize(desktop);
    await page.emulateMedia({ colorScheme: 'dark' });

    await page.goto(`${shop.origin}/admin/products`);
    await by(page, 'product-cn-mobile-10000').waitFor();
    await picture(page, 'products-1440');
    const file = join(shop.data, 'products.csv');
    writeFileSync(file, 'product_id,on_sale\r\ncn-mobile-10000,no\r\nno-such-product,no\r\n');
    await page.locator('[data-test="goods-upload"]').setInputFiles(file);
    await by(page, 'trial-errors').waitFor();
    assert.ok(await by(page, 'trial-confirm').isDisabled());
    await picture(page, 'products-import-1440');
    await page.keyboard.press('Escape');
    await page.setViewportSize(phone);
    await picture(page, 'products-390');
    await page.setViewportSize(desktop);
    await by(page, 'tab-listings').click();
    await by(page, 'listings-approved').click();
    await picture(page, 'listings-1440');

    await page.goto(`${shop.origin}/admin/settings`);
    await by(page, 'setting-orders.max_unpaid_per_user').fill('7');
    await by(page, 'diff-orders.max_unpaid_per_user').waitFor();
    await picture(page, 'settings-1440');
    await by(page, 'settings-save').click();
    await by(page, 'settings-v1').waitFor();
    await page.setViewportSize(phone);
    await picture(page, 'settings-390');
    await page.setViewportSize(desktop);
    const stored = (await owner.call('GET', '/api/admin/settings')).json.settings;
    assert.equal(stored.find((row) => row.key === 'orders.max_unpaid_per_user').value, 7);

    await page.goto(`${shop.origin}/admin/suppliers`);
    await by(page, 'test-reloadly').click();
    await by(page, 'said-reloadly').waitFor();
    await picture(page, 'suppliers-1440');
    await page.goto(`${shop.origin}/admin/pins`);
    await by(page, 'pin-codes').fill('GOOD-12345\nno');
    await by(page, 'pin-errors').waitFor();
    await picture(page, 'pins-1440');
    assert.deepEqual(page.complaints(), []);
  } finally {
    await browser.close();
  }
});
