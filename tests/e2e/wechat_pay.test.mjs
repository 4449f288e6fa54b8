// WeChat Pay over real HTTP: every scene, forged and doubled notifications, keys that move, partners.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, createVerify, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startChild } from './support/children.mjs';
import { Postgres } from './support/postgres.mjs';
import { Buyer, Shop, binary, books, sleep, sumsToZero, until } from './support/shop.mjs';
import { Notary, WechatDesk, strangerKey } from './support/wechat_notice.mjs';

const config = `
[orders]
first_supplier_query_ms = 300
not_found_needed = 3
not_found_gap_ms = 200
max_unpaid_per_user = 100
`;
let shop;
let staff;
let desk;
let notary;
before(async () => {
  shop = await Shop.start({ config, speed: 20 });
  staff = await shop.signIn();
  desk = new WechatDesk(shop.wechat);
  notary = await Notary.of(shop);
});
after(async () => {
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});

async function insider(person, kind = 'mini') {
  const post = async (path, body) => (await fetch(shop.platform + path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();
  const buyer = new Buyer();
  buyer.shop = shop;
  if (kind === 'mini') {
    const { code } = await post('/control/login', { person });
    buyer.token = (await shop.call('POST', '/api/v1/sign-in/wechat-mini', { body: { code } })).json.token;
    return buyer;
  }
  await post('/control/person', { person });
  const start = await shop.call('GET', '/api/v1/sign-in/wechat-oa/start?return_path=%2F');
  const agreed = await fetch(start.headers.get('location'), { redirect: 'manual' });
  const cookie = start.headers.get('set-cookie').split(';')[0];
  await shop.call('GET', agreed.headers.get('location').slice(shop.origin.length), { headers: { cookie } });
  const session = await shop.call('POST', '/api/v1/sign-in/wechat-oa', { headers: { cookie } });
  buyer.token = session.json.token;
  return buyer;
}

test('F023: a native code is shown again while it is good, scanned by a phone, paid and delivered', async () => {
  const buyer = await Buyer.arrive(shop);
  const { order_id: id } = (await buyer.place('13800001234')).json;
  const first = await buyer.pay(id, randomUUID(), { scene: 'native' });
  assert.equal(first.status, 200, first.text);
  assert.match(first.json.code_url, /^weixin:\/\/wxpay\/bizpayurl\?pr=/);
  assert.equal(first.json.h5_url, undefined);
  const again = await buyer.pay(id, randomUUID(), { scene: 'native' });
  assert.equal(again.json.code_url, first.json.code_url);
  assert.equal(again.json.out_trade_no, first.json.out_trade_no);

  const scanned = await fetch(`${shop.wechat}/scan?code=${encodeURIComponent(first.json.code_url)}`);
  const sheet = await scanned.text();
  const field = (name) => sheet.match(new RegExp(`name="${name}" value="([^"]*)"`))[1];
  const paid = await fetch(`${shop.wechat}/sheet/pay`, { method: 'POST', body: new URLSearchParams({
    prepay_id: field('prepay_id'), token: field('token') }) });
  assert.match(await paid.text(), /支付成功/);
  await buyer.reaches(id, 'succeeded');
  assert.equal((await staff.order(id)).payments[0].scene, 'native');
  assert.equal((await fetch(`${shop.wechat}/scan?code=weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fpr%3Dnone`)).status, 404);
});

test('F025: a prepay_id is signed anew for each tap, and the merchant\'s key verifies each', async () => {
  const merchant = createPublicKey(notary.contract.private_key_pem);
  for (const scene of ['mini_program', 'jsapi']) {
    const buyer = await insider(`payer-${scene}`, scene === 'jsapi' ? 'oa' : 'mini');
    const { order_id: id } = (await buyer.place('13800001234')).json;
    const taps = [];
    for (let i = 0; i < 3; ++i) taps.push(await buyer.pay(id, randomUUID(), { scene }));
    for (const { status, json, text } of taps) {
      assert.equal(status, 200, `${scene}: ${text}`);
      const { appId, timeStamp, nonceStr, package: bundle, signType, paySign } = json.invoke;
      assert.equal(signType, 'RSA');
      assert.match(bundle, /^prepay_id=wx/);
      const signed = createVerify('RSA-SHA256').update(`${appId}\n${timeStamp}\n${nonceStr}\n${bundle}\n`);
      assert.ok(signed.verify(merchant, paySign, 'base64'), scene);
    }
    const all = (name) => new Set(taps.map((tap) => tap.json.invoke[name])).size;
    assert.deepEqual([all('package'), all('nonceStr'), all('paySign')], [1, 3, 3], scene);
    assert.equal(new Set(taps.map((tap) => tap.json.out_trade_no)).size, 1);
    await shop.payAtSheet(taps[0].json.out_trade_no);
    await buyer.reaches(id, 'succeeded');
  }
});

test('X06: another scene is another number; the old one is closed, and both paid means one goes back', async () => {
  const buyer = await Buyer.arrive(shop);
  const { order_id: id } = (await buyer.place('13800001234')).json;
  const old = (await buyer.pay(id)).json.out_trade_no;
  const fresh = (await buyer.pay(id, randomUUID(), { scene: 'native' })).json.out_trade_no;
  assert.notEqual(fresh, old);
  const attempt = async (number) => (await staff.order(id)).payments.find((each) => each.out_trade_no === number);
  await until('the old number is closed', async () => (await attempt(old)).state === 'closed');
  assert.equal((await shop.payAtSheet(old)).json.why, 'closed');
  assert.equal((await buyer.order(id)).state, 'paying', 'the order itself goes on');
  await shop.payAtSheet(fresh);
  await buyer.reaches(id, 'succeeded');

  const second = (await buyer.place('13800001234')).json.order_id;
  const one = (await buyer.pay(second)).json.out_trade_no;
  await shop.payAtSheet(one, { times: 0 });  // paid, and nobody is told
  const two = (await buyer.pay(second, randomUUID(), { scene: 'native' })).json;
  await shop.payAtSheet(two.out_trade_no ?? one);
  await buyer.reaches(second, 'succeeded');
  await until('what was paid twice went back', async () => {
    const full = await staff.order(second);
    const paid = full.payments.filter((each) => each.paid.minor > 0);
    return sumsToZero(full) && paid.length - full.refunds.filter((each) => each.state === 'succeeded').length === 1;
  }, 20_000);
});

// ---- Forgeries.

const hashOf = (text) => createHash('sha256').update(text).digest('hex');
/** A hash for each table that holds anything. */
function databaseOf(where) {
  const dump = execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 5000', `${where.data}/topup.sqlite`, '.dump'],
    { maxBuffer: 1 << 28, encoding: 'utf8' });
  const rows = {};
  for (const line of dump.split(/^INSERT INTO /m).slice(1)) {
    const table = line.slice(0, line.search(/[ (]/));
    rows[table] = `${rows[table] ?? ''}${line}`;
  }
  return Object.fromEntries(Object.entries(rows).map(([table, text]) => [table, hashOf(text)]));
}

function forgeries(maker, outTradeNo, total) {
  const foreign = strangerKey();
  const good = maker.transaction(outTradeNo, total);
  const body = maker.body(good);
  const signed = (text, options) => ({ body: text, headers: maker.headers(text, options) });
  const without = (name) => {
    const headers = maker.headers(body);
    delete headers[name];
    return { body, headers };
  };
  const having = (change) => ({ body, headers: { ...maker.headers(body), ...change } });
  const now = Math.floor(Date.now() / 1000);
  const genuine = maker.headers(body);
  const flipped = (text, at) => {
    const bytes = Buffer.from(text, 'base64');
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    return bytes.toString('base64');
  };
  const sealed = JSON.parse(body);
  const resealed = (change) => signed(JSON.stringify({ ...sealed, resource: { ...sealed.resource, ...change } }));
  const cut = (count) => Buffer.from(sealed.resource.ciphertext, 'base64').subarray(0, count).toString('base64');
  return {
    'no signature headers at all': { body, headers: { 'content-type': 'application/json' } },
    'no signature': without('wechatpay-signature'),
    'no timestamp': without('wechatpay-timestamp'),
    'no nonce': without('wechatpay-nonce'),
    'no serial': without('wechatpay-serial'),
    'an empty signature': having({ 'wechatpay-signature': '' }),
    'a signature of zeros': having({ 'wechatpay-signature': Buffer.alloc(256).toString('base64') }),
    'a truncated signature': having({ 'wechatpay-signature': genuine['wechatpay-signature'].slice(0, 172) }),
    'a signature that is too long': having({ 'wechatpay-signature': Buffer.alloc(512, 7).toString('base64') }),
    'base64 junk': having({ 'wechatpay-signature': '!!!! not base64 !!!!' }),
    'base64 without its end': having({ 'wechatpay-signature': genuine['wechatpay-signature'].replace(/=+$/, '') }),
    'one bit of the signature': having({ 'wechatpay-signature': flipped(genuine['wechatpay-signature'], 100) }),
    'a signature in hex': having({ 'wechatpay-signature': Buffer.from(genuine['wechatpay-signature'], 'base64').toString('hex') }),
    'a signature probe': having({ 'wechatpay-signature': `WECHATPAY/SIGNTEST/${genuine['wechatpay-signature'].slice(19)}` }),
    'the signature of another body': { body: maker.body(good), headers: genuine },
    'a body with a blank more': { body: `${body} `, headers: genuine },
    'a body with one byte changed': { body: body.replace('SUCCESS', 'SUCCESs'), headers: genuine },
    'the signature of an empty body': { body, headers: maker.headers('') },
    'another nonce than signed': having({ 'wechatpay-nonce': randomBytes(16).toString('hex') }),
    'another time than signed': having({ 'wechatpay-timestamp': String(now - 1) }),
    'a stranger\'s key': signed(body, { key: foreign }),
    'our own merchant key': signed(body, { key: maker.contract.private_key_pem }),
    'SHA-1': signed(body, { algorithm: 'RSA-SHA1' }),
    'SHA-512': signed(body, { algorithm: 'RSA-SHA512' }),
    'another scheme': having({ 'wechatpay-signature-type': 'WECHATPAY2-SM2-WITH-SM3' }),
    'a public key nobody has': signed(body, { serial: 'PUB_KEY_ID_0000000000000000' }),
    'a certificate nobody has': signed(body, { serial: 'A'.repeat(40), key: foreign }),
    'our merchant certificate': signed(body, { serial: maker.contract.serial_no, key: maker.contract.private_key_pem }),
    'a serial that is a path': signed(body, { serial: '../../../../etc/passwd' }),
    'an empty serial': signed(body, { serial: '' }),
    'six minutes old': signed(body, { at: now - 360 }),
    'just outside the window': signed(body, { at: now - 302 }),
    'from the future': signed(body, { at: now + 3600 }),
    'of 1970': signed(body, { at: 0 }),
    'a time in milliseconds': signed(body, { at: now * 1000 }),
    'a negative time': signed(body, { at: -now }),
    'a time in words': signed(body, { at: 'now' }),
    'a changed GCM tag': resealed({ ciphertext: flipped(sealed.resource.ciphertext, -1) }),
    'a changed ciphertext': resealed({ ciphertext: flipped(sealed.resource.ciphertext, 5) }),
    'a ciphertext shorter than its tag': resealed({ ciphertext: cut(15) }),
    'only a tag': resealed({ ciphertext: cut(16) }),
    'no ciphertext': resealed({ ciphertext: '' }),
    'a ciphertext that is no base64': resealed({ ciphertext: 'not base64 !' }),
    'another AAD': resealed({ associated_data: 'refund' }),
    'no AAD': resealed({ associated_data: '' }),
    'another GCM nonce': resealed({ nonce: randomBytes(6).toString('hex') }),
    'a GCM nonce of 11': resealed({ nonce: 'a'.repeat(11) }),
    'a GCM nonce of 16': resealed({ nonce: 'a'.repeat(16) }),
    'no GCM nonce': resealed({ nonce: undefined }),
    'another algorithm': resealed({ algorithm: 'AEAD_AES_128_GCM' }),
    'sealed with another key': signed(maker.body(good, { apiv3: randomBytes(16).toString('hex') })),
    'no resource': signed(JSON.stringify({ ...sealed, resource: undefined })),
    'a resource that is a list': signed(JSON.stringify({ ...sealed, resource: [] })),
    'no id': signed(JSON.stringify({ ...sealed, id: undefined })),
    'an event nobody documented': signed(maker.body(good, { envelope: { event_type: 'TRANSACTION.MAYBE' } })),
    'no JSON': signed('<xml><return_code>SUCCESS</return_code></xml>'),
    'nothing': signed(''),
    'a list': signed('[]'),
    'deep nesting': signed('['.repeat(5000)),
    'a payment without a number': signed(maker.body({ ...good, transaction_id: undefined })),
    'a payment without an amount': signed(maker.body({ ...good, amount: undefined })),
    'an amount in text': signed(maker.body({ ...good, amount: { total: String(total), currency: 'CNY' } })),
    'an amount with a fraction': signed(maker.body({ ...good, amount: { total: total + 0.5, currency: 'CNY' } })),
    'a refund as a payment': signed(maker.body(good, { event: 'REFUND.SUCCESS', type: 'refund' })),
  };
}

test('C-03, C-04, C-05, C-11: each forgery is refused, and no table holds a byte more than before', async () => {
  const buyer = await Buyer.arrive(shop);
  const { order_id: id } = (await buyer.place('13800001234')).json;
  const { out_trade_no: number } = (await buyer.pay(id)).json;
  const all = Object.entries(forgeries(notary, number, 9950));
  assert.ok(all.length >= 40, `${all.length} forgeries`);
  // The shop's own jobs may write in between; a forgery that wrote would do so in every round.
  let earlier;
  let later;
  for (let round = 0; round < 4; ++round) {
    earlier = databaseOf(shop);
    const accepted = [];
    for (const [name, { body, headers }] of all) {
      const got = await shop.call('POST', '/notify/wechat', { raw: body, headers });
      if (![400, 401, 413].includes(got.status)) accepted.push(`${name}: ${got.status}`);
    }
    assert.deepEqual(accepted, []);
    later = databaseOf(shop);
    if (JSON.stringify(later) === JSON.stringify(earlier)) break;
    await sleep(1_000);
  }
  assert.deepEqual(later, earlier, 'every table is the same, byte for byte');
  console.log(`figure C-03: ${all.length} forged WeChat notifications refused`);
  assert.equal((await buyer.order(id)).state, 'paying');
  const body = notary.body(notary.transaction(number, 9950));
  const genuine = await shop.call('POST', '/notify/wechat', { raw: body, headers: notary.headers(body) });
  assert.equal(genuine.status, 200, genuine.text);
  assert.notDeepEqual(databaseOf(shop), earlier, 'the measure can tell');
  await buyer.reaches(id, 'succeeded');
});

test('C-06: a genuine notification that does not fit is never delivered, and its money is held', async () => {
  const other = await Buyer.arrive(shop);
  const cheap = (await other.place('13800005678', { product: 'cn-mobile-5000' })).json;
  const cheapNo = (await other.pay(cheap.order_id)).json.out_trade_no;
  const amount = (total, currency = 'CNY') => ({ amount: { total, payer_total: total, currency } });
  const rows = {
    'a fen less': [amount(9949), 9949],
    'a fen more': [amount(9951), 9951],
    'yuan for fen': [amount(99), 99],
    'a hundred times': [amount(995000), 995000],
    'nothing': [amount(0), 0],
    'less than nothing': [amount(-1), 0],
    'minus the sum': [amount(-9950), 0],
    '10^18': [amount(1e18), 0],
    '2^53': [amount(2 ** 53), 0],
    'US dollars': [amount(9950, 'USD'), 0],
    'a currency nobody knows': [amount(9950, 'XYZ'), 0],
    'no currency word': [amount(9950, ''), 0],
    'another merchant': [{ mchid: '1900000109' }, 0],
    'no merchant': [{ mchid: undefined }, 0],
    'another app': [{ appid: 'wx0000000000000000' }, 0],
    'no app': [{ appid: undefined }, 0],
    'a partner\'s payment': [{ mchid: undefined, sp_mchid: '1900000109', sub_mchid: '1716000101' }, 0],
    'our money below a partner': [{ mchid: undefined, appid: undefined, sp_appid: notary.contract.appid,
      sp_mchid: notary.contract.mchid, sub_mchid: '1716000101' }, 0],
  };
  for (const [name, [change, booked]] of Object.entries(rows)) {
    const buyer = await Buyer.arrive(shop);
    const { order_id: id } = (await buyer.place('13800001234')).json;
    const { out_trade_no: number } = (await buyer.pay(id)).json;
    const body = notary.body(notary.transaction(number, 9950, change));
    const got = await shop.call('POST', '/notify/wechat', { raw: body, headers: notary.headers(body) });
    assert.equal(got.status, 200, `${name}: heard, or it would be sent for a day`);
    const again = await shop.call('POST', '/notify/wechat', { raw: body, headers: notary.headers(body) });
    assert.equal(again.status, 200, name);
    const full = await staff.order(id);
    assert.equal(full.supplier_attempts.length, 0, `${name}: not delivered`);
    assert.equal(full.payments[0].state, 'mismatch', name);
    assert.equal(full.work_items.length, 1, `${name}: one person looks into it, once`);
    assert.deepEqual(books(full), booked === 0 ? [] : [
      `suspense asset.channel_clearing.wechat ${booked} CNY`, `suspense liability.suspense -${booked} CNY`], name);
  }
  // The sum of one order under the number of another.
  const body = notary.body(notary.transaction(cheapNo, 9950));
  assert.equal((await shop.call('POST', '/notify/wechat', { raw: body, headers: notary.headers(body) })).status, 200);
  assert.equal((await staff.order(cheap.order_id)).supplier_attempts.length, 0);
  // A number that this shop never gave out.
  const unknown = notary.body(notary.transaction(`T${randomBytes(12).toString('hex')}`, 9950));
  for (let i = 0; i < 3; ++i) {
    const got = await shop.call('POST', '/notify/wechat', { raw: unknown, headers: notary.headers(unknown) });
    assert.equal(got.status, 200);
  }
});

test('the window ends at 300 s: 295 s is heard, 302 s is not', async () => {
  for (const [age, heard] of [[295, true], [302, false], [-295, true], [-302, false]]) {
    const buyer = await Buyer.arrive(shop);
    const { order_id: id } = (await buyer.place('13800001234')).json;
    const body = notary.body(notary.transaction((await buyer.pay(id)).json.out_trade_no, 9950));
    const headers = notary.headers(body, { at: Math.floor(Date.now() / 1000) - age });
    const got = await shop.call('POST', '/notify/wechat', { raw: body, headers });
    assert.equal(got.status, heard ? 200 : 401, `${age} s`);
    if (heard) await buyer.reaches(id, 'succeeded');
  }
});

// ---- The same, a thousand times.

async function thousand(where, body, maker) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const url = new URL('/notify/wechat', where.origin);
  const one = () => new Promise((done, fail) => {
    const asked = httpRequest(url, { method: 'POST', agent, headers: maker.headers(body) }, (answer) => {
      answer.resume();
      answer.once('end', () => done(answer.statusCode));
    });
    asked.once('error', fail);
    asked.end(body);
  });
  const statuses = await Promise.all(Array.from({ length: 1_000 }, one));
  agent.destroy();
  return statuses.filter((status) => status === 200).length;
}

async function hearsOnce(where) {
  const maker = await Notary.of(where);
  const buyer = await Buyer.arrive(where);
  const { order_id: id } = (await buyer.place('13800001234')).json;
  const { out_trade_no: number } = (await buyer.pay(id)).json;
  assert.equal(await thousand(where, maker.body(maker.transaction(number, 9950)), maker), 1_000);
  const order = await buyer.reaches(id, 'succeeded', 30_000);
  assert.equal(order.events.filter((event) => event.event === 'payment_confirmed').length, 1);
  const full = await (await where.signIn()).order(id);
  assert.equal(full.journals.filter((journal) => journal.template === 'payment').length, 1);
  assert.equal(full.supplier_attempts.length, 1);
  assert.ok(sumsToZero(full));
}

test('C-01: one notification a thousand times over 32 connections has one effect', () => hearsOnce(shop));

test('C-01 on PostgreSQL: one notification a thousand times has one effect', { timeout: 120_000 }, async () => {
  const database = await Postgres.start();
  const other = await Shop.start({ config: `${config}\n[store]\nurl = "${database.url}"\n`, speed: 20 });
  try {
    await hearsOnce(other);
    assert.equal((await other.stop()).code, 0);
  } finally {
    await other.kill();
    await database.stop();
    other.cleanup?.();
  }
});

// ---- Keys.

test('a signature probe in the answer to a prepay is asked again, and the buyer does not notice', async () => {
  const buyer = await Buyer.arrive(shop);
  const { order_id: id } = (await buyer.place('13800001234')).json;
  await shop.arm('wechat', 'probe_answer');
  const ticket = await buyer.pay(id);
  assert.equal(ticket.status, 200, ticket.text);
  await shop.payAtSheet(ticket.json.out_trade_no);
  await buyer.reaches(id, 'succeeded');
});

test('429 is "later": nothing has failed, and the same order is paid a moment after', async () => {
  const buyer = await Buyer.arrive(shop);
  const { order_id: id } = (await buyer.place('13800001234')).json;
  await shop.arm('wechat', 'busy');
  const busy = await buyer.pay(id);
  assert.equal(busy.status, 503);
  assert.equal(busy.json.reason, 'channel_unavailable');
  await sleep(1_100);
  const ticket = await buyer.pay(id);
  assert.equal(ticket.status, 200, ticket.text);
  await shop.payAtSheet(ticket.json.out_trade_no);
  await buyer.reaches(id, 'succeeded');
});

test('C-12, X04: certificates, a rotation and the move to the public key lose no order, with one download', async () => {
  const own = await Shop.start({ config, speed: 20 });
  const keys = new WechatDesk(own.wechat);
  const maker = await Notary.of(own);
  const buyer = await Buyer.arrive(own);
  const bought = [];
  const buy = async (count) => {
    for (let i = 0; i < count; ++i) {
      const { order_id: id } = (await buyer.place('13800001234')).json;
      const ticket = await buyer.pay(id);
      assert.equal(ticket.status, 200, ticket.text);
      await own.payAtSheet(ticket.json.out_trade_no);
      bought.push(id);
    }
  };
  const early = (await keys.keys({ mode: 'certificates' })).downloads;
  await keys.rotate({ new_percent: 50 });  // two at once: the old and the new one sign half each
  await keys.rotate({ new_percent: 50 });
  await buy(6);
  assert.equal((await keys.keys()).downloads, early + 1, 'fetched once, for the first unknown serial');

  // A certificate nobody has: asked for at most once in a minute, whoever sends it.
  const body = maker.body({});
  for (let i = 0; i < 20; ++i) {
    const headers = maker.headers(body, { serial: randomBytes(20).toString('hex').toUpperCase() });
    assert.equal((await own.call('POST', '/notify/wechat', { raw: body, headers })).status, 401);
  }
  assert.equal((await keys.keys()).downloads, early + 1, 'no loop');

  // WeChat Pay goes over to the public key: answers as we ask, notifications with either.
  await keys.keys({ mode: 'migrating', public_key_percent: 50 });
  await buy(6);
  await keys.keys({ mode: 'public_key' });
  await buy(1);
  for (const id of bought) await buyer.reaches(id, 'succeeded', 30_000);
  const kept = execFileSync('ls', [`${own.data}/wechat_certificates`], { encoding: 'utf8' });
  assert.equal(kept.match(/^[0-9A-F]{40}\.pem$/mg).length, 2);
  const metrics = (await own.call('GET', '/metrics')).text;
  assert.match(metrics, /wechat_pay_key_ends_seconds\{kind="platform_certificate",serial="[0-9A-F]{40}"\} /);
  assert.equal((await own.stop()).code, 0);
  own.cleanup();
});

// ---- A shop of a service provider, set up from a file as an operator would, beside the rehearsed one.

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

async function serve(folder, change) {
  const contract = notary.contract;
  const pems = { 'merchant.pem': contract.private_key_pem, 'apiv3.key': contract.apiv3_key, 'platform.pem': contract.public_key_pem,
    'authority.pem': contract.authority_pem };
  for (const [name, text] of Object.entries(pems)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const port = await freePort();
  const write = (more = {}) => writeFileSync(join(folder, 'shop.toml'), `
[server]
port = ${port}
public_origin = "http://127.0.0.1:${port}"
data_dir = "${folder}"
[wechat_pay]
origin = "${shop.wechat}"
mchid = "${contract.mchid}"
appid = "${contract.appid}"
serial_no = "${more.serial ?? contract.serial_no}"
private_key_file = "${join(folder, 'merchant.pem')}"
apiv3_key_file = "${join(folder, 'apiv3.key')}"
public_key_id = "${contract.public_key_id}"
public_key_file = "${join(folder, 'platform.pem')}"
platform_authority_file = "${join(folder, 'authority.pem')}"
${change}
`);
  write();
  const child = startChild(binary, ['serve', '--config', join(folder, 'shop.toml'), '--log-file', join(folder, 'topup.log')], { stdio: 'ignore' });
  const ended = new Promise((done) => child.once('exit', done));
  const where = Object.assign(new Shop(), { origin: `http://127.0.0.1:${port}`, wechat: shop.wechat, data: folder });
  await until('the shop answers', async () => {
    try { return (await fetch(`${where.origin}/healthz`)).ok; } catch { return false; }
  }, 30_000);
  return { where, child, write, stop: async () => { child.kill('SIGTERM'); await ended; } };
}

test('F030, F031: a station\'s money is named as the station\'s, and new keys count after SIGHUP', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'topup partner '));
  execFileSync('sqlite3', [`${shop.data}/topup.sqlite`, `.backup '${join(folder, 'topup.sqlite')}'`]);
  copyFileSync(join(shop.data, 'topup.keys'), join(folder, 'topup.keys'));
  const [first, second] = notary.contract.sub_mchids;
  const station = await serve(folder, `sub_mchid = "${first}"\npayees = ["someone-else=${second}"]`);
  try {
    const buyer = await Buyer.arrive(station.where);
    const pay = async () => {
      const placed = await buyer.place('13800001234');
      assert.equal(placed.status, 201, placed.text);
      return { id: placed.json.order_id, ticket: await buyer.pay(placed.json.order_id) };
    };
    const stored = (number) => execFileSync('sqlite3', ['-readonly', join(folder, 'topup.sqlite'),
      `SELECT payee || ' ' || state FROM payment_attempts WHERE out_trade_no = '${number}'`], { encoding: 'utf8' }).trim();
    const { ticket } = await pay();
    assert.equal(ticket.status, 200, ticket.text);
    const number = ticket.json.out_trade_no;
    assert.equal(stored(number), `${first} started`);
    await station.where.payAtSheet(number);
    await until('the station is paid', () => stored(number) === `${first} paid`);

    // The same provider, the right sum, another station.
    const wrong = await pay();
    const body = notary.body(notary.transaction(wrong.ticket.json.out_trade_no, 9950, { mchid: undefined, appid: undefined,
      sp_mchid: notary.contract.mchid, sp_appid: notary.contract.appid, sub_mchid: second }));
    const heard = await station.where.call('POST', '/notify/wechat', { raw: body, headers: notary.headers(body) });
    assert.equal(heard.status, 200, heard.text);
    assert.equal(stored(wrong.ticket.json.out_trade_no), `${first} mismatch`);

    // A new certificate of ours: first in the file, then known to WeChat Pay, and no restart.
    const fresh = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const serial = randomBytes(20).toString('hex').toUpperCase();
    writeFileSync(join(folder, 'merchant.pem'), fresh.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    station.write({ serial });
    station.child.kill('SIGHUP');
    await until('it says so', () => /"configuration_adopted"/.test(readFileSync(join(folder, 'topup.log'), 'utf8')));
    const early = await pay();
    assert.equal(early.ticket.json.reason, 'channel_refused', 'signed with a key that WeChat Pay does not know yet');
    await desk.post('/control/merchant', { serial_no: serial, public_key_pem: fresh.publicKey.export({ type: 'spki', format: 'pem' }) });
    const late = await pay();
    assert.equal(late.ticket.status, 200, late.ticket.text);
    await station.where.payAtSheet(late.ticket.json.out_trade_no);
    await until('paid with the new key', () => stored(late.ticket.json.out_trade_no) === `${first} paid`);

    // What cannot be taken over says so, and the shop goes on as before.
    writeFileSync(join(folder, 'apiv3.key'), 'too short');
    station.child.kill('SIGHUP');
    await until('it says so', () => /"configuration_not_adopted"/.test(readFileSync(join(folder, 'topup.log'), 'utf8')));
    assert.equal((await pay()).ticket.status, 200);
  } finally {
    await station.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
