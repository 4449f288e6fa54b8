// Staff deal with people: freezing, the blacklist, looking at what is masked, operation records, the search over all.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Buyer, Shop, until } from './support/shop.mjs';

const kExpected = [/Failed to load resource.*(400|401|403|404|409|422|429)/];
const kHostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>{{constructor.constructor("window.hacked=1")()}}';

class Colleague {
  static async signIn(shop, name, password) {
    const one = new Colleague();
    one.shop = shop;
    one.name = name;
    one.password = password;
    const got = await one.call('POST', '/api/admin/session', { name, password });
    assert.equal(got.status, 200, got.text);
    return one;
  }
  async call(method, path, body) {
    const headers = { origin: this.shop.origin, ...(this.cookie ? { cookie: this.cookie } : {}) };
    const got = await this.shop.call(method, path, { headers, body });
    const set = got.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0];
    return got;
  }
}

async function hire(shop, owner, name, roles) {
  const added = await owner.call('POST', '/api/admin/staff', { name, roles });
  assert.equal(added.status, 201, added.text);
  const one = await Colleague.signIn(shop, name, added.json.password);
  const password = 'keeps the shop in order 7';
  const changed = await one.call('POST', '/api/admin/session/password', { old_password: added.json.password, new_password: password });
  assert.equal(changed.status, 200, changed.text);
  one.password = password;
  return one;
}

async function consoleOf(browser, who, path, options = {}) {
  const page = await openPage(browser, { viewport: desktop, expected: kExpected, ...options });
  await page.goto(`${who.shop.origin}/admin/`);
  await by(page, 'login-name').fill(who.name);
  await by(page, 'login-password').fill(who.password);
  await by(page, 'login-submit').click();
  await page.waitForURL(/\/admin\/(?!sign-in)/);
  await page.goto(`${who.shop.origin}/admin/${path}`);
  return page;
}

let shop;
let owner;
let support;
let risk;
let auditor;
let browser;
before(async () => {
  shop = await Shop.start({});
  owner = await Colleague.signIn(shop, 'owner', shop.password);
  support = await hire(shop, owner, 'support.li', ['support']);
  risk = await hire(shop, owner, 'risk.wu', ['risk']);
  auditor = await hire(shop, owner, 'auditor.he', ['auditor']);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop.stop();
  shop.cleanup();
});

test('support freezes a buyer, who then can neither place nor pay but sees the order; thawed, both work', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800138000')).json;
  const user = (await support.call('GET', '/api/admin/customers?q=8000')).json.customers[0].user_id;

  const page = await consoleOf(browser, support, `customers?user=${user}`);
  await by(page, 'freeze').click();
  assert.equal(await by(page, 'freeze-go').isDisabled(), true, 'no freezing without a reason');
  await by(page, 'freeze-reason').fill(kHostile);
  await by(page, 'freeze-go').click();
  await by(page, 'customer-frozen').waitFor();
  await picture(page, 'people-customer-frozen-1440');

  assert.equal((await buyer.place('13900139000')).json.reason, 'account_frozen');
  assert.equal((await buyer.pay(order.order_id)).json.reason, 'account_frozen');
  assert.equal((await buyer.order(order.order_id)).order_id, order.order_id);

  await by(page, 'note-text').fill(kHostile);
  await by(page, 'note-add').click();
  await by(page, 'note').waitFor();
  assert.ok((await by(page, 'note').innerText()).includes('<script>'), 'shown as text');
  await by(page, 'unfreeze').click();
  await by(page, 'unfreeze-reason').fill('talked to them');
  await by(page, 'unfreeze-go').click();
  await by(page, 'freeze').waitFor();
  assert.equal((await buyer.pay(order.order_id)).status, 200);
  assert.equal((await buyer.place('13900139000')).status, 201);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('looking at a masked number needs a reason, shows it, and leaves a record; an auditor may not', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13700137001')).json;
  const user = (await support.call('GET', `/api/admin/customers?q=${order.order_id}`)).json.customers[0].user_id;
  const path = `/api/admin/customers/${user}/reveal`;
  assert.equal((await support.call('POST', path, { order_id: order.order_id, reason: '  ' })).json.reason, 'reason_missing');
  assert.equal((await auditor.call('POST', path, { order_id: order.order_id, reason: 'x' })).json.reason, 'permission_missing');
  assert.equal((await support.call('POST', path, { order_id: 'nobody', reason: 'x' })).json.reason, 'order_not_found');

  const page = await consoleOf(browser, support, `customers?user=${user}`);
  assert.equal((await by(page, 'customer-panel').innerText()).includes('13700137001'), false);
  await by(page, 'reveal-recipient').click();
  await by(page, 'reveal-recipient-reason').fill('buyer asks about this number');
  await by(page, 'reveal-recipient-go').click();
  await page.getByText('+8613700137001').waitFor();
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
  const rows = (await auditor.call('GET', `/api/admin/audit?subject=${user}`)).json.rows;
  assert.equal(rows[0].action, 'personal_data.revealed');
  assert.match(rows[0].detail, /buyer asks about this number/);
  assert.equal(rows[0].actor_name, 'support.li');
});

test('the blacklist: a file with bad rows, effective at once, told to the buyer without its rule, gone when removed', async () => {
  const csv = ['kind,subject,reason,expires', 'phone,13600136000,fraud,', 'phone,12,too short,', 'ip,203.0.113.*,"=cmd|calc, a formula",2099-01-01',
    'device,xyz,no code,', 'phone,13600136000,twice,', 'card,,nothing,', 'ip,10.0.0.1,bad day,2099-13-40'].join('\r\n');
  const page = await consoleOf(browser, risk, 'blacklist');
  await by(page, 'blacklist-file').click();
  await by(page, 'import-file').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await by(page, 'import-reason').fill('from the partner');
  await by(page, 'import-trial').click();
  await by(page, 'import-report').waitFor();
  assert.equal((await risk.call('GET', '/api/admin/blacklist')).json.entries.length, 0, 'a trial enters nothing');
  await by(page, 'import-go').click();
  await until('two entries', async () => (await risk.call('GET', '/api/admin/blacklist')).json.entries.length === 2);
  await by(page, 'import-report').locator('li').nth(3).waitFor();  // the server has them before the page hears of it
  assert.equal(await by(page, 'import-report').locator('li').count(), 4);
  await picture(page, 'people-blacklist-1440');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();

  const buyer = await Buyer.arrive(shop);
  assert.equal((await buyer.quote('13600136000')).json.reason, 'account_blocked');
  const seen = (await buyer.quote('13600136001')).json.fingerprint;
  const forced = await buyer.place('13600136000', { fingerprint: seen });
  assert.equal(forced.json.reason === 'account_blocked' || forced.json.reason === 'price_changed', true);
  const out = (await risk.call('POST', '/api/admin/blacklist/export', { reason: 'monthly check' })).json.csv;
  assert.match(out, /ip,203\.0\.113\.0\/24,"'=cmd\|calc, a formula",2099-01-01/);
  assert.match(out, /phone,'\+8613600136000,fraud,/);

  const [entry] = (await risk.call('GET', '/api/admin/blacklist?q=13600136000')).json.entries;
  assert.equal(entry.subject.includes('13600136000'), false);
  assert.equal((await risk.call('POST', `/api/admin/blacklist/${entry.entry_id}/end`, { reason: 'a mistake' })).status, 200);
  assert.equal((await buyer.quote('13600136000')).status, 200);
});

test('a blocked user, device or address may not place or pay, and hears one and the same refusal', async () => {
  const device = 'device-of-a-test-0001';
  const got = await shop.call('POST', '/api/v1/sessions', { headers: { 'x-device-id': device } });
  const buyer = Object.assign(new Buyer(), { shop, token: got.json.token });
  const order = (await buyer.place('13500135001')).json;
  const user = got.json.user_id;
  const [session] = (await risk.call('GET', `/api/admin/customers/${user}`)).json.sessions;
  assert.match(session.device_code, /^[0-9a-f]{16}$/);
  const block = (kind, subject) => risk.call('POST', '/api/admin/blacklist', { kind, subject, reason: 'test' });
  const pay = (id) => buyer.call('POST', `/api/v1/orders/${id}/payments`, {
    headers: { 'idempotency-key': crypto.randomUUID(), 'x-device-id': device }, body: { channel: 'wechat', scene: 'h5' } });
  for (const [kind, subject] of [['user', user], ['device', session.device_code]]) {
    const entry = (await block(kind, subject)).json;
    assert.equal((await pay(order.order_id)).json.reason, 'order_not_accepted', kind);
    assert.equal((await block(kind, subject)).json.reason, 'already_listed');
    await risk.call('POST', `/api/admin/blacklist/${entry.entry_id}/end`, { reason: 'done' });
  }
  assert.equal((await pay(order.order_id)).status, 200);
  assert.equal((await block('user', 'nobody-at-all')).json.reason, 'user_not_found');
  assert.equal((await block('ip', '10.0.0.0/8')).json.reason, 'subject_malformed', 'half the world is no entry');
});

test('an auditor reads everything and changes nothing; records show before and after, and the chain holds', async () => {
  for (const path of ['customers', 'blacklist', 'audit', 'audit/chain', 'staff/sign-ins', 'staff/sessions', 'visits', 'search?q=8000', 'permissions']) {
    assert.equal((await auditor.call('GET', `/api/admin/${path}`)).status, 200, path);
  }
  const user = (await auditor.call('GET', '/api/admin/customers?q=8000')).json.customers[0].user_id;
  for (const path of [`customers/${user}/freeze`, `customers/${user}/notes`, `customers/${user}/end-sessions`, 'blacklist', 'blacklist/export', 'blacklist/import']) {
    assert.equal((await auditor.call('POST', `/api/admin/${path}`, { reason: 'x' })).json.reason, 'permission_missing', path);
  }
  assert.equal((await support.call('GET', '/api/admin/audit')).json.reason, 'permission_missing');

  await shop.call('POST', '/api/admin/session', { headers: { origin: shop.origin }, body: { name: 'auditor.he', password: 'wrong' } });
  const page = await consoleOf(browser, auditor, `records?subject=${user}&scope=all`);
  const row = page.locator('[data-test="record"]', { hasText: '解冻客户' }).first();
  await row.locator('[data-test="record-open"]').click();
  const details = await by(page, 'record-details').innerText();
  assert.match(details, /frozen/);
  await by(page, 'chain-verify').click();
  await page.getByText('完整').first().waitFor();
  assert.equal((await auditor.call('GET', '/api/admin/audit/chain')).json.state, 'holds');
  await picture(page, 'people-records-1440');
  await page.goto(`${shop.origin}/admin/sign-ins?outcome=refused`);
  await page.locator('[data-test="sign-in-row"]', { hasText: 'auditor.he' }).first().waitFor();
  await picture(page, 'people-sign-ins-1440');
  await page.goto(`${shop.origin}/admin/visits`);
  await by(page, 'visit-bars').waitFor();
  await picture(page, 'people-visits-1440');
  assert.equal(await by(page, 'blacklist-add').count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();

  const file = await auditor.call('GET', '/api/admin/audit/export?action=customer.');
  assert.match(file.headers.get('content-type'), /text\/csv/);
  assert.match(file.text, /customer\.frozen/);
});

test('Ctrl-K finds an order by the end of its number and opens it, by the keyboard alone; a closed page says who opens it', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13400137777')).json;
  const page = await consoleOf(browser, support, 'customers', { colorScheme: 'dark' });
  await by(page, 'customer-row').waitFor();
  await page.keyboard.press('Control+k');
  await by(page, 'search-field').waitFor();
  await page.keyboard.type('7777');
  await by(page, 'hit-orders').waitFor();
  await picture(page, 'people-search-1440');
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`order=${order.order_id}`));
  await page.goto(`${shop.origin}/admin/customers`);
  await by(page, 'customer-row').waitFor();
  await page.keyboard.press('?');
  await by(page, 'help-sheet').waitFor();
  await picture(page, 'people-help-1440');
  await page.keyboard.press('Escape');
  await by(page, 'help-sheet').waitFor({ state: 'hidden' });
  await page.keyboard.press('g');
  await page.keyboard.press('b');
  await page.waitForURL(/\/admin\/blacklist/);
  await page.goto(`${shop.origin}/admin/records`);
  await by(page, 'forbidden-need').waitFor();
  await by(page, 'forbidden-givers').waitFor();
  assert.match(await by(page, 'forbidden').innerText(), /查看操作记录[\s\S]*审计[\s\S]*owner/);
  await picture(page, 'people-forbidden-1440');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
  assert.deepEqual((await auditor.call('GET', '/api/admin/search?q=7777')).json.settings, []);
  const risks = (await risk.call('GET', '/api/admin/search?q=orders.')).json;
  assert.deepEqual(risks.settings, [], 'settings only for who may read them');
});

test('on a phone the pages stand in one column', async () => {
  const page = await consoleOf(browser, owner, 'customers', { viewport: phone });
  await by(page, 'customer-row').waitFor();
  await picture(page, 'people-customers-390');
  for (const name of ['blacklist', 'records', 'visits', 'sign-ins']) {
    await page.goto(`${shop.origin}/admin/${name}`);
    await page.locator('h1').waitFor();
    await page.waitForLoadState('networkidle');
    await picture(page, `people-${name}-390`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
  }
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});
