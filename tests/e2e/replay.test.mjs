// F006: what a supplier did with one order is taken along from its log and done again by the rehearsed supplier: the same
// outcomes in the same order, for every supplier, for a number that would otherwise succeed; by its desk page in a real browser.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { by, openBrowser, phone, picture } from './support/browser.mjs';
import { Colleague, leave } from './support/colleagues.mjs';
import { Buyer, Shop, until } from './support/shop.mjs';

const kOver = new Set(['succeeded', 'refunded']);

let shop;
let browser;
let owner;
let buyer;
const files = mkdtempSync(join(tmpdir(), 'topup replay '));

before(async () => {
  shop = await Shop.start({ speed: 20, config: '[orders]\nrepeat_window_ms = 0\nfirst_supplier_query_ms = 200\n' });
  browser = await openBrowser();
  owner = await Colleague.owner(shop);
  buyer = await Buyer.arrive(shop);
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
  rmSync(files, { recursive: true, force: true });
});

/** The one attempt of an order that has ended. */
async function attemptOf(order) {
  await until(`${order} is over`, async () => kOver.has((await buyer.order(order)).state), 60_000);
  const { supplier_attempts: attempts } = await owner.get(`/api/admin/orders/${order}`);
  assert.equal(attempts.length, 1);
  return attempts[0].attempt_id;
}
const logOf = (attempt) => owner.get(`/api/admin/exchanges/replay?attempt=${attempt}`);
/** How it went, without the looks that came too early to see anything: the world is quicker here than the log's. */
const course = (log) => log.exchanges.map(({ operation, outcome }) => `${operation} ${outcome}`).filter((one) => one !== 'query accepted');
const arm = (body) => fetch(`${shop.reloadly}/control`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

for (const [number, what] of [['13800009004', /^submit unknown, query succeeded$/], ['13800009001', /^submit rejected$/], ['13800009002', /^submit accepted, query rejected$/]]) {
  test(`F006: ${number.slice(-4)} goes the same way again`, async () => {
    const first = await logOf(await attemptOf((await buyer.buy(number)).id));
    assert.match(course(first).join(', '), what);
    assert.ok(!JSON.stringify(first).includes(number.slice(0, 7)), 'no number is in the file');
    const armed = await arm({ replay: first });
    assert.equal(armed.status, 200, await armed.clone().text());
    assert.equal((await armed.json()).replays, first.exchanges.filter(({ operation }) => operation === 'submit').length);
    const again = await logOf(await attemptOf((await buyer.buy('13800001234')).id));
    assert.deepEqual(course(again), course(first));
    const after = await logOf(await attemptOf((await buyer.buy('13800001234')).id));
    assert.deepEqual(course(after), ['submit accepted', 'query succeeded'], 'once, and no more');
  });
}

test('F006: at the supplier\'s desk the file is chosen, shown as waiting and cleared; another supplier\'s is refused in words', async () => {
  const order = (await buyer.buy('13800009001')).id;
  const attempt = await attemptOf(order);
  const console_ = await owner.open(browser, `/exchanges?number=${order}`);
  await by(console_, 'exchange').first().locator('summary').click();
  const [download] = await Promise.all([console_.waitForEvent('download'), by(console_, 'exchange-replay').first().click()]);
  assert.equal(download.suggestedFilename(), 'replay-reloadly.json');
  const mine = join(files, 'mine.json');
  await download.saveAs(mine);
  await leave(console_);

  const page = await (await browser.newContext({ viewport: phone })).newPage();
  await page.goto(`${shop.reloadly}/desk`);
  const waiting = (count) => page.waitForFunction((n) => document.getElementById('replays').dataset.waiting === n, String(count));
  await waiting(0);
  await page.setInputFiles('#replay-file', mine);
  await waiting(1);
  assert.match(await page.locator('#said').innerText(), /the next orders go the same way/);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `scrolls sideways by ${wide}`);
  await picture(page, 'rehearsal-replay-390');
  await page.locator('#replay-clear').click();
  await waiting(0);

  const other = join(files, 'other.json');
  writeFileSync(other, JSON.stringify({ ...await logOf(attempt), supplier: 'juhe' }));
  await page.setInputFiles('#replay-file', other);
  await page.getByText(/replay_of_another_party · supplier · juhe/).waitFor();
  writeFileSync(other, 'no JSON');
  await page.setInputFiles('#replay-file', other);
  await page.getByText(/replay_malformed/).waitFor();
  await page.context().close();
});

test('F006: a file of nobody\'s attempt is refused, and so is who may not read orders', async () => {
  for (const [query, status, reason] of [['', 400, 'missing_field'], ['?attempt=NOBODYS', 404, 'attempt_not_found'], [`?attempt=${'x'.repeat(65)}`, 400, 'out_of_range']]) {
    const refused = await owner.call('GET', `/api/admin/exchanges/replay${query}`);
    assert.deepEqual([refused.status, refused.json.reason, refused.json.field], [status, reason, 'attempt'], query);
  }
  const mia = await owner.hire('mia', ['marketing']);
  await mia.isRefused(['GET', '/api/admin/exchanges/replay?attempt=NOBODYS']);
});
