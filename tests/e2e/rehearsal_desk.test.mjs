// The pages at which a person causes the played parties' faults by hand, in a real browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Shop, until } from './support/shop.mjs';

let shop;
let browser;
before(async () => {
  shop = await Shop.start({ speed: 100 });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

const armedAt = async (origin, kind) => (
  (await (await fetch(`${origin}/control`)).json()).armed.find((one) => one.next === kind).count);
const askCode = (digits) => shop.call('POST', '/api/v1/sign-in/sms/code', { body: { phone: digits, purpose: 'sign_in' } });

test('a fault is armed and cleared by hand, and strikes the next case', async () => {
  const page = await openPage(browser);
  await page.goto(`${shop.sms}/desk`);
  const row = page.locator('[data-fault="refuse"]');
  await row.getByRole('spinbutton').fill('2');
  await row.getByRole('button', { name: '布置' }).click();
  await row.locator('[data-armed="2"]').waitFor();
  assert.equal(await armedAt(shop.sms, 'refuse'), 2);
  assert.equal((await askCode('13800004101')).json?.reason, 'sms_unavailable');
  assert.equal(await armedAt(shop.sms, 'refuse'), 1, 'one of the two has struck');
  await page.reload();
  await row.locator('[data-armed="1"]').waitFor();
  await row.getByRole('button', { name: '撤除' }).click();
  await row.locator('[data-armed="0"]').waitFor();
  assert.equal((await askCode('13800004102')).status, 202);

  await row.getByRole('spinbutton').fill('99999');
  await row.getByRole('button', { name: '布置' }).click();
  await until('the page says that it was refused', async () => /400/.test(await page.getByRole('status').first().textContent()));
  assert.equal(await armedAt(shop.sms, 'refuse'), 0);
  assert.deepEqual(page.complaints().filter((one) => !/status of 400/.test(one)), []);
  await page.context().close();
});

test('each party\'s page leads to the others, names its magic numbers, and takes any control', async () => {
  const page = await openPage(browser, { viewport: phone });
  await page.goto(`${shop.platform}/desk`);
  const names = await page.locator('nav a').allTextContents();
  assert.equal(names.length, 8, names.join(' '));
  for (const name of names) {
    await page.locator('nav a', { hasText: name }).click();
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    await page.locator('#faults li').first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${name} is wider than a phone`);
  }
  await page.locator('nav a', { hasText: 'reloadly' }).click();
  await page.getByText('RECIPIENT_PHONE_INACTIVE').waitFor();
  await picture(page, 'rehearsal-desk-phone');
  await page.getByLabel('路径').fill('/control');
  await page.getByLabel('JSON').fill('{"wallet_usd": 77}');
  await page.getByRole('button', { name: '发送' }).click();
  await until('the answer is shown', async () => /^200/.test(await page.locator('#answer').textContent()));
  await page.locator('nav a', { hasText: 'wechat_pay' }).click();
  await page.locator('#faults li').first().waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
  await picture(page, 'rehearsal-desk');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});
