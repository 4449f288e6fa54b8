// F029: what Alipay offers beside the web page: people who sign in inside its app and pay there, and its bills, which are
// compared with the books like WeChat Pay's, with differences planted in them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Buyer, Shop, binary, books, sumsToZero, until } from './support/shop.mjs';

const today = () => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
const mini = { channel: 'alipay', scene: 'alipay_mini' };
let shop;
let staff;
let bought = [];

const post = (path, body) => shop.call('POST', path, { body, headers: { cookie: staff.cookie, origin: shop.origin } });
const control = async (path, body) => {
  const answer = await fetch(`${shop.alipay}${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(answer.status, 200);
  return answer.json();
};
const codeOf = async (openId) => (await control('/control/auth-code', { open_id: openId })).auth_code;
const signIn = (code, token) => shop.call('POST', '/api/v1/sign-in/alipay-mini', {
  body: { code }, headers: token ? { authorization: `Bearer ${token}` } : {} });

/** Who this open_id is, and the session it has now. */
async function person(openId) {
  const answer = await signIn(await codeOf(openId));
  assert.equal(answer.status, 200, answer.text);
  const buyer = new Buyer();
  return Object.assign(buyer, { shop, token: answer.json.token, userId: answer.json.user_id });
}
async function compare(party = 'alipay', state = 'matched') {
  await shop.arm('alipay', 'early_bill');
  const asked = await post('/api/admin/reconcile/runs', { party, day: today() });
  assert.equal(asked.status, 202, asked.text);
  return until(`${party} ${today()} is compared`, async () => {
    const run = await staff.get(`/api/admin/reconcile/runs/${asked.json.run_id}`);
    return run.tries > asked.json.tries && run.state === state ? run : null;
  });
}
const differences = async (party = 'alipay') => (
  await staff.get(`/api/admin/reconcile/differences?run_id=${party}.${today()}&state=open`)).differences;
const resolve = (row, resolution, reason = 'looked into it') => (
  post(`/api/admin/reconcile/differences/${row.difference_id}/resolve`, { resolution, reason }));
const balance = async (account) => (await staff.get('/api/admin/overview')).trial_balance
  .find((row) => row.account === account)?.balance.minor ?? 0;
async function paidInApp(buyer, number) {
  const order = (await buyer.place(number)).json;
  const ticket = (await buyer.pay(order.order_id, randomUUID(), mini)).json;
  await control('/control/pay', { out_trade_no: ticket.out_trade_no });
  return { id: order.order_id, outTradeNo: ticket.out_trade_no };
}

before(async () => {
  shop = await Shop.start({ config: '[orders]\npay_within_ms = 60000\nfirst_supplier_query_ms = 300\n', speed: 5 });
  staff = await shop.signIn();
});
after(async () => {
  const how = await shop.stop();
  assert.equal(how.code, 0);
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

test('a code of Alipay\'s app signs in once; the same person is the same user, a guest goes on as them', async () => {
  assert.ok((await shop.call('GET', '/api/v1/shop')).json.sign_in.includes('alipay_mini'));
  const code = await codeOf('open-id-one');
  const first = await signIn(code);
  assert.equal(first.status, 200, first.text);
  assert.deepEqual([(await signIn(code)).status, (await signIn(code)).json.reason], [401, 'alipay_code_invalid']);
  assert.equal((await person('open-id-one')).userId, first.json.user_id);
  const guest = await Buyer.arrive(shop);
  const order = (await guest.place('13800001234')).json;
  const now = await signIn(await codeOf('open-id-two'), guest.token);
  assert.equal(now.status, 200);
  const buyer = Object.assign(new Buyer(), { shop, token: now.json.token });
  assert.equal((await buyer.order(order.order_id)).state, 'awaiting_payment');
  const me = (await buyer.call('GET', '/api/v1/me')).json;
  assert.equal(me.level, 'alipay');
  assert.deepEqual(me.identities.map(({ kind }) => kind), ['alipay_mini']);
  assert.doesNotMatch(JSON.stringify(me), /open-id-two/, 'shown masked');
});

test('an answer that Alipay has not signed signs nobody in', async () => {
  for (const fault of ['forged_answer', 'unsigned_answer']) {
    const code = await codeOf('open-id-one');
    await shop.arm('alipay', fault);
    const answer = await signIn(code);
    assert.deepEqual([answer.status, answer.json.reason], [503, 'alipay_unavailable'], fault);
  }
});

test('paid inside the app: tradeNO for the person who signed in, the same for a second tap, and delivered', async () => {
  const buyer = await person('open-id-one');
  const order = (await buyer.place('13800001230')).json;
  const started = await buyer.pay(order.order_id, randomUUID(), mini);
  assert.equal(started.status, 200, started.text);
  assert.match(started.json.invoke.tradeNO, /^\d{16,64}$/);
  const again = (await buyer.pay(order.order_id, randomUUID(), mini)).json;
  assert.equal(again.out_trade_no, started.json.out_trade_no);
  assert.equal(again.invoke.tradeNO, started.json.invoke.tradeNO);
  await control('/control/pay', { out_trade_no: started.json.out_trade_no });
  await buyer.reaches(order.order_id, 'succeeded');
  const full = await staff.order(order.order_id);
  assert.ok(books(full).includes('payment asset.channel_clearing.alipay 9950 CNY'));
  assert.ok(sumsToZero(full));
  bought.push({ id: order.order_id, outTradeNo: started.json.out_trade_no });
});

test('inside the app only the person whom Alipay knows pays, and WeChat Pay does not serve there', async () => {
  const guest = await Buyer.arrive(shop);
  const order = (await guest.place('13800001231')).json;
  const unnamed = await guest.pay(order.order_id, randomUUID(), mini);
  assert.deepEqual([unnamed.status, unnamed.json.reason], [422, 'openid_missing']);
  const wrong = await guest.pay(order.order_id, randomUUID(), { channel: 'wechat', scene: 'alipay_mini' });
  assert.deepEqual([wrong.status, wrong.json.reason], [422, 'scene_not_offered']);
  const other = await guest.pay(order.order_id, randomUUID(), { channel: 'alipay', scene: 'mini_program' });
  assert.deepEqual([other.status, other.json.reason], [422, 'scene_not_offered']);
});

test('F037: Alipay\'s bill is compared with the books: a day that agrees, its fees booked once', async () => {
  const buyer = await person('open-id-one');
  for (const number of ['13800001231', '13800001232', '13800001233']) {
    const one = await paidInApp(buyer, number);
    await buyer.reaches(one.id, 'succeeded');
    bought.push(one);
  }
  const back = await paidInApp(buyer, '13800009001');  // refused by the supplier: given back
  await buyer.reaches(back.id, 'refunded', 30_000);
  const run = await compare();
  assert.deepEqual([run.lines, run.agreed, run.open], [6, 6, 0]);
  assert.equal(run.totals[0].in.minor, 5 * 9950);
  assert.equal(run.totals[0].out.minor, -9950);
  assert.equal(run.totals[0].fees.minor, -4 * 60);
  await compare();
  assert.equal(await balance('cost.channel_fees.alipay'), 4 * 60);
  assert.equal(await balance('asset.channel_clearing.alipay'), 4 * (9950 - 60));
});

test('L-03: differences planted in Alipay\'s bill are seen, and gone again with it; a spoilt file changes nothing', async () => {
  await control('/control/bill', { plant: 'leave_out', number: bought[0].outTradeNo });
  await control('/control/bill', { plant: 'amount', number: bought[1].outTradeNo, value: '-50' });
  await control('/control/bill', { plant: 'twice', number: bought[2].outTradeNo });
  await control('/control/bill', { plant: 'stranger', number: 'T-NOBODY-KNOWS', value: '777' });
  await control('/control/bill', { plant: 'fee', number: bought[3].outTradeNo, value: '70' });
  const run = await compare();
  assert.deepEqual(run.kinds, { amount_differs: 1, duplicate_theirs: 1, fee_differs: 1, missing_ours: 1, missing_theirs: 1 });
  const open = await differences();
  const of = (kind) => open.find((row) => row.kind === kind);
  assert.equal(of('missing_theirs').suspense.minor, -9950);
  assert.equal(of('amount_differs').suspense.minor, -50);
  assert.equal(of('duplicate_theirs').suspense.minor, 9950);
  assert.equal(of('missing_ours').suspense.minor, 777);
  assert.equal(of('missing_theirs').order_id, bought[0].id);
  for (const fault of ['bill_cut', 'bill_elsewhere']) {
    await shop.arm('alipay', fault);
    await compare();
    assert.equal((await differences()).length, 5, `${fault}: what the earlier bill said still stands`);
  }
  await control('/control/bill', { plant: 'none' });
  assert.equal((await compare()).agreed, 6);
  assert.deepEqual(await differences(), []);
});

test('F037: Alipay\'s fund flow agrees, with its balance; what it alone says otherwise is settled with one click', { timeout: 120_000 }, async () => {
  const { parties } = await staff.get('/api/admin/reconcile/runs');
  assert.equal(parties[parties.indexOf('alipay') + 1], 'alipay_funds');
  const whole = 4 * (9950 - 60);
  const run = await compare('alipay_funds');
  assert.deepEqual([run.lines, run.agreed, run.open, run.balance.minor], [6, 6, 0, whole]);

  const back = (await staff.get(`/api/admin/reconcile/runs/alipay.${today()}`)).totals[0].out.minor;
  assert.equal(back, -9950);
  await control('/control/bill', { plant: 'amount', number: bought[0].outTradeNo, value: '-50', bill: 'funds' });
  await control('/control/bill', { plant: 'leave_out', number: bought[1].outTradeNo, bill: 'funds' });
  await control('/control/bill', { plant: 'fee', number: bought[2].outTradeNo, value: '70', bill: 'funds' });
  await control('/control/bill', { plant: 'stranger', number: 'T-NOBODY-KNOWS-EITHER', value: '777', bill: 'funds' });
  await control('/control/bill', { plant: 'withdraw', number: 'W-TO-THE-BANK', value: '3000' });
  const planted = await compare('alipay_funds');
  assert.deepEqual(planted.kinds, { amount_differs: 1, fee_differs: 1, missing_ours: 2, missing_theirs: 1 });
  const closing = whole - 50 - 9890 - 10 + 777 - 5 - 3000;
  assert.equal(planted.balance.minor, closing);
  assert.equal((await compare('alipay_funds')).open, 5, 'compared again, the same');
  assert.deepEqual(await differences(), []);
  assert.equal(await balance('asset.channel_clearing.alipay'), closing);
  for (const fault of ['bill_cut', 'bill_elsewhere']) {
    await shop.arm('alipay', fault);
    await compare('alipay_funds');
    assert.equal((await differences('alipay_funds')).length, 5, `${fault}: what the earlier bill said still stands`);
  }

  const browser = await openBrowser();
  for (const [viewport, name, locale, title, why, state] of [
    [desktop, 'desktop', 'zh-CN', /支付宝资金账单/, /仍以上次的账单为准: 账单的下载地址不属于对方/, /已支付 ·/],
    [phone, 'phone', 'en-US', /Alipay fund flow/, /the last one still stands: the address of the bill is not theirs/, /paid ·/]]) {
    const page = await openPage(browser, { viewport, locale, expected: [/status of 401/] });
    await page.goto(`${shop.origin}/admin/reconcile`);
    await page.locator('input[type=password]').waitFor();
    await page.locator('input').first().fill('owner');
    await page.locator('input[type=password]').fill(shop.password);
    await page.keyboard.press('Enter');
    const row = page.locator(`[data-test="run-alipay_funds.${today()}"]`);
    await row.waitFor();
    if (viewport === desktop) assert.match(await row.innerText(), title);
    await row.locator('a').click();
    await by(page, 'run-balance').waitFor();
    if (viewport === phone) await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: title }).waitFor();
    assert.match(await by(page, 'run-why').innerText(), why);
    const differing = page.locator('[data-test="difference-amount_differs"]:visible');
    await differing.waitFor();
    assert.match(await differing.innerText(), state);
    await picture(page, `console-reconcile-alipay-funds-${name}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name}: the page is ${wide} px too wide`);
    if (viewport === desktop) {
      const withdrawn = page.locator('[data-test="difference-missing_ours"]:visible').filter({ hasText: '提现' });
      await withdrawn.locator('[data-test="resolve-accept_theirs"]').click();
      await withdrawn.locator('[data-test="resolve-reason"]').fill('the bank shows it');
      await withdrawn.locator('[data-test="resolve-sure"]').click();
      await withdrawn.waitFor({ state: 'detached' });
    }
    assert.deepEqual(page.complaints(), []);
  }
  await browser.close();
  assert.equal(await balance('asset.bank'), 3000);
  for (const row of await differences('alipay_funds')) assert.equal((await resolve(row, 'accept_theirs')).status, 200);
  assert.equal((await compare('alipay_funds')).open, 0);
  assert.equal(await balance('liability.suspense'), 0);

  // They mend it after all: that is told as well, and the withdrawal was none.
  await control('/control/bill', { plant: 'none' });
  await compare('alipay_funds');
  for (const row of await differences('alipay_funds')) assert.equal((await resolve(row, 'accept_theirs', 'they mended it')).status, 200);
  assert.equal(await balance('asset.bank'), 0);
  assert.equal(await balance('asset.channel_clearing.alipay'), whole);
});
