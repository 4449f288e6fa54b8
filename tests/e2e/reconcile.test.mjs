// F037, F038: orders that were paid and delivered, bills that say otherwise, and what people do about it: over real HTTP,
// with the real binary, and the books proved at the end.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Buyer, Shop, binary, until } from './support/shop.mjs';

const today = () => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
const quick = '[orders]\npay_within_ms = 60000\nfirst_supplier_query_ms = 300\n';
let shop;
let staff;
let bought = [];

const post = (path, body) => shop.call('POST', path, { body, headers: { cookie: staff.cookie, origin: shop.origin } });
const control = async (party, path, body) => {
  const answer = await fetch(`${shop[party]}${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
};
const plant = (what) => control('wechat', '/control/bill', what);

/** The run as it is after one more comparison. */
async function compare(party, state = 'matched') {
  const day = today();
  if (party.startsWith('wechat')) await shop.arm('wechat', 'early_bill');
  const asked = await post('/api/admin/reconcile/runs', { party, day });
  assert.equal(asked.status, 202, asked.text);
  const { tries } = asked.json;
  return until(`${party} ${day} is compared`, async () => {
    const run = await staff.get(`/api/admin/reconcile/runs/${asked.json.run_id}`);
    return run.tries > tries && run.state === state ? run : null;
  });
}
async function differences(party, state = 'open') {
  const page = await staff.get(`/api/admin/reconcile/differences?run_id=${party}.${today()}&state=${state}`);
  return page.differences;
}
const resolve = (row, resolution, reason = 'looked into it') => (
  post(`/api/admin/reconcile/differences/${row.difference_id}/resolve`, { resolution, reason }));

before(async () => {
  shop = await Shop.start({ config: quick, speed: 5 });
  staff = await shop.signIn();
  const buyer = await Buyer.arrive(shop);
  for (const digits of ['13800001230', '13800001231', '13800001232', '13800001233']) {
    const one = await buyer.buy(digits);
    await buyer.reaches(one.id, 'succeeded');
    bought.push(one);
  }
});
after(async () => {
  const how = await shop.stop();
  assert.equal(how.code, 0);
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

test('a bill that is not made yet waits and says why', async () => {
  const asked = await post('/api/admin/reconcile/runs', { party: 'wechat', day: today() });
  assert.equal(asked.status, 202);
  const run = await until('the run was tried', async () => {
    const now = await staff.get(`/api/admin/reconcile/runs/${asked.json.run_id}`);
    return now.tries > 0 ? now : null;
  });
  assert.equal(run.state, 'waiting');
  assert.equal(run.why, 'STATEMENT_CREATING');
  assert.deepEqual(await differences('wechat'), []);
});

test('a day that agrees: every line, the fees booked once, nothing open', async () => {
  const run = await compare('wechat');
  assert.equal(run.lines, 4);
  assert.equal(run.agreed, 4);
  assert.equal(run.open, 0);
  assert.equal(run.totals[0].in.minor, 4 * 9950);
  assert.equal(run.totals[0].fees.minor, -4 * 60);
  await compare('wechat');
  const trial = (await staff.get('/api/admin/overview')).trial_balance;
  const balance = (account) => trial.find((row) => row.account === account)?.balance.minor;
  assert.equal(balance('cost.channel_fees.wechat'), 4 * 60);
  assert.equal(balance('asset.channel_clearing.wechat'), 4 * (9950 - 60));
});

test('a supplier\'s statement agrees with what its deliveries cost', async () => {
  const run = await compare('reloadly');
  assert.equal(run.lines, 4);
  assert.equal(run.agreed, 4);
  assert.equal(run.open, 0);
});

test('differences that are planted are seen, resolved with a reason, and the books hold', async () => {
  await plant({ plant: 'leave_out', number: bought[0].outTradeNo });
  await plant({ plant: 'amount', number: bought[1].outTradeNo, value: '-50' });
  await plant({ plant: 'twice', number: bought[2].outTradeNo });
  await plant({ plant: 'stranger', number: 'T-NOBODY-KNOWS', value: '777' });
  await plant({ plant: 'fee', number: bought[3].outTradeNo, value: '70' });
  const run = await compare('wechat');
  assert.deepEqual(run.kinds, { amount_differs: 1, duplicate_theirs: 1, fee_differs: 1, missing_ours: 1, missing_theirs: 1 });
  const open = await differences('wechat');
  const of = (kind) => open.find((row) => row.kind === kind);
  assert.equal(of('missing_theirs').suspense.minor, -9950);
  assert.equal(of('amount_differs').suspense.minor, -50);
  assert.equal(of('duplicate_theirs').suspense.minor, 9950);
  assert.equal(of('missing_ours').suspense.minor, 777);
  assert.equal(of('missing_theirs').order_id, bought[0].id);
  assert.deepEqual(of('missing_ours').actions, ['accept_theirs', 'settle_later']);
  const suspense = async () => (await staff.get('/api/admin/overview')).trial_balance
    .find((row) => row.account === 'liability.suspense')?.balance.minor ?? 0;
  assert.equal(await suspense(), -open.reduce((sum, row) => sum + row.suspense.minor, 0));

  const again = await compare('wechat');
  assert.equal(again.open, 5, 'compared again, the same');
  assert.equal((await post('/api/admin/reconcile/differences/nobody/resolve', { resolution: 'note', reason: 'x' })).status, 404);
  assert.equal((await resolve(of('missing_ours'), 'note')).json.reason, 'resolution_not_offered');
  assert.equal((await resolve(of('missing_ours'), 'accept_theirs', ' ')).json.reason, 'reason_missing');
  const done = await resolve(of('missing_ours'), 'accept_theirs', 'a tester paid it');
  assert.equal(done.status, 200, done.text);
  assert.equal(done.json.state, 'resolved');
  assert.equal(done.json.reason, 'a tester paid it');
  assert.equal((await resolve(of('missing_ours'), 'accept_theirs')).json.reason, 'difference_resolved');
  assert.equal((await resolve(of('amount_differs'), 'settle_later')).status, 200);
  assert.equal((await resolve(of('fee_differs'), 'accept_theirs')).status, 200);
  assert.equal(await suspense(), 0 - 9950 + 9950);
  assert.equal((await differences('wechat')).length, 2);

  await plant({ plant: 'none' });
  const healed = await compare('wechat');
  assert.ok(healed.agreed === 4);
  const left = await differences('wechat');
  // What was accepted is corrected by them after all: that is told, the rest is gone by itself.
  assert.deepEqual(left.map((row) => row.kind).sort(), ['fee_differs', 'missing_ours']);
  for (const row of left) assert.equal((await resolve(row, 'accept_theirs', 'they corrected it')).status, 200);
  assert.equal(await suspense(), 0);
});

test('a payment that only the bill knows is asked for again and reaches its order', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800001299')).json;
  const ticket = (await buyer.pay(order.order_id)).json;
  await shop.arm('wechat', 'drop_notifications');
  await shop.payAtSheet(ticket.out_trade_no);
  await compare('wechat');
  const [row] = await differences('wechat');
  if (row !== undefined) {  // unless the shop's own query was faster
    assert.equal(row.kind, 'state_differs');
    assert.equal((await resolve(row, 'query_again')).status, 200);
  }
  await buyer.reaches(order.order_id, 'succeeded');
  await compare('wechat');
  assert.deepEqual(await differences('wechat'), []);
});

test('the console shows the days, what differs on each side, and settles a difference with a reason', { timeout: 120_000 }, async () => {
  await plant({ plant: 'amount', number: bought[0].outTradeNo, value: '-75' });
  await plant({ plant: 'stranger', number: 'T-NOBODY-KNOWS-EITHER', value: '888' });
  await compare('wechat');
  const run = `wechat.${today()}`;
  const browser = await openBrowser();
  for (const [viewport, name, locale] of [[desktop, 'desktop', 'zh-CN'], [phone, 'phone', 'en-US']]) {
    const page = await openPage(browser, { viewport, locale, expected: [/status of 401/] });
    await page.goto(`${shop.origin}/admin/reconcile`);
    await page.locator('input[type=password]').waitFor();
    await page.locator('input').first().fill('owner');
    await page.locator('input[type=password]').fill(shop.password);
    await page.keyboard.press('Enter');
    const row = page.locator(`[data-test="run-${run}"]`);
    await row.waitFor();
    await picture(page, `console-reconcile-${name}`);
    await row.locator('a').click();
    await by(page, 'difference-amount_differs').waitFor();
    await picture(page, `console-reconcile-run-${name}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name}: the page is ${wide} px too wide`);
    if (viewport === desktop) {
      const stranger = by(page, 'difference-missing_ours');
      await stranger.locator('[data-test="resolve-accept_theirs"]').click();
      await stranger.locator('[data-test="resolve-reason"]').fill('a tester paid it');
      await picture(page, `console-reconcile-sure-${name}`);
      await stranger.locator('[data-test="resolve-sure"]').click();
      await stranger.waitFor({ state: 'detached' });
    }
    assert.deepEqual(page.complaints(), []);
  }
  await browser.close();
  const [left, ...more] = await differences('wechat');
  assert.equal(left.kind, 'amount_differs');
  assert.deepEqual(more, []);
  const settled = (await differences('wechat', 'resolved')).find((row) => row.number === 'T-NOBODY-KNOWS-EITHER');
  assert.equal(settled.reason, 'a tester paid it');
  await plant({ plant: 'none' });
  await compare('wechat');
  for (const row of await differences('wechat')) assert.equal((await resolve(row, 'accept_theirs')).status, 200);
});

test('the fund flow of a day agrees; what it alone says otherwise is seen, settled with one click, and the books follow it', { timeout: 120_000 }, async () => {
  const waiting = (await staff.get('/api/admin/reconcile/runs')).parties;
  assert.deepEqual(waiting.slice(0, 2), ['wechat', 'wechat_funds']);
  const trade = await compare('wechat');
  assert.equal(trade.open, 0);
  assert.equal(trade.balance, null);
  const whole = trade.totals.reduce((sum, total) => sum + total.in.minor + total.out.minor + total.fees.minor, 0);
  const run = await compare('wechat_funds');
  assert.equal(run.agreed, trade.agreed);
  assert.equal(run.open, 0);
  assert.equal(run.balance.minor, whole);

  await plant({ plant: 'amount', number: bought[0].outTradeNo, value: '-50', bill: 'funds' });
  await plant({ plant: 'leave_out', number: bought[1].outTradeNo, bill: 'funds' });
  await plant({ plant: 'withdraw', number: 'W-TO-THE-BANK', value: '3000' });
  const planted = await compare('wechat_funds');
  assert.deepEqual(planted.kinds, { amount_differs: 1, missing_ours: 1, missing_theirs: 1 });
  assert.equal(planted.balance.minor, whole - 50 - 9890 - 3000);
  assert.equal((await compare('wechat_funds')).open, 3, 'compared again, the same');
  assert.deepEqual(await differences('wechat'), []);
  const browser = await openBrowser();
  for (const [viewport, name, locale] of [[desktop, 'desktop', 'zh-CN'], [phone, 'phone', 'en-US']]) {
    const page = await openPage(browser, { viewport, locale, expected: [/status of 401/] });
    await page.goto(`${shop.origin}/admin/reconcile`);
    await page.locator('input[type=password]').waitFor();
    await page.locator('input').first().fill('owner');
    await page.locator('input[type=password]').fill(shop.password);
    await page.keyboard.press('Enter');
    const row = page.locator(`[data-test="run-wechat_funds.${today()}"]`);
    await row.waitFor();
    assert.match(await row.innerText(), /微信支付资金账单/);
    await row.locator('a').click();
    await by(page, 'run-balance').waitFor();
    const withdrawn = by(page, 'difference-missing_ours');
    if (viewport === desktop) {
      await withdrawn.waitFor();
      assert.match(await withdrawn.innerText(), /提现/);
    }
    await picture(page, `console-reconcile-funds-${name}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name}: the page is ${wide} px too wide`);
    if (viewport === desktop) {
      await withdrawn.locator('[data-test="resolve-accept_theirs"]').click();
      await withdrawn.locator('[data-test="resolve-reason"]').fill('the bank shows it');
      await withdrawn.locator('[data-test="resolve-sure"]').click();
      await withdrawn.waitFor({ state: 'detached' });
    }
    assert.deepEqual(page.complaints(), []);
  }
  await browser.close();
  const balance = async (account) => (await staff.get('/api/admin/overview')).trial_balance
    .find((row) => row.account === account)?.balance.minor ?? 0;
  assert.equal(await balance('asset.bank'), 3000);
  assert.equal(await balance('asset.channel_clearing.wechat'), whole - 50 - 9890 - 3000);
  for (const row of await differences('wechat_funds')) assert.equal((await resolve(row, 'accept_theirs')).status, 200);
  assert.deepEqual((await compare('wechat_funds')).open, 0);
  assert.equal(await balance('liability.suspense'), 0);

  // They mend it after all: that is told as well, and the withdrawal was none.
  await plant({ plant: 'none' });
  await compare('wechat_funds');
  for (const row of await differences('wechat_funds')) assert.equal((await resolve(row, 'accept_theirs', 'they mended it')).status, 200);
  assert.equal(await balance('asset.bank'), 0);
  assert.equal(await balance('asset.channel_clearing.wechat'), whole);
});

test('somebody without the permission sees nothing and changes nothing', async () => {
  assert.equal((await shop.call('GET', '/api/admin/reconcile/runs')).status, 401);
  for (const body of [{}, { party: 'wechat' }, { party: 'wechat', day: 'soon' }, { party: 'nobody', day: today() }, { party: 'wechat', day: '2999-01-01' }]) {
    const got = await post('/api/admin/reconcile/runs', body);
    assert.ok([400, 404, 422].includes(got.status), JSON.stringify(body));
  }
});

test('the command compares a shop that stands still', async () => {
  await shop.stop();
  const told = spawnSync(binary, ['reconcile', '--data', shop.data, '--day', 'yesterday'], { encoding: 'utf8' });
  assert.equal(told.status, 1);
  const due = spawnSync(binary, ['reconcile', '--data', shop.data], { encoding: 'utf8' });
  assert.equal(due.status, 0, due.stdout + due.stderr);
  assert.match(due.stdout, /0 open differences/);
  await shop.run();
  staff = await shop.signIn();
});
