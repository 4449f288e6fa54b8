// The log of suppliers (F006) in a real browser against the real server: found by who, what and how it ended, read on a phone,
// taken along as a file, and never with a number in clear.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { by, openBrowser, phone, picture } from './support/browser.mjs';
import { Colleague, leave } from './support/colleagues.mjs';
import { Buyer, Shop } from './support/shop.mjs';

let shop;
let browser;
let owner;
let olga; // operations
let mia; // marketing
const order = {};

before(async () => {
  shop = await Shop.start({ speed: 20 });
  browser = await openBrowser();
  owner = await Colleague.owner(shop);
  olga = await owner.hire('olga', ['operations']);
  mia = await owner.hire('mia', ['marketing']);
  const buyer = await Buyer.arrive(shop);
  order.delivered = (await buyer.buy('13800001234')).id;
  order.stuck = (await buyer.buy('13800009005')).id;  // never answered clearly by the rehearsed supplier
  await buyer.reaches(order.delivered, 'succeeded');
  await buyer.reaches(order.stuck, 'unknown');
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

const rows = (page) => page.locator('[data-test="exchange"]');

test('F006: what was asked and answered is found by outcome, order and attempt, and leads to its order', async () => {
  const page = await olga.open(browser, '/exchanges');
  await rows(page).first().waitFor();
  assert.ok(await rows(page).count() >= 2);
  await picture(page, 'exchanges-zh-1440');

  await by(page, 'exchanges-outcome').selectOption('unknown');
  await by(page, 'exchanges-go').click();
  await page.waitForURL(/outcome=unknown/);
  await rows(page).first().waitFor();
  const said = await rows(page).first().innerText();
  assert.match(said, /未知/);

  await by(page, 'exchanges-outcome').selectOption('');
  await by(page, 'exchanges-number').fill(order.delivered);
  await by(page, 'exchanges-go').click();
  await page.waitForURL(new RegExp(order.delivered));
  await page.waitForFunction((id) => [...document.querySelectorAll('[data-test="exchange-order"]')].every((link) => link.href.includes(id)), order.delivered);
  const attempt = (await owner.get(`/api/admin/orders/${order.delivered}`)).supplier_attempts[0].attempt_id;
  await by(page, 'exchanges-number').fill(` ${attempt} `);
  await by(page, 'exchanges-operation').selectOption('submit');
  await by(page, 'exchanges-go').click();
  await page.waitForURL(new RegExp(attempt));
  await page.waitForFunction(() => document.querySelectorAll('[data-test="exchange"]').length === 1);
  await rows(page).first().locator('summary').click();
  assert.match(await rows(page).first().innerText(), /138\*+1234/);
  assert.ok(!(await page.content()).includes('13800001234'), 'no number in clear');
  await picture(page, 'exchanges-open-zh-1440');
  await by(page, 'exchange-order').first().click();
  await by(page, 'order-outcome').or(page.locator('[data-test="order-trail"], [data-test="order-work"]')).first().waitFor();
  assert.match(page.url(), new RegExp(order.delivered));
  await leave(page);
});

test('F006: on a phone, in English, nothing scrolls sideways; nothing found says so; a file holds the same rows', async () => {
  const page = await olga.open(browser, '/exchanges', { viewport: phone, colorScheme: 'dark' });
  await by(page, 'language').click();
  await rows(page).first().waitFor();
  await rows(page).first().locator('summary').click();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `scrolls sideways by ${wide}`);
  await picture(page, 'exchanges-en-dark-390');
  await by(page, 'exchanges-supplier').selectOption('juhe');
  await by(page, 'exchanges-go').click();
  await by(page, 'list-empty').waitFor();
  assert.match(await by(page, 'list-empty').innerText(), /No request fits/);
  await leave(page);

  const file = await olga.call('GET', '/api/admin/exchanges/export?supplier=reloadly');
  const all = await olga.get('/api/admin/exchanges?supplier=reloadly');
  assert.equal(file.text.trim().split('\n').length - 1, all.rows.length);
  assert.match(file.text, /138\*+1234/);
  assert.ok(!file.text.includes('13800001234'));
  for (const wrong of ['outcome=lost', 'operation=cancel', 'slow_ms=-1', 'slow_ms=1e9', 'from_ms=99999999999999', `number=${'x'.repeat(65)}`]) {
    const refused = await olga.call('GET', `/api/admin/exchanges?${wrong}`);
    assert.deepEqual([refused.status, refused.json.reason, refused.json.field], [400, 'out_of_range', wrong.split('=')[0]], wrong);
  }
  const atSuppliers = await olga.open(browser, '/suppliers');
  await by(atSuppliers, 'log-reloadly').click();
  await atSuppliers.waitForURL(/exchanges\?supplier=reloadly/);
  await rows(atSuppliers).first().waitFor();
  await leave(atSuppliers);
  await mia.isRefused(['GET', '/api/admin/exchanges'], ['GET', '/api/admin/exchanges/export']);
});
