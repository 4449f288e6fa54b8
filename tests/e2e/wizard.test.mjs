// A new shop's owner in a real browser: through the whole wizard, with wrong input, a killed server in the middle, and party
// by party from the rehearsal to (another shop's) real parties.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { certificate, credentialsOf } from './support/real_world.mjs';
import { Buyer, Shop, binary, until } from './support/shop.mjs';

function appCode(secret, laterSteps = 0) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((digit) => digits.indexOf(digit).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + laterSteps));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const place = mkdtempSync(join(tmpdir(), 'topup wizard '));
const ownPassword = 'a long sentence of my own 9';
let shop;
let real;
let keys;
let browser;
let page;
let early; // an order that begins before anything is live
before(async () => {
  shop = await Shop.start({ speed: 20, config: '[orders]\nfirst_supplier_query_ms = 300\n' });
  real = await Shop.start({ speed: 20 });
  browser = await openBrowser();
  keys = credentialsOf(real);
  keys.wechat_pay.certificate = certificate(join(place, 'good'), keys.keyFile, keys.serial);
  page = await openPage(browser, { viewport: desktop, expected: [/status of (400|401|403|409|422|503)/, /ERR_CONNECTION_REFUSED/] });
});
after(async () => {
  await browser?.close();
  for (const one of [shop, real]) await one?.stop();
  if (shop) assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  for (const one of [shop, real]) one?.cleanup();
});

const open = async (step) => {
  await page.goto(`${shop.origin}/admin/setup${step ? `?step=${step}` : ''}`);
  if (step) await by(page, `setup-${step}`).waitFor();
};
const fill = async (party, values) => {
  for (const [field, value] of Object.entries(values)) {
    const input = page.locator(`[data-test="key-${party}-${field}"]`);
    if (!(await input.isVisible())) await page.locator(`[data-test="keys-${party}"] .more > summary`).click();
    await input.fill(value);
  }
};
const save = async (party) => {
  const answered = page.waitForResponse((answer) => answer.url().endsWith(`/parties/${party}/keys`));
  await by(page, `save-${party}`).click();
  return answered;
};
const fault = (party, field) => by(page, `fault-${party}-${field}`).textContent();
const tried = async (party) => {
  const answered = page.waitForResponse((answer) => answer.url().endsWith(`/parties/${party}/keys/test`));
  await by(page, `try-${party}`).click();
  const { tested } = await (await answered).json();
  return tested;
};
const looks = async (name) => {
  for (const [size, viewport] of [['1440', desktop], ['390', phone]]) {
    await page.setViewportSize(viewport);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name} at ${size} scrolls sideways by ${wide}`);
    await picture(page, `wizard-${name}-${size}`);
  }
  await page.setViewportSize(desktop);
};
const staff = () => page.evaluate(async () => (await fetch('/api/admin/setup')).json());
const partyNow = async (word) => (await staff()).parties.find((one) => one.party === word);

test('whoever finds the port first has no way in without the password of the terminal', async () => {
  for (const [method, path, body] of [['GET', '/api/admin/setup'], ['PUT', '/api/admin/setup/shop', { name: 'Mine', time_zone: 'UTC', language: 'en' }],
    ['PUT', '/api/admin/parties/wechat_pay/keys', { version: 0, fields: {} }], ['POST', '/api/admin/setup/notify-test']]) {
    assert.equal((await shop.call(method, path, { body, headers: { origin: shop.origin } })).status, 401, `${method} ${path}`);
  }
  await page.goto(`${shop.origin}/admin/setup`);
  await by(page, 'login-name').fill('owner');
  await by(page, 'login-password').fill('guessed-password-1');
  await by(page, 'login-submit').click();
  await by(page, 'login-problem').waitFor();
  await by(page, 'login-password').fill(shop.password);
  await by(page, 'login-submit').click();
  await by(page, 'setup-owner').waitFor();
  assert.equal(await by(page, 'step-owner').getAttribute('data-state'), 'open');
});

test('the owner chooses a password and an authenticator; a wrong code and a short password are refused', async () => {
  await by(page, 'old-password').fill(shop.password);
  await by(page, 'new-password').fill('short');
  await by(page, 'repeat-password').fill('short');
  await by(page, 'change-password').click();
  await by(page, 'password-problem').waitFor();
  await looks('owner');
  await by(page, 'new-password').fill(ownPassword);
  await by(page, 'repeat-password').fill(ownPassword);
  await by(page, 'change-password').click();
  await page.locator('[data-test="owner-password"].good').waitFor();
  await by(page, 'totp-begin').click();
  const secret = (await by(page, 'totp-secret').textContent()).replaceAll(' ', '').trim();
  await by(page, 'totp-code').fill(appCode(secret, 4_000));
  await by(page, 'totp-confirm').click();
  await by(page, 'totp-problem').waitFor();
  await by(page, 'totp-code').fill(appCode(secret));
  await by(page, 'totp-confirm').click();
  await by(page, 'recovery-codes').waitFor();
  await by(page, 'codes-kept').click();
  await page.locator('[data-test="owner-totp"].good').waitFor();
  assert.equal((await shop.call('POST', '/api/admin/session', { body: { name: 'owner', password: shop.password } })).status, 401);
  await by(page, 'setup-next').click();
});

test('the shop gets its name, zone and language, and pages have them at once', async () => {
  await by(page, 'setup-shop').waitFor();
  await by(page, 'shop-name').fill('街角话费');
  await by(page, 'shop-zone').selectOption('America/New_York');
  await looks('shop');
  await by(page, 'shop-save').click();
  await by(page, 'setup-wechat_pay').waitFor();
  const facts = (await shop.call('GET', '/api/v1/shop')).json;
  assert.deepEqual([facts.name, facts.time_zone, facts.language], ['街角话费', 'America/New_York', 'auto']);
});

test('wrong keys are told field by field, and nothing of them is kept', async () => {
  const other = join(place, 'other.pem');
  execFileSync('openssl', ['genrsa', '-out', other, '2048'], { stdio: 'ignore' });
  await fill('wechat_pay', { ...keys.wechat_pay, private_key: readFileSync(other, 'utf8') });
  assert.equal((await save('wechat_pay')).status(), 422);
  assert.match(await fault('wechat_pay', 'private_key'), /不是一对/);
  await looks('wrong-pair');
  await fill('wechat_pay', {
    private_key: keys.wechat_pay.private_key,
    certificate: certificate(join(place, 'old'), keys.keyFile, keys.serial, { from: '20240101', until: '20240201' }),
  });
  assert.equal((await save('wechat_pay')).status(), 422);
  assert.match(await fault('wechat_pay', 'certificate'), /2024-02-01 到期/);
  await fill('wechat_pay', { certificate: keys.wechat_pay.private_key, apiv3_key: 'too short', public_key: keys.wechat_pay.certificate });
  assert.equal((await save('wechat_pay')).status(), 422);
  assert.match(await fault('wechat_pay', 'certificate'), /私钥/);
  assert.match(await fault('wechat_pay', 'apiv3_key'), /32/);
  assert.match(await fault('wechat_pay', 'public_key'), /证书/);
  assert.equal((await partyNow('wechat_pay')).version, 0);
});

test('right keys are kept and answer; secrets never come back, and a killed server loses nothing', async () => {
  await fill('wechat_pay', keys.wechat_pay);
  assert.equal((await save('wechat_pay')).status(), 200);
  await by(page, 'saved-wechat_pay').waitFor();
  assert.match(await by(page, 'certificate').textContent(), new RegExp(keys.serial));
  const said = await tried('wechat_pay');
  assert.deepEqual([said.ok, said.said], [true, 'no_such_payment']);
  await looks('wechat');
  const shown = JSON.stringify(await staff());
  for (const secret of ['private_key', 'apiv3_key']) assert.ok(!shown.includes(JSON.stringify(keys.wechat_pay[secret]).slice(1, 60)));

  const port = Number(new URL(shop.origin).port);
  await shop.kill();
  await shop.run(port);
  await page.reload();
  await by(page, 'setup-wechat_pay').waitFor();
  assert.equal(await page.locator('[data-test="key-wechat_pay-mchid"]').inputValue(), keys.wechat_pay.mchid);
  assert.equal(await page.locator('[data-test="key-wechat_pay-apiv3_key"]').inputValue(), '');
  await by(page, 'setup-done').click();
  await by(page, 'setup-alipay').waitFor();
  // Whoever leaves halfway comes back to the first step that is open.
  await open();
  await by(page, 'setup-alipay').waitFor();
  assert.equal(await by(page, 'step-wechat_pay').getAttribute('data-state'), 'done');
});

test('Alipay can wait, or be set up; its own public key is told from one’s own', async () => {
  await by(page, 'setup-skip').click();
  await by(page, 'setup-suppliers').waitFor();
  assert.equal(await by(page, 'step-alipay').getAttribute('data-state'), 'skipped');
  await open('alipay');
  const mine = execFileSync('openssl', ['pkey', '-in', join(real.data, 'rehearsal', 'alipay_app.pem'), '-pubout'], { encoding: 'utf8' });
  await fill('alipay', { ...keys.alipay, public_key: mine });
  assert.equal((await save('alipay')).status(), 422);
  assert.match(await fault('alipay', 'public_key'), /自己的公钥/);
  await fill('alipay', { public_key: keys.alipay.public_key });
  assert.equal((await save('alipay')).status(), 200);
  assert.equal((await tried('alipay')).ok, true);
});

test('a supplier with a wrong secret is told by the supplier, with the right one it answers', async () => {
  await open('suppliers');
  await by(page, 'keys-reloadly').locator('summary').first().click();
  await fill('reloadly', { ...keys.reloadly, client_secret: 'wrong' });
  assert.equal((await save('reloadly')).status(), 200);
  assert.equal((await tried('reloadly')).ok, false);
  await fill('reloadly', { client_secret: keys.reloadly.client_secret });
  assert.equal((await save('reloadly')).status(), 200);
  const right = await tried('reloadly');
  assert.ok(right.ok, JSON.stringify(right));
  await looks('suppliers');
});

test('F028: the shop calls itself and says for whom that is enough', async () => {
  await open('finish');
  assert.equal(await by(page, 'missing-wechat_pay-notify').getAttribute('data-done'), 'false');
  await open('notify');
  await by(page, 'notify-run').click();
  await by(page, 'notify-result').waitFor();
  assert.equal(await by(page, 'notify-result').getAttribute('data-reach'), 'this_machine');
  await looks('notify');
});

test('nobody goes live before the checklist is whole; the reason is asked for and kept', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800138111')).json;
  early = { buyer, id: order.order_id, ticket: (await buyer.pay(order.order_id)).json };
  await open('finish');
  assert.match(await by(page, 'still-rehearsed').textContent(), /微信支付/);
  assert.equal(await by(page, 'missing-wechat_pay-suppliers').getAttribute('data-done'), 'false');
  assert.equal(await page.locator('[data-test="live-wechat_pay"]').count(), 0);
  const refused = await page.evaluate(async () => (await fetch('/api/admin/parties/wechat_pay/world', {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-requested-with': 'topup-console', 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify({ world: 'live', reason: 'I want to', confirm: 'wechat_pay' }),
  })).json());
  assert.deepEqual([refused.reason, refused.detail], ['not_ready_to_go_live', 'suppliers']);
  await looks('finish');
  for (const party of ['reloadly', 'wechat_pay']) {
    await by(page, `live-${party}`).click();
    await by(page, `live-${party}-reason`).fill(`we open with ${party}`);
    await by(page, `live-${party}-go`).click();
    await page.locator(`[data-test="world-${party}"][data-state="live"]`).waitFor();
  }
  await until('the banner has fewer parties', async () => !/微信支付|Reloadly/.test(await by(page, 'rehearsed').textContent()));
});

test('after that real money buys at the real supplier, and what began in the rehearsal ends there', async () => {
  await until('both are live', async () => {
    const now = Date.now();
    return (await staff()).parties.filter((one) => one.state === 'live' && one.from_ms <= now).length === 2;
  });
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800138222')).json;
  const ticket = (await buyer.pay(order.order_id)).json;
  assert.ok(ticket.h5_url.startsWith(real.wechat), ticket.h5_url);
  assert.equal((await shop.payAtSheet(ticket.out_trade_no)).status, 404, 'the played party knows nothing of it');
  await real.payAtSheet(ticket.out_trade_no);
  await buyer.reaches(order.order_id, 'succeeded');
  const reference = `S${order.order_id}1`;
  assert.equal((await real.suppliersBook(reference)).known, true);
  assert.equal((await shop.suppliersBook(reference)).known, false);

  assert.ok(early.ticket.h5_url.startsWith(shop.wechat));
  await shop.payAtSheet(early.ticket.out_trade_no);
  await early.buyer.reaches(early.id, 'succeeded');
  assert.equal((await shop.suppliersBook(`S${early.id}1`)).known, true);
  assert.equal((await real.suppliersBook(`S${early.id}1`)).known, false);
});

test('a restart keeps who is live; a played channel is not offered beside a real one', async () => {
  await shop.stop();
  await shop.run(Number(new URL(shop.origin).port));
  const facts = (await shop.call('GET', '/api/v1/shop')).json;
  assert.ok(!facts.rehearsed.includes('wechat_pay') && facts.rehearsed.includes('alipay'));
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800138333')).json;
  assert.notEqual((await buyer.pay(order.order_id, undefined, { channel: 'alipay' })).status, 200);
  const ticket = (await buyer.pay(order.order_id)).json;
  assert.ok(ticket.h5_url.startsWith(real.wechat));
});

test('the way back leads to the rehearsal, and the wizard is finished and says so in both languages and themes', async () => {
  await open('finish');
  await page.locator('[data-test="world-wechat_pay"][data-state="live"]').waitFor();
  await by(page, 'back-wechat_pay').click();
  await by(page, 'back-wechat_pay-reason').fill('we close for the holidays');
  await by(page, 'back-wechat_pay-go').click();
  await page.locator('[data-test="world-wechat_pay"][data-state="rehearsed"]').waitFor();
  await by(page, 'setup-done').click();
  await page.locator('[data-test="step-finish"][data-state="done"]').waitFor();
  await by(page, 'language').click();
  await page.getByText('Still rehearsed').waitFor();
  await looks('finish-en');
  await by(page, 'theme').click();
  await looks('finish-dark');
  await open('wechat_pay');
  await looks('wechat-dark-en');
  assert.deepEqual(page.complaints(), []);
});
