// The mini-program as it is uploaded, in a world like WeChat's: its code in a Node vm without eval, fetch, document or
// WebAssembly, its pages drawn by WeChat's own compiler and component framework, every request real.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import vm from 'node:vm';
import { run, scratch } from './support/commands.mjs';
import { MiniApp, Phone } from './support/mini_app.mjs';
import { appid, built, miniPackage } from './support/mini_package.mjs';
import { Buyer, Shop, books, until } from './support/shop.mjs';

const kTemplate = 'delivered_template_1';
let shop;
let staff;
let root;
const opened = [];
before(async () => {
  shop = await Shop.start({ speed: 100 });
  staff = await shop.signIn();
  root = await miniPackage(shop.origin);
});
afterEach(() => { for (const app of opened.splice(0)) app.close(); });
after(async () => {
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});

async function open(phone, more = {}) {
  const app = await MiniApp.open({ shop, root, phone, ...more });
  opened.push(app);
  return app;
}
async function change(changes) {
  const { version } = await staff.get('/api/admin/settings');
  const done = await shop.call('PUT', '/api/admin/settings', { body: { version, changes },
    headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  assert.equal(done.status, 200, done.text);
}
function buyerOf(phone) {
  const buyer = new Buyer();
  buyer.shop = shop;
  buyer.token = JSON.parse(phone.storage.get('topup.session')).token;
  return buyer;
}

async function toConfirm(app, number, face = 10000) {
  await app.see('prices', (page) => page.find(`face-${face}`));
  await app.type('phone-input', number);
  await app.see('a number that can be', (page) => page.data('phone-verdict', 'verdict') === 'valid');
  await app.tap(`face-${face}`);
  await app.see('the price on the button', (page) => /\d\.\d\d/.test(page.textOf('go-confirm')));
  await app.tap('go-confirm');
  await app.see('the payable amount', (page) => page.find('payable'));
}
const toOrder = async (app, number) => { await toConfirm(app, number); await app.tap('pay-button'); };
const state = (app, name, ms) => app.see(`the order is ${name}`, (page) => page.data('order-state', 'state') === name, ms);
const clean = (app) => {
  assert.deepEqual(app.problems, []);
  assert.deepEqual(app.calls.filter((call) => call.own === false), [], 'nobody but the shop is asked for anything');
};

test('the engine that runs the package has nothing that WeChat\'s has not', async () => {
  const app = await open(new Phone());
  for (const name of ['eval', 'Function', 'fetch', 'document', 'window', 'TextDecoder', 'WebAssembly', 'process', 'require']) {
    assert.equal(vm.runInContext(`typeof ${name}`, app.world), 'undefined', name);
  }
  assert.throws(() => vm.runInContext("[].constructor.constructor('return 1')()", app.world), /Code generation/);
});

test('F024 F046: opened, signed in without a tap, priced by the core, ordered, paid in the sheet, arrived by itself', async () => {
  const phone = new Phone({ person: 'anna' });
  const app = await open(phone);
  await app.see('a session', () => phone.storage.has('topup.session'));
  assert.equal((await buyerOf(phone).call('GET', '/api/v1/me')).json.level, 'wechat');
  await toConfirm(app, '+86 138-0000-1234');
  assert.equal(app.path, 'pages/confirm/confirm');
  assert.equal(app.page.data('price-source', 'source'), 'wasm');
  assert.equal(app.page.data('payable', 'minor'), 9950);
  await app.tap('quote-line');
  await app.see('why', (page) => page.find('quote-why'));
  await app.tap('pay-button');
  await state(app, 'succeeded');
  assert.equal(app.path, 'pages/order/order');
  assert.ok(app.calls.some((call) => call.url?.startsWith('ws:')), 'heard over the socket');
  const full = await staff.order(app.query.id);
  assert.equal(full.order.account_masked, '138****1234');
  assert.deepEqual(full.payments.map((payment) => payment.scene), ['mini_program']);
  assert.ok(books(full).includes('fulfilment revenue.sales -9950 CNY'));
  clean(app);
});

test('F026: who closes the sheet is back at the order with "continue to pay", and pays then', async () => {
  const phone = new Phone({ person: 'bert' });
  phone.pays = 'cancels';
  const app = await open(phone);
  await toOrder(app, '13800001234');
  await app.see('continue to pay', (page) => page.find('continue-pay'));
  await app.see('the button is ready again', (page) => /\d\d:\d\d/.test(page.textOf('continue-pay')));
  assert.equal(app.page.data('order-state', 'confirming'), false);
  assert.equal(app.page.find('problem'), undefined, 'closing a sheet is no fault');
  phone.pays = 'pays';
  await app.tap('continue-pay');
  await state(app, 'succeeded');
  assert.equal((await buyerOf(phone).call('GET', '/api/v1/orders')).json.orders.length, 1);
  clean(app);
});

test('F026: a sheet that says "paid" is not believed: confirming, until the server says so', async () => {
  const phone = new Phone({ person: 'cleo' });
  phone.pays = 'claims';
  const app = await open(phone);
  await toOrder(app, '13800001234');
  await app.see('confirming', (page) => page.data('order-state', 'confirming') === true);
  assert.equal(app.page.find('continue-pay'), undefined, 'paying twice is not offered meanwhile');
  const order = await buyerOf(phone).order(app.query.id);
  assert.equal(order.word, 'paying');
  const full = await staff.order(app.query.id);
  await shop.payAtSheet(full.payments[0].out_trade_no);
  await state(app, 'succeeded');
  assert.equal(app.page.data('order-state', 'confirming'), false);
  clean(app);
});

test('a shaky line: without a socket the order is polled; what was typed is said at the field; a double tap is one order', async () => {
  const phone = new Phone({ person: 'dora' });
  phone.hasSockets = false;
  const app = await open(phone);
  await app.see('prices', (page) => page.find('face-10000'));
  await app.type('phone-input', '138000');
  await app.see('incomplete', (page) => page.data('phone-verdict', 'verdict') === 'incomplete');
  await app.type('phone-input', '１３８ ００００ １２３４');
  await app.see('valid', (page) => page.data('phone-verdict', 'verdict') === 'valid');
  await app.tap('face-10000');
  await app.tap('go-confirm');
  await app.see('the payable amount', (page) => page.find('payable'));
  app.page.tap('pay-button');
  app.page.tap('pay-button');
  await state(app, 'succeeded', 20_000);
  assert.equal((await buyerOf(phone).call('GET', '/api/v1/orders')).json.orders.length, 1);
  clean(app);
});

test('F016 F084: opened without a network: stored prices with their time, an explained quote, a draft; back online it is ordered once', async () => {
  const phone = new Phone({ person: 'emil' });
  const first = await open(phone);
  await first.see('prices', (page) => page.find('face-5000'));
  await first.see('the book is kept', () => phone.storage.has('topup.price_book'));
  first.close();
  phone.online = false;
  const app = await open(phone);
  await app.see('offline, and since when', (page) => /\d\d:\d\d/.test(page.textOf('offline-bar') ?? ''));
  await app.type('phone-input', '13000001234');
  await app.see('a face with its price', (page) => /49\.75/.test(page.textOf('face-5000') ?? ''));
  await app.tap('face-5000');
  await app.see('the price on the button', (page) => /49\.75/.test(page.textOf('go-confirm')));
  await app.tap('go-confirm');
  await app.see('the same price', (page) => page.data('payable', 'minor') === 4975);
  await app.tap('quote-line');
  await app.see('why', (page) => page.find('quote-why'));
  await app.tap('keep-draft');
  await app.see('the draft, only here', (page) => page.data('draft', 'state') === 'only_here');
  assert.equal(app.page.data('draft-payable', 'minor'), 4975);
  assert.ok(app.page.textOf('draft-as-of'), 'and of when its price is');
  app.setOnline(true);
  await app.see('compared', (page) => page.data('draft', 'state') === 'confirmed', 30_000);
  await app.tap('draft-order');
  await app.see('to confirm', (page) => page.find('payable'));
  await app.tap('pay-button');
  await state(app, 'succeeded', 20_000);
  assert.equal((await buyerOf(phone).call('GET', '/api/v1/orders')).json.orders.length, 1);
  assert.deepEqual(app.problems, []);
});

test('F046: a session that the server has ended is made again for the same person, and nobody notices', async () => {
  const phone = new Phone({ person: 'fred' });
  const app = await open(phone);
  await toOrder(app, '13800001234');
  await state(app, 'succeeded');
  const before_ = buyerOf(phone);
  const me = (await before_.call('GET', '/api/v1/me')).json;
  const code = (await (await fetch(`${shop.platform}/control/login`, { method: 'POST',
    headers: { 'content-type': 'application/json' }, body: JSON.stringify({ person: 'fred' }) })).json()).code;
  const other = new Buyer();
  other.shop = shop;
  other.token = (await shop.call('POST', '/api/v1/sign-in/wechat-mini', { body: { code } })).json.token;
  assert.equal((await other.call('DELETE', '/api/v1/me/sessions')).status, 200);
  app.close();
  const again = await open(phone, { path: 'pages/orders/orders' });
  await again.see('the order of before', (page) => page.find('order-row'));
  assert.notEqual(buyerOf(phone).token, before_.token);
  assert.equal((await buyerOf(phone).call('GET', '/api/v1/me')).json.user_id, me.user_id);
  assert.equal(again.page.find('notice'), undefined);
  clean(again);
});

test('X02: before a contact is read WeChat\'s privacy question is asked; no leaves the page usable, yes fills the number', async () => {
  const phone = new Phone({ person: 'gina' });
  phone.privacyAsked = true;
  const app = await open(phone);
  await app.tap('pick-contact');
  await app.see('the question', (page) => page.find('privacy-gate'));
  await app.tap('privacy-guide');
  await app.tap('privacy-refuse');
  await app.see('gone', (page) => !page.find('privacy-gate'));
  assert.equal(app.page.data('phone-verdict', 'verdict'), 'empty');
  await app.tap('pick-contact');
  await app.see('the question', (page) => page.find('privacy-gate'));
  app.page.fire('privacy-agree', 'agreeprivacyauthorization', {});
  await app.see('the number, as one writes it', (page) => page.data('phone-verdict', 'verdict') === 'valid');
  assert.deepEqual(app.calls.filter((call) => call.opened), [{ opened: 'privacy contract' }]);
  clean(app);
});

test('F050: the number is bound by WeChat\'s button once; who has it already is asked before accounts are merged', async () => {
  const share = async (number) => (await (await fetch(`${shop.platform}/control/phone`, { method: 'POST',
    headers: { 'content-type': 'application/json' }, body: JSON.stringify({ phone: number }) })).json()).code;
  const phone = new Phone({ person: 'hugo' });
  const app = await open(phone);
  await toOrder(app, '13800001234');
  await state(app, 'succeeded');
  await app.see('asked once', (page) => page.find('bind-phone'));
  app.page.fire('bind-now', 'getphonenumber', app.local(JSON.stringify({ code: await share('13800007001') })));
  await app.see('bound', (page) => page.find('phone-bound'));
  const { identities } = (await buyerOf(phone).call('GET', '/api/v1/me')).json;
  assert.deepEqual(identities.map((one) => one.kind).sort(), ['phone', 'wechat_mini']);
  const { id } = app.query;
  app.close();
  const again = await open(phone, { path: 'pages/order/order', query: { id } });
  await state(again, 'succeeded');
  assert.equal(again.page.find('bind-phone'), undefined, 'not twice');
  clean(app);
  clean(again);
});

test('F067: asked at a tap whether to be told, with the templates of the shop; the answer is worth a message', async () => {
  await change({ 'messages.order_delivered_mini': `${kTemplate} character_string1=order_no thing2=product amount3=payable phrase4=status time5=at` });
  const phone = new Phone({ person: 'iris' });
  const app = await open(phone);
  await toOrder(app, '13800009003');
  await state(app, 'recharging');
  await app.tap('remind');
  await app.see('said', (page) => page.find('remind-said'));
  assert.deepEqual(app.calls.find((call) => call.subscribe), { subscribe: [kTemplate] });
  await state(app, 'succeeded', 40_000);
  await until('the message', async () => (await staff.order(app.query.id)).messages[0]?.state === 'sent');
  clean(app);
});

test('X17: what the shop keeps off iOS is not payable there and says so, in the page and at the server', async () => {
  await change({ 'mini_program.not_on_ios': ['airtime'] });
  try {
    const phone = new Phone({ person: 'jack', platform: 'ios' });
    const app = await open(phone);
    await toConfirm(app, '13800001234');
    await app.see('why not', (page) => page.data('problem', 'reason') === 'not_sold_on_ios');
    app.page.tap('pay-button');
    await until('the buyer is signed in', () => phone.storage.get('topup.session') !== undefined);
    const order = (await buyerOf(phone).place('13800001234')).json;
    const pay = (agent) => buyerOf(phone).call('POST', `/api/v1/orders/${order.order_id}/payments`, {
      headers: { 'idempotency-key': randomUUID(), 'user-agent': agent }, body: { channel: 'wechat', scene: 'mini_program' } });
    const refused = await pay('Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0.50 miniProgram');
    assert.deepEqual([refused.status, refused.json.reason], [422, 'not_sold_on_ios']);
    assert.equal((await pay('Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50 miniProgram')).status, 200);
    assert.equal(app.path, 'pages/confirm/confirm', 'the tap placed nothing');
    const android = await open(new Phone({ person: 'kurt' }));
    await toOrder(android, '13800001234');
    await state(android, 'succeeded');
    clean(app);
  } finally {
    await change({ 'mini_program.not_on_ios': null });
  }
});

test('a newer version is put in place when the buyer says so; a large text size reaches the tokens', async () => {
  const app = await open(new Phone({ person: 'lena', fontSize: 20 }));
  await app.see('prices', (page) => page.find('face-10000'));
  app.updateReady();
  await until('applied', () => app.calls.some((call) => call.applied));
  assert.match(readFileSync(join(root, 'components/ShopFrame.wxml'), 'utf8'), /style="/);
  assert.match(app.page.styles().join(';'), /--text:18px/);
  clean(app);
});

test('the package: small, its core packed, its app and shop filled in by the command, and nothing that calls anybody else', async () => {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const bytes = files.reduce((sum, file) => sum + readFileSync(file).length, 0);
  assert.ok(bytes < 1_000_000, `${bytes} bytes`);
  assert.equal(files.filter((file) => file.endsWith('.wasm.br')).length, 1);
  assert.equal(files.filter((file) => file.endsWith('.wasm')).length, 0);
  assert.equal(JSON.parse(readFileSync(join(root, 'project.config.json'))).appid, appid);
  const told = JSON.parse(readFileSync(join(root, 'app.json')));
  assert.equal(told.__usePrivacyCheck__, true);
  assert.equal(told.darkmode, true);
  for (const wrong of [['--appid', 'wx1'], ['--origin', 'http://shop.example'], ['--origin', 'https://shop.example/path'],
    ['--origin', "https://a';x"]]) {
    const asked = { '--appid': appid, '--origin': 'https://shop.example', [wrong[0]]: wrong[1] };
    const end = await run(['mini-program', '--files', built, '--out', join(scratch(), 'p'), ...Object.entries(asked).flat()]);
    assert.equal(end.code, 2, wrong.join(' '));
  }
});
