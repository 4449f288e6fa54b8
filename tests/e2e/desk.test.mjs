// A day at the desk, in a real browser against the real server: what waits, what may be done about it and by whom, refunds
// that two people decide, tables as files, books that sum to zero.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Buyer, Shop, until } from './support/shop.mjs';

const kPeople = ['lin', 'wei'];
const kHostile = '=HYPERLINK("http://127.0.0.1/x","win")';

let shop;
let browser;
let buyer;
let owner;
const staff = {};
const order = {};

class Person {
  static async signIn(name, password) {
    const person = new Person();
    Object.assign(person, { name, password });
    const answer = await person.call('POST', '/api/admin/session', { name, password });
    assert.equal(answer.status, 200, answer.text);
    return person;
  }
  async call(method, path, body) {
    const headers = { origin: shop.origin, 'idempotency-key': randomUUID(), ...(this.cookie ? { cookie: this.cookie } : {}) };
    const got = await shop.call(method, path, { headers, body });
    const set = got.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0];
    return got;
  }
  async get(path) {
    const got = await this.call('GET', path);
    assert.equal(got.status, 200, `${path}: ${got.text}`);
    return got.json;
  }
}

async function hire(name, roles) {
  const password = `a chair by the window ${kPeople.indexOf(name)}`;
  const added = (await owner.call('POST', '/api/admin/staff', { name, roles: [] })).json;
  const given = await owner.call('PUT', `/api/admin/staff/${added.staff_id}/roles`, { roles });
  assert.equal(given.status, 200, given.text);
  const first = await Person.signIn(name, added.password);
  const changed = await first.call('POST', '/api/admin/session/password', { old_password: added.password, new_password: password });
  assert.equal(changed.status, 200, changed.text);
  staff[name] = await Person.signIn(name, password);
  staff[name].id = added.staff_id;
}

async function open(person, path, options = {}) {
  const page = await openPage(browser, { viewport: desktop, expected: [/status of (401|403|409|422|429)/], ...options });
  await page.goto(`${shop.origin}/admin${path}`);
  await by(page, 'login-password').fill(person.password);
  await by(page, 'login-name').fill(person.name);
  await page.keyboard.press('Enter');
  await by(page, 'menu').or(by(page, 'me')).first().waitFor();
  return page;
}
const row = (page, key) => page.locator(`[data-test="work-${key}"]`);
async function clean(page) {
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
}
async function waiting(person, kind) {
  return until(`something of ${kind} waits`, async () =>
    (await person.get('/api/admin/work')).work.find((one) => one.kind === kind));
}

before(async () => {
  shop = await Shop.start({ speed: 20 });
  browser = await openBrowser();
  owner = await Person.signIn('owner', shop.password);
  await hire('lin', ['finance_director']);
  await hire('wei', ['support']);
  buyer = await Buyer.arrive(shop);
  order.delivered = (await buyer.buy('13800001234')).id;
  order.other = (await buyer.buy('13800005678')).id;
  order.stuck = (await buyer.buy('13800009005')).id;
  await buyer.reaches(order.delivered, 'succeeded');
  await buyer.reaches(order.other, 'succeeded');
  await buyer.reaches(order.stuck, 'unknown');
  const wish = await buyer.call('POST', `/api/v1/orders/${order.other}/refund-requests`, { body: { reason: 'wrong number' } });
  assert.equal(wish.status, 200, wish.text);
});
after(async () => {
  await browser?.close();
  const how = await shop?.stop();
  shop?.cleanup();
  assert.equal(how?.code, 0);
});

test('support sees what waits, asks the supplier, takes a case, and closes it with a reason', async () => {
  const unknown = await waiting(staff.wei, 'outcome_unknown');
  assert.equal(unknown.order_id, order.stuck);
  assert.deepEqual(unknown.deeds, ['query', 'open_order']);
  assert.equal(unknown.at_stake.minor, 9950);
  const wish = await waiting(staff.wei, 'refund_requested');
  const page = await open(staff.wei, '/queue');
  await row(page, unknown.key).waitFor();
  await row(page, wish.key).waitFor();
  await picture(page, 'desk-work');

  // Keys: the first row, its first button, and away again.
  await page.keyboard.press('j');
  await page.locator('li[aria-current="true"]').waitFor();
  while (!(await page.evaluate((key) => document.getElementById(`work-${key}`)?.getAttribute('aria-current'), unknown.key))) {
    await page.keyboard.press('j');
    await page.waitForFunction(() => document.querySelector('li[aria-current="true"]') !== null);
  }
  assert.match(page.url(), /item=order/);
  await page.keyboard.press('Enter');
  await row(page, unknown.key).locator('[data-test="deed-told"]').waitFor();

  const mine = row(page, wish.key);
  await mine.locator('[data-test="work-claim"]').click();
  await mine.locator('[data-test="work-release"]').waitFor();
  assert.equal((await waiting(owner, 'refund_requested')).owner, staff.wei.id);
  const held = await owner.call('POST', `/api/admin/work-items/${wish.id}/resolve`, { reason: 'not mine' });
  assert.equal(held.json.reason, 'work_item_taken');
  await mine.locator('[data-test="deed-resolve"]').click();
  assert.equal(await mine.locator('[data-test="deed-sure"]').isDisabled(), true, 'nothing is closed without a reason');
  await mine.locator('[data-test="deed-reason"]').fill('the buyer has it after all');
  await mine.locator('[data-test="deed-because"]').selectOption('as_ordered');
  await mine.locator('[data-test="deed-words"]').fill('您下单时填的就是这个号码');
  await picture(page, 'desk-work-reason');
  await mine.locator('[data-test="deed-sure"]').click();
  await mine.waitFor({ state: 'detached' });
  const [closed] = (await owner.get('/api/admin/work-items?state=resolved&kind=refund_requested')).work_items;
  assert.equal(closed.resolution, 'the buyer has it after all');

  // The buyer reads the answer and not what stays in the house, and nothing goes back at once.
  const told = await buyer.call('GET', `/api/v1/orders/${order.other}/refund-requests`);
  const { at_ms: saidAt, ...answer } = told.json.answer;
  assert.ok(saidAt > 0);
  assert.deepEqual(answer, { decision: 'declined', reason: 'as_ordered', words: '您下单时填的就是这个号码' });
  assert.deepEqual([told.json.requested, told.json.allowed, told.json.at_once, told.json.wishes_left], [false, true, false, 2]);
  assert.doesNotMatch(told.text, /the buyer has it after all/);
  for (const id of [order.other, order.stuck]) {
    const late = await buyer.call('POST', `/api/v1/orders/${id}/refund-requests`, { body: { reason: 'too late', at_once: true } });
    assert.deepEqual([late.status, late.json.reason], [409, 'refund_not_at_once'], late.text);
  }

  await page.setViewportSize(phone);
  await picture(page, 'desk-work-phone');
  await clean(page);
});

test('a refund names the amount and the person, and waits for somebody else', async () => {
  const page = await open(staff.wei, `/orders?order=${order.delivered}`);
  const deeds = by(page, 'order-deeds');
  const refund = deeds.locator('[data-test="deed-refund"]');
  await refund.waitFor();
  assert.equal((await refund.innerText()).trim(), '退款 ¥99.50 给 138****1234');
  await refund.click();
  assert.match(await deeds.innerText(), /可同意的人:(lin、owner|owner、lin)/);
  await deeds.locator('[data-test="deed-reason"]').fill('arrived at a stranger');
  await picture(page, 'desk-refund-ask');
  await deeds.locator('[data-test="deed-sure"]').click();
  await deeds.locator('[data-test="deed-told"]').waitFor();
  const approval = await waiting(owner, 'approval');
  assert.ok(approval.seconds.some((one) => one.name === 'lin'));
  assert.equal(approval.at_stake.minor, 9950);
  assert.equal(approval.account_masked, '138****1234');

  // Whoever asked cannot agree, by the page or by hand.
  const mine = (await staff.wei.get('/api/admin/work')).work.filter((one) => one.kind === 'approval');
  assert.deepEqual(mine.map((one) => [one.id, one.deeds]), [[approval.id, ['withdraw']]], 'their own, to take back and nothing else');
  const own = await staff.wei.call('POST', `/api/admin/approvals/${approval.id}/approve`, { body_hash: approval.body_hash });
  assert.equal(own.status, 403);
  await clean(page);
});

test('the maker is refused as the checker, the other person decides, and the money goes back', async () => {
  const asked = await owner.call('POST', `/api/admin/orders/${order.other}/refunds`, { reason: 'goodwill' });
  assert.equal(asked.status, 202, asked.text);
  const { work } = await owner.get('/api/admin/work');
  const own = work.find((one) => one.id === asked.json.approval_id);
  assert.deepEqual(own.deeds, ['reject'], 'the maker may only take it back');
  const refused = await owner.call('POST', `/api/admin/approvals/${own.id}/approve`, { body_hash: own.body_hash });
  assert.equal(refused.json.reason, 'approval_own');

  const page = await open(staff.lin, '/queue?group=second');
  const approval = work.find((one) => one.order_id === order.delivered && one.kind === 'approval');
  const waits = row(page, approval.key);
  await waits.locator('[data-test="deed-approve"]').click();
  await picture(page, 'desk-approve');
  assert.match(await waits.locator('[data-test="deed-sure"]').innerText(), /¥99\.50 138\*\*\*\*1234/);
  await waits.locator('[data-test="deed-sure"]').click();
  await waits.waitFor({ state: 'detached' });
  await buyer.reaches(order.delivered, 'refunded');
  await page.goto(`${shop.origin}/admin/refunds`);
  await page.locator('[data-test^="refund-"]').first().waitFor();
  assert.match(await page.locator('[data-test^="refund-"]').first().innerText(), /99\.50/);
  await picture(page, 'desk-refunds');
  await page.setViewportSize(phone);
  await picture(page, 'desk-refunds-phone');
  await clean(page);
});

test('what is refused says why, and only what is allowed is offered', async () => {
  const deeds = async (person, id) => (await person.get(`/api/admin/orders/${id}/deeds`)).deeds.map((one) => one.deed);
  assert.deepEqual(await deeds(staff.wei, order.stuck), ['query', 'note']);
  assert.deepEqual(await deeds(staff.lin, order.stuck), []);
  assert.deepEqual(await deeds(staff.wei, order.delivered), ['note']);
  assert.equal((await staff.wei.call('POST', `/api/admin/orders/${order.delivered}/query`)).json.reason, 'nothing_to_ask');
  assert.equal((await staff.lin.call('POST', `/api/admin/orders/${order.stuck}/query`)).json.reason, 'permission_missing');
  assert.equal((await staff.wei.call('GET', '/api/admin/ledger/journals')).json.reason, 'permission_missing');
  assert.equal((await staff.lin.call('GET', '/api/admin/ledger/journals?account=asset.invented')).json.reason, 'account_unknown');

  const page = await open(staff.wei, `/orders?order=${order.stuck}`);
  await by(page, 'order-deeds').locator('[data-test="deed-query"]').waitFor();
  assert.equal(await by(page, 'order-deeds').locator('[data-test="deed-refund"]').count(), 0);
  await by(page, 'order-map').locator('summary').click();
  await page.locator('[data-state="unknown"].now').waitFor();
  assert.equal(await page.locator('[data-test="taken-way"]').count(), 4, 'placed, paid, sent, unknown');
  await page.locator('[data-test="exchange"] summary').first().click();
  assert.doesNotMatch(await page.locator('[data-test="exchange"]').first().innerText(), /13800009005/);
  await picture(page, 'desk-order');
  await page.keyboard.press('Escape');
  await by(page, 'order-panel').waitFor({ state: 'hidden' });
  await page.goto(`${shop.origin}/admin/books`);
  await page.waitForURL(/forbidden/);
  await clean(page);
});

test('X21: what somebody typed is inert in the file, numbers are masked, and the file is in the trail', async () => {
  const noted = await staff.wei.call('POST', `/api/admin/orders/${order.stuck}/notes`, { text: kHostile });
  assert.equal(noted.status, 201, noted.text);
  const page = await open(staff.wei, '/orders?state=unknown');
  await page.locator(`[data-test="order-row-${order.stuck}"]`).waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), by(page, 'export').click()]);
  assert.match(file.suggestedFilename(), /^orders-.*\.csv$/);
  const text = readFileSync(await file.path(), 'utf8');
  const lines = text.split('\r\n');
  assert.equal(text.charCodeAt(0), 0xfeff);
  assert.equal(lines.length, 3, 'a head, one order, and the end');
  assert.match(lines[1], new RegExp(order.stuck));
  assert.match(lines[1], /"138\*\*\*\*9005"/);
  assert.doesNotMatch(text, /13800009005/);
  assert.ok(lines[1].endsWith(`"'${kHostile.replaceAll('"', '""')}"`), lines[1]);
  await by(page, 'exported').waitFor();

  // Saved views and columns stay with the person on this device.
  await by(page, 'view-ask').click();
  await by(page, 'view-name').fill('stuck');
  await by(page, 'view-save').click();
  await page.reload();
  await by(page, 'saved-view').waitFor();
  await by(page, 'columns').click();
  await by(page, 'column-operator').uncheck();
  await page.locator('th.operator').waitFor({ state: 'detached' });
  await by(page, `choose-${order.stuck}`).check();
  await by(page, 'bulk-query').click();
  await by(page, 'bulk-said').waitFor();
  await picture(page, 'desk-orders');
  await clean(page);

  for (const [query, wanted] of [[`channel=wechat&supplier=reloadly&state=unknown`, [order.stuck]], ['channel=alipay', []],
    ['kind=airtime&state=unknown', [order.stuck]], ['kind=fuel_card', []], [`q=${order.stuck}&supplier=dtone`, []]]) {
    assert.deepEqual((await staff.wei.get(`/api/admin/orders?${query}`)).orders.map((one) => one.order_id), wanted, query);
  }
  assert.equal((await staff.wei.call('GET', '/api/admin/orders?kind=shoes')).json.reason, 'out_of_range');
});

test('the books sum to zero, each account leads to its journals, and a file holds both sides', async () => {
  const page = await open(staff.lin, '/books');
  await by(page, 'trial-CNY').waitFor();
  assert.equal(await by(page, 'trial-CNY').innerText(), '借贷相等,合计为零');
  await by(page, 'books-checksum').waitFor();
  await picture(page, 'desk-books');
  await page.locator('[data-test="books-trial"] a').first().click();
  await page.locator('[data-test="booked-journal"]').first().waitFor();
  assert.match(page.url(), /account=/);
  await picture(page, 'desk-journals');
  const [file] = await Promise.all([page.waitForEvent('download'), by(page, 'export').click()]);
  assert.match(readFileSync(await file.path(), 'utf8'), /"payment"/);
  await clean(page);

  const all = (await staff.lin.get('/api/admin/ledger/journals')).journals;
  assert.deepEqual(all.map((one) => one.seq), [...all.map((one) => one.seq)].sort((a, b) => b - a));
  for (const { postings } of all) assert.equal(postings.reduce((sum, one) => sum + one.amount.minor, 0), 0);
  const part = (await staff.lin.get('/api/admin/ledger/journals?account=liability.customer_orders&template=refund')).journals;
  assert.ok(part.length > 0 && part.every((one) => one.template === 'refund'));
  assert.equal((await staff.lin.get(`/api/admin/ledger/journals/${all[0].journal_id}`)).seq, all[0].seq);
  assert.equal((await staff.lin.get('/api/admin/ledger/journals?to_ms=1000')).journals.length, 0);
});

test('an entry by hand above the limit waits for a second person', async () => {
  const page = await open(owner, '/books?tab=entry');
  await by(page, 'entry-kind').selectOption('settlement');
  for (const [field, value] of [['channel', 'wechat'], ['amount', '12.345'], ['reason', 'bank statement 7']]) await by(page, `entry-${field}`).fill(value);
  assert.equal(await by(page, 'entry-post').isDisabled(), true, 'no such amount');
  await by(page, 'entry-amount').fill('5000.00');
  await picture(page, 'desk-entry');
  await by(page, 'entry-post').click();
  await by(page, 'entry-done').waitFor();
  assert.match(await by(page, 'entry-done').innerText(), /复核/);
  await clean(page);
});

test('the first page counts what happened, and each number leads to its rows', async () => {
  const figures = await owner.get('/api/admin/figures');
  assert.equal(figures.today.orders, 3);
  assert.equal(figures.hours.reduce((sum, one) => sum + one.orders, 0), 3);
  assert.equal(figures.today.failed, 1, 'what was given back; the unpaid are not counted');
  const earned = await until('the books have come to the sale of today', async () => (
    (await owner.get('/api/admin/figures')).days.find((one) => one.day === figures.day && one.sales.minor > 0)), 25_000);
  const turnover = (account, currency) => async () => (await owner.get(`/api/admin/finance?from=${figures.day}`)).days
    .filter((one) => one.account.startsWith(account) && one.currency === currency)
    .reduce((sum, one) => sum + one.debit_minor - one.credit_minor, 0);
  const dollars = await turnover('cost.', 'USD')();
  assert.ok(dollars > 0, 'the supplier is paid in dollars');
  assert.equal(earned.converted, true);
  assert.equal(earned.sales.minor, -(await turnover('revenue.', 'CNY')()));
  assert.equal(earned.profit.minor, earned.sales.minor - earned.cost.minor);
  const yuan = (earned.cost.minor - (await turnover('cost.', 'CNY')())) / dollars;
  assert.ok(yuan > 5 && yuan < 10, `${yuan} yuan for a dollar`);
  const { suppliers, channels } = await owner.get('/api/admin/overview');
  const stock = suppliers.find((one) => one.name === 'stock');
  if (stock) assert.equal(stock.keeps_balance, false);
  assert.ok(suppliers.find((one) => one.name === 'reloadly').balance.minor > 0);
  assert.ok(channels.some((one) => one.name === 'wechat'));
  for (const [name, options] of [['zh-light', {}], ['zh-dark', { colorScheme: 'dark' }]]) {
    const page = await open(owner, '/', options);
    await by(page, 'chart-hours').locator('svg').waitFor();
    await by(page, 'channel-wechat').waitFor();
    await by(page, 'work-count').waitFor();
    await until('the profit is told as about right', async () => /^约\s*−?¥/.test(await by(page, 'profit').innerText()));
    assert.doesNotMatch(await by(page, 'suppliers').innerText(), /未回应/);
    await picture(page, `desk-home-${name}`);
    if (name === 'zh-dark') {
      await by(page, 'language').click();
      await page.getByText('Success rate').waitFor();
      await picture(page, 'desk-home-en-dark');
      for (const [at, path] of [['work', '/queue'], ['order', `/orders?order=${order.stuck}`], ['books', '/books'], ['refunds', '/refunds']]) {
        await page.goto(`${shop.origin}/admin${path}`);
        await page.waitForLoadState('networkidle');
        await picture(page, `desk-${at}-en-dark`);
      }
      await page.setViewportSize(phone);
      await page.goto(`${shop.origin}/admin/orders?order=${order.stuck}`);
      await by(page, 'order-deeds').waitFor();
      await picture(page, 'desk-order-phone-dark');
      await page.goto(`${shop.origin}/admin/`);
      await by(page, 'chart-hours').locator('svg').waitFor();
      await picture(page, 'desk-home-phone-dark');
    }
    await clean(page);
  }
});
