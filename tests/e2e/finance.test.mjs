// A day of finance, alone: a refund that the director agrees to, a bill that differs, books that sum to zero, a file of the
// journals; and whatever is not theirs has no button and gets 403.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { by, openBrowser, phone, picture } from './support/browser.mjs';
import { Colleague, leave } from './support/colleagues.mjs';
import { Buyer, Shop, binary, until } from './support/shop.mjs';

const today = () => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
let shop;
let browser;
let fay; // finance
let dora; // finance director
let owner;
let bought;
let buyer;

before(async () => {
  shop = await Shop.start({ speed: 20 });
  browser = await openBrowser();
  owner = await Colleague.owner(shop);
  fay = await owner.hire('fay', ['finance']);
  dora = await owner.hire('dora', ['finance_director']);
  buyer = await Buyer.arrive(shop);
  bought = await buyer.buy('13800001234');
  await buyer.reaches(bought.id, 'succeeded');
});
after(async () => {
  await browser?.close();
  const how = await shop?.stop();
  assert.equal(how?.code, 0);
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

test('A-12: finance asks for a refund, sees it wait, and cannot agree; the director does', async () => {
  const page = await fay.open(browser, `/orders?order=${bought.id}`);
  const deeds = by(page, 'order-deeds');
  await deeds.locator('[data-test="deed-refund"]').click();
  await deeds.locator('[data-test="deed-reason"]').fill('topped up a stranger');
  await deeds.locator('[data-test="deed-sure"]').click();
  await deeds.locator('[data-test="deed-told"]').waitFor();
  const [mine] = (await fay.get('/api/admin/work')).work.filter((row) => row.sort === 'approval');
  assert.deepEqual(mine.deeds, ['withdraw']);
  await fay.isRefused(['POST', `/api/admin/approvals/${mine.id}/approve`, { body_hash: mine.body_hash }], ['GET', '/api/admin/approvals']);
  await page.goto(`${shop.origin}/admin/queue?group=second`);
  const row = page.locator(`[data-test="work-${mine.key}"]`);
  await row.locator('[data-test="deed-withdraw"]').waitFor();
  assert.equal(await row.locator('[data-test="deed-approve"]').count(), 0);
  await picture(page, 'finance-waiting');

  const desk = await dora.open(browser, '/queue?group=second');
  const theirs = desk.locator(`[data-test="work-${mine.key}"]`);
  await theirs.locator('[data-test="deed-approve"]').click();
  assert.match(await theirs.locator('[data-test="deed-sure"]').innerText(), /¥99\.50 138\*\*\*\*1234/);
  await theirs.locator('[data-test="deed-sure"]').click();
  await theirs.waitFor({ state: 'detached' });
  await leave(desk);
  await buyer.reaches(bought.id, 'refunded');
  await page.goto(`${shop.origin}/admin/refunds`);
  await page.locator('[data-test^="refund-"]').first().waitFor();
  assert.match(await page.locator('[data-test^="refund-"]').first().innerText(), /99\.50/);
  await leave(page);
});

test('a difference between the bill and the books is settled with a reason, and suspense is empty again', async () => {
  const planted = await fetch(`${shop.wechat}/control/bill`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ plant: 'stranger', number: 'T-NOBODY-KNOWS', value: '777' }),
  });
  assert.equal(planted.status, 200, await planted.text());
  await shop.arm('wechat', 'early_bill');
  const asked = await fay.call('POST', '/api/admin/reconcile/runs', { party: 'wechat', day: today() });
  assert.equal(asked.status, 202, asked.text);
  await until('the day is compared', async () =>
    (await fay.get(`/api/admin/reconcile/runs/${asked.json.run_id}`)).kinds?.missing_ours === 1);
  const suspense = async () => (await fay.get('/api/admin/overview')).trial_balance
    .find((row) => row.account === 'liability.suspense')?.balance.minor ?? 0;
  assert.equal(await suspense(), -777);

  const page = await fay.open(browser, `/reconcile/${asked.json.run_id}`);
  const stranger = by(page, 'difference-missing_ours');
  await stranger.locator('[data-test="resolve-accept_theirs"]').click();
  assert.equal(await stranger.locator('[data-test="resolve-sure"]').isDisabled(), true, 'nothing is settled without a reason');
  await stranger.locator('[data-test="resolve-reason"]').fill('a tester paid it');
  await picture(page, 'finance-difference');
  await stranger.locator('[data-test="resolve-sure"]').click();
  await until('the difference is settled', async () => (await suspense()) === 0);
  const [settled] = (await fay.get(`/api/admin/reconcile/differences?run_id=${asked.json.run_id}&state=resolved`)).differences;
  assert.equal(settled.reason, 'a tester paid it');
  await leave(page);
});

test('the books sum to zero in every currency, and a file holds both sides of each journal', async () => {
  const page = await fay.open(browser, '/books');
  await by(page, 'trial-CNY').waitFor();
  for (const line of await page.locator('[data-test^="trial-"]').allInnerTexts()) assert.equal(line, '借贷相等,合计为零');
  await picture(page, 'finance-books');
  await by(page, 'books-journals').click();
  await page.locator('[data-test="booked-journal"]').first().waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), by(page, 'export').click()]);
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\r\n');
  assert.match(file.suggestedFilename(), /^journals-.*\.csv$/);
  assert.ok(lines.length > 8, `${lines.length} lines`);
  assert.ok(lines.some((line) => line.includes('a tester paid it') || line.includes('liability.suspense')), 'the settled difference is in it');
  await page.setViewportSize(phone);
  await picture(page, 'finance-books-phone');
  await leave(page);
});

test('A-01: what is not finance\'s has no button, no page and no route', async () => {
  const at = `/api/admin/orders/${bought.id}`;
  await fay.isRefused(
    ['POST', `${at}/query`], ['POST', `${at}/notes`, { text: 'x' }], ['POST', `${at}/review`, { decision: 'approve', reason: 'x' }],
    ['POST', `${at}/mark`, { outcome: 'delivered', evidence: 'x', reason: 'x' }],
    ['POST', `${at}/switch-supplier`, { supplier: 'dtone', reason: 'x' }], ['POST', `${at}/hand-over`, { reason: 'x' }],
    ['POST', `${at}/claim`, { reason: 'x' }], ['POST', `${at}/resend`, { reason: 'x' }],
    ['POST', '/api/admin/price-rules/publish', { version: 0, rules: [], reason: 'x' }], ['GET', '/api/admin/settings'],
    ['GET', '/api/admin/staff'], ['GET', '/api/admin/jobs'], ['GET', '/api/admin/customers'], ['GET', '/api/admin/price-rules'],
    ['GET', '/api/admin/audit'], ['POST', '/api/admin/staff', { name: 'mole', roles: ['owner'] }],
  );
  assert.deepEqual((await fay.get(`${at}/deeds`)).deeds.map((one) => one.deed).filter((deed) => deed !== 'refund'), []);

  const page = await fay.open(browser, '/');
  await by(page, 'nav-books').waitFor();
  for (const name of ['settings', 'staff', 'products', 'price-rules', 'customers', 'jobs', 'records', 'blacklist'])
    assert.equal(await page.locator(`[data-test="nav-${name}"]`).count(), 0, name);
  for (const name of ['orders', 'refunds', 'books', 'reconcile'])
    assert.equal(await page.locator(`[data-test="nav-${name}"]`).count(), 1, name);
  await page.goto(`${shop.origin}/admin/settings`);
  await by(page, 'forbidden').waitFor();
  await picture(page, 'finance-forbidden');
  await leave(page);
});
