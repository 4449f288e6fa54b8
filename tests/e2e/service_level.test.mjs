// Live settings, degrade levels and limits over real HTTP: a change takes effect with no restart, and survives one.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { by, openBrowser, openPage, picture } from './support/browser.mjs';
import { follow } from './support/live.mjs';
import { Buyer, Shop, until } from './support/shop.mjs';

const kPhone = '13800001234';
let shop;
let cookie;
before(async () => {
  shop = await Shop.start({});
  cookie = (await shop.signIn()).cookie;
});
after(async () => {
  await shop.stop();
  shop.cleanup();
});

const settings = async () => (await shop.call('GET', '/api/admin/settings', { headers: { cookie } })).json;
function staff(method, path, body, key = randomUUID()) {
  return shop.call(method, path, { body, headers: { cookie, origin: shop.origin, 'idempotency-key': key } });
}
async function change(changes) {
  return staff('PUT', '/api/admin/settings', { version: (await settings()).version, changes });
}
const facts = async () => (await shop.call('GET', '/api/v1/shop')).json;

test('F021: in maintenance new orders are refused with notice and reopening time; running ones go on; testers pass', async () => {
  const buyer = await Buyer.arrive(shop);
  const tester = await Buyer.arrive(shop);
  const testerId = (await shop.call('POST', '/api/v1/sessions')).json;
  tester.token = testerId.token;
  const running = (await buyer.place(kPhone)).json;
  const ticket = (await buyer.pay(running.order_id)).json;
  const { fingerprint } = (await buyer.quote(kPhone)).json;

  const reopens = Date.now() + 90_000;
  const done = await change({
    'service.level': 'maintenance', 'service.notice_zh': '升级中', 'service.notice_en': 'Upgrading',
    'service.reopens_at_ms': reopens, 'service.testers': [testerId.user_id],
  });
  assert.equal(done.status, 200, done.text);

  const said = await facts();
  assert.deepEqual([said.level, said.notice, said.reopens_at_ms], ['maintenance', { zh: '升级中', en: 'Upgrading' }, reopens]);
  const refused = await buyer.place(kPhone, { fingerprint });
  assert.equal(refused.status, 503);
  assert.deepEqual([refused.json.reason, refused.json.notice.en, refused.json.reopens_at_ms], ['maintenance', 'Upgrading', reopens]);
  const wait = Number(refused.headers.get('retry-after'));
  assert.ok(wait > 60 && wait <= 90, `Retry-After ${wait}`);
  assert.equal((await buyer.pay(running.order_id)).status, 503);

  // What was under way ends: the payment is heard, the supplier called, the order read.
  await shop.payAtSheet(ticket.out_trade_no);
  await buyer.reaches(running.order_id, 'succeeded');
  const forTest = await tester.place(kPhone);
  assert.equal(forTest.status, 201, forTest.text);
  assert.equal((await tester.call('POST', `/api/v1/orders/${forTest.json.order_id}/cancel`)).status, 200);

  // It outlives a crash, and ends without a restart.
  await shop.kill();
  await shop.run();
  assert.equal((await facts()).level, 'maintenance');
  const usual = {
    'service.level': 'normal', 'service.testers': null, 'service.notice_zh': null, 'service.notice_en': null, 'service.reopens_at_ms': null,
  };
  assert.equal((await change(usual)).status, 200);
  assert.equal((await facts()).level, 'normal');
  assert.equal((await buyer.place(kPhone)).status, 201);
});

test('F018: the levels below maintenance still take orders, and pages are told at once', async () => {
  const buyer = await Buyer.arrive(shop);
  for (const level of ['no_marketing', 'simple_pages', 'normal']) {
    assert.equal((await change({ 'service.level': level })).status, 200);
    assert.equal((await facts()).level, level);
    const placed = await buyer.place(kPhone);
    assert.equal(placed.status, 201, `${level}: ${placed.text}`);
  }
});

test('F018: a page that follows an order hears of a new level over its socket', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place(kPhone)).json;
  const hello = { type: 'subscribe', session: buyer.token, order_id: order.order_id, after: 0 };
  const { heard, close } = await follow(shop.origin, hello);
  await until('the order is heard', () => heard.some((message) => message.type === 'order'));
  await change({ 'service.notice_en': 'Hello' });
  await until('the notice is heard', () => heard.some((message) => message.type === 'service' && message.notice.en === 'Hello'), 2_000);
  await change({ 'service.notice_en': null });
  close();
});

test('F088: order limits change with no restart; every mistake is told; who was slower is refused; the way back works', async () => {
  const buyer = await Buyer.arrive(shop);
  const before = await settings();
  const wrong = await change({ 'orders.max_unpaid_per_user': 0, 'service.level': 'closed', 'no.such': 1 });
  assert.equal(wrong.status, 400);
  assert.deepEqual(wrong.json.errors.map((one) => `${one.field} ${one.reason}`).sort(),
    ['no.such unknown_field', 'orders.max_unpaid_per_user out_of_range', 'service.level out_of_range']);
  assert.equal((await settings()).version, before.version);

  assert.equal((await change({ 'orders.max_unpaid_per_user': 1, 'orders.pay_within_ms': 60_000 })).status, 200);
  const placed = await buyer.place(kPhone);
  assert.ok(placed.json.pay_by_ms - placed.json.now_ms <= 60_000);
  assert.equal((await buyer.place(kPhone)).json.reason, 'too_many_unpaid');
  const slower = await staff('PUT', '/api/admin/settings', { version: before.version, changes: { 'log.level': 'warn' } });
  assert.deepEqual([slower.status, slower.json.reason], [409, 'settings_changed']);

  const key = randomUUID();
  const body = { version: before.version + 1, to: before.version };
  const back = await staff('POST', '/api/admin/settings/rollback', body, key);
  assert.equal(back.status, 200, back.text);
  assert.equal(back.json.version, before.version + 2);
  assert.deepEqual(back.json.settings, before.settings);
  const repeated = await staff('POST', '/api/admin/settings/rollback', body, key);
  assert.equal(repeated.headers.get('idempotency-replayed'), 'true');
  assert.equal((await settings()).version, before.version + 2);

  const history = (await shop.call('GET', '/api/admin/settings/history', { headers: { cookie } })).json.changes;
  assert.deepEqual([history[0].version, history[0].key, history[0].previous], [before.version + 2, 'orders.max_unpaid_per_user', 1]);
  assert.match(history[0].changed_by, /^staff:/);
});

test('lists go on by a sealed cursor, and any other text is refused by name', async () => {
  for (let i = 0; i < 30; ++i) await change({ 'orders.pay_within_ms': 60_000 + i, 'orders.max_unpaid_per_user': 1 + i });
  const page = async (path) => shop.call('GET', path, { headers: { cookie } });
  const first = (await page('/api/admin/settings/history')).json;
  assert.equal(first.changes.length, 50);
  const second = (await page(`/api/admin/settings/history?cursor=${first.next_cursor}`)).json;
  const seen = new Set([...first.changes, ...second.changes].map((one) => `${one.version} ${one.key}`));
  assert.equal(seen.size, first.changes.length + second.changes.length);
  for (const cursor of ['1', `${first.next_cursor.slice(0, -1)}x`, first.next_cursor.slice(2), 'a'.repeat(5_00)]) {
    const refused = await page(`/api/admin/settings/history?cursor=${cursor}`);
    assert.deepEqual([refused.status, refused.json.reason, refused.json.field], [400, 'cursor_malformed', 'cursor']);
  }
  assert.equal((await page(`/api/admin/orders?cursor=${first.next_cursor}`)).status, 400);
  assert.equal((await change({ 'orders.pay_within_ms': null, 'orders.max_unpaid_per_user': null })).status, 200);
});

test('H-08: who asks too often waits as told, and no header makes him somebody else', async () => {
  const strict = await Shop.start({ config: '[limits]\npercent = 5\n' });  // the sizes of a real shop
  try {
    let served = 0;
    let refused = null;
    for (let i = 0; i < 200 && refused === null; ++i) {
      const answer = await strict.call('POST', '/api/v1/sessions', {
        headers: { 'x-forwarded-for': `198.51.100.${i}`, 'x-real-ip': `198.51.100.${i}`, forwarded: `for=198.51.100.${i}` },
      });
      if (answer.status === 201) ++served;
      else refused = answer;
    }
    assert.ok(served >= 60 && served < 100, `${served} sessions from one address`);
    assert.deepEqual([refused.status, refused.json.reason, refused.json.code], [429, 'too_many_requests', 'rate_limited']);
    const wait = Number(refused.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60, `Retry-After ${wait}`);
    assert.equal((await strict.call('GET', '/api/v1/shop')).status, 200);
    assert.equal((await strict.call('GET', '/healthz')).status, 200);
  } finally {
    await strict.stop();
    strict.cleanup();
  }
});

test('F018: an open page tells of maintenance within seconds, in its own language, and takes the word back', async () => {
  const browser = await openBrowser();
  try {
    const open = async ([locale, notice, wait]) => {
      const page = await openPage(browser, { locale });
      await page.goto(`${shop.origin}/`);
      await by(page, 'phone-input').waitFor();
      assert.equal(await by(page, 'service').count(), 0);
      return { page, locale, notice, wait };
    };
    const opened = await Promise.all([['zh-CN', '升级中', '预计'], ['en-US', 'Upgrading', 'It should reopen at']].map(open));
    await change({
      'service.level': 'maintenance', 'service.notice_zh': '升级中', 'service.notice_en': 'Upgrading',
      'service.reopens_at_ms': Date.now() + 3_600_000,
    });
    await Promise.all(opened.map(async ({ page, locale, notice, wait }) => {
      await by(page, 'service').waitFor({ timeout: 12_000 });
      const text = await by(page, 'service').innerText();
      assert.ok(text.includes(notice) && text.includes(wait), text);
      await picture(page, `maintenance-${locale}`);
    }));
    await change({ 'service.level': 'normal', 'service.notice_zh': null, 'service.notice_en': null, 'service.reopens_at_ms': null });
    await Promise.all(opened.map(async ({ page }) => {
      await by(page, 'service').waitFor({ state: 'hidden', timeout: 12_000 });
      assert.deepEqual(page.complaints(), []);
      await page.context().close();
    }));
  } finally {
    await browser.close();
  }
});
