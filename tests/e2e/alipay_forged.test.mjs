// C-03: forty and more notifications that only look like Alipay's are refused at the real door, and leave the database as it was.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Buyer, Shop, binary } from './support/shop.mjs';

let shop;
let staff;
let alipayKey;
before(async () => {
  shop = await Shop.start({ speed: 20 });
  staff = await shop.signIn();
  alipayKey = createPrivateKey(readFileSync(join(shop.data, 'rehearsal/alipay.pem')));
});
after(async () => {
  await shop.stop();
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

const textOf = (fields, leaves = ['sign', 'sign_type']) => Object.keys(fields).filter((name) => !leaves.includes(name)).sort()
  .map((name) => `${name}=${fields[name]}`).join('&');
const signed = (text, key = alipayKey, digest = 'RSA-SHA256') => createSign(digest).update(text).sign(key, 'base64');
const beijing = (ms) => new Date(ms + 8 * 3_600_000).toISOString().replace('T', ' ').slice(0, 19);
const form = (pairs) => pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');

function genuine(outTradeNo, extra = {}) {
  return {
    notify_time: beijing(Date.now()), notify_type: 'trade_status_sync', notify_id: randomUUID(), charset: 'utf-8', version: '1.0',
    app_id: '2021004100000001', auth_app_id: '2021004100000001', seller_id: '2088720000000001', trade_no: '2026112122001400000001',
    out_trade_no: outTradeNo, trade_status: 'TRADE_SUCCESS', total_amount: '99.50', receipt_amount: '99.50', subject: '话费充值',
    gmt_create: beijing(Date.now()), gmt_payment: beijing(Date.now()),
    fund_bill_list: '[{"amount":"99.50","fundChannel":"ALIPAYACCOUNT"}]', ...extra,
  };
}

const dump = () => {
  const tables = execFileSync('sqlite3', ['-readonly', join(shop.data, 'topup.sqlite'),
    "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite%' ORDER BY name"], { encoding: 'utf8' });
  return tables.trim().split('\n').filter((name) => !/outbox|sessions|schedule|idempoten|node|lease/.test(name)).map((name) => (
    `${name} ${execFileSync('sqlite3', ['-readonly', join(shop.data, 'topup.sqlite'), name === 'visits' ? "SELECT * FROM visits WHERE place LIKE '%notify%'" : `SELECT * FROM "${name}"`])
      .toString('base64')}`));
};

test('C-03: each forged notification is refused with fail and 401, and nothing is written', async () => {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800001234')).json;
  const number = (await buyer.pay(order.order_id, randomUUID(), { channel: 'alipay' })).json.out_trade_no;
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const app = createPrivateKey(readFileSync(join(shop.data, 'rehearsal/alipay_app.pem')));
  const wechat = createPrivateKey(readFileSync(join(shop.data, 'rehearsal/wechat_platform.pem')));

  const good = () => genuine(number);
  const sealed = (fields, sign = signed(textOf(fields)), type = 'RSA2') => ({ ...fields, sign_type: type, sign });
  const rows = {};
  const add = (name, body, headers) => { rows[name] = { body: typeof body === 'string' ? body : form(Object.entries(body)), headers }; };
  // Signatures.
  add('nothing signed', good());
  add('sign missing', { ...good(), sign_type: 'RSA2' });
  add('sign empty', sealed(good(), ''));
  add('sign of blanks', sealed(good(), '   '));
  add('sign of zeros', sealed(good(), Buffer.alloc(256).toString('base64')));
  add('sign truncated', sealed(good(), signed(textOf(good())).slice(0, 200)));
  add('sign not base64', sealed(good(), '!'.repeat(344)));
  add('sign in hex', sealed(good(), createSign('RSA-SHA256').update(textOf(good())).sign(alipayKey, 'hex')));
  add('sign of another body', sealed(good(), signed(textOf(genuine('TP0')))));
  add('key of a stranger', sealed(good(), signed(textOf(good()), stranger)));
  add('key of the application itself', sealed(good(), signed(textOf(good()), app)));
  add('key of the other channel', sealed(good(), signed(textOf(good()), wechat)));
  // Downgrades.
  add('sign_type missing', { ...good(), sign: signed(textOf(good())) });
  add('sign_type empty', sealed(good(), undefined, ''));
  add('sign_type RSA with SHA-1', sealed(good(), signed(textOf(good()), alipayKey, 'RSA-SHA1'), 'RSA'));
  add('sign_type RSA with SHA-256', sealed(good(), undefined, 'RSA'));
  add('sign_type RSA2 with SHA-1', sealed(good(), signed(textOf(good()), alipayKey, 'RSA-SHA1')));
  add('sign_type MD5', sealed(good(), createHash('md5').update(`${textOf(good())}secret`).digest('hex'), 'MD5'));
  add('sign_type md5 of RSA2', sealed(good(), createHash('md5').update(textOf(good())).digest('hex')));
  add('sign_type in small letters', sealed(good(), undefined, 'rsa2'));
  add('sign_type of another family', sealed(good(), undefined, 'AES'));
  add('sign_type takes part', (() => {
    const fields = { ...good(), sign_type: 'RSA2' };
    return { ...fields, sign: signed(textOf(fields, ['sign'])) };
  })());
  // What was signed is not what came.
  for (const [name, value] of [['total_amount', '0.01'], ['total_amount', '99.51'], ['out_trade_no', 'TP1'], ['trade_no', '1'],
    ['app_id', '2021004100000002'], ['seller_id', '2088000000000000'], ['trade_status', 'TRADE_FINISHED'], ['notify_id', 'other'],
    ['gmt_payment', beijing(0)], ['fund_bill_list', '[]'], ['subject', '话费']]) {
    add(`${name} changed to ${value}`, { ...sealed(good()), [name]: value });
  }
  add('a field taken away', (() => { const { receipt_amount: _, ...rest } = sealed(good()); return rest; })());
  add('a field added', { ...sealed(good()), refund_fee: '0.00' });
  add('signed over the encoded values', sealed(good(), signed(form(Object.entries(good()).sort()))));
  add('signed without order', sealed(good(), signed(Object.entries(good()).map(([k, v]) => `${k}=${v}`).join('&'))));
  // Forms that two readers could read differently.
  const pairs = () => Object.entries(sealed(good()));
  add('the sum twice, the false one first', form([['total_amount', '0.01'], ...pairs()]));
  add('the sum twice, the false one last', form([...pairs(), ['total_amount', '0.01']]));
  add('the number twice', form([...pairs(), ['out_trade_no', number]]));
  add('sign twice', form([...pairs(), ['sign', 'x']]));
  add('sign_type twice', form([...pairs(), ['sign_type', 'RSA2']]));
  add('a name in another spelling of the same', form(pairs()).replace('total_amount', 'total%5Famount') + '&total_amount=0.01');
  add('a broken escape', `${form(pairs())}&x=%zz`);
  add('an escape cut off', `${form(pairs())}&x=%4`);
  add('bytes that are no text', `${form(pairs())}&x=%ff%fe`);
  add('a field without a value sign', `${form(pairs())}&x`);
  add('a field without a name', `${form(pairs())}&=x`);
  add('two hundred fields', form([...pairs(), ...Array.from({ length: 200 }, (_, i) => [`f${i}`, 'x'])]));
  add('nothing', '');
  add('JSON', JSON.stringify(sealed(good())), { 'content-type': 'application/json' });
  // Signed by Alipay's own key, and still not for us to act upon.
  const own = (extra) => { const fields = genuine(number, extra); return sealed(fields); };
  add('three days old', own({ notify_time: beijing(Date.now() - 3 * 86_400_000) }));
  add('of tomorrow', own({ notify_time: beijing(Date.now() + 86_400_000) }));
  add('without a time', own({ notify_time: '' }));
  add('of another family', own({ notify_type: 'servicemarket_order_notify' }));
  add('in another charset', own({ charset: 'gbk' }));
  add('without an id', own({ notify_id: '' }));
  add('a sum that is no number', own({ total_amount: '99,50' }));
  add('a state that nobody documented', own({ trade_status: 'TRADE_PAID' }));
  add('without a number', own({ out_trade_no: '' }));

  const names = Object.keys(rows);
  assert.ok(names.length >= 60, `${names.length} forgeries`);
  const before = dump();
  for (const name of names) {
    const { body, headers } = rows[name];
    const got = await shop.call('POST', '/notify/alipay', {
      raw: body, headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', ...headers } });
    assert.ok([400, 401].includes(got.status), `${name}: ${got.status} ${got.text}`);
    assert.equal(got.text, 'fail', name);
  }
  assert.deepEqual(dump(), before, 'the database is as it was');
  assert.equal((await buyer.order(order.order_id)).state, 'paying');
  const lines = shop.log().filter((line) => line.route === '/notify/alipay');
  assert.equal(lines.length, names.length, 'one log line for each');
  assert.ok(lines.every((line) => ['signature_invalid', 'sign_type_refused', 'notify_malformed', 'timestamp_expired']
    .includes(line.reason)));
  console.log(`figure C-03: ${names.length} forged Alipay notifications refused`);

  // The genuine one, a hundred times over sixteen connections: one effect, and always the seven letters.
  const body = form(Object.entries(sealed(good())));
  const answers = await Promise.all(Array.from({ length: 100 }, () => shop.call('POST', '/notify/alipay', {
    raw: body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })));
  assert.ok(answers.every((answer) => answer.status === 200 && answer.text === 'success'));
  await buyer.reaches(order.order_id, 'succeeded', 30_000);
  const full = await staff.order(order.order_id);
  assert.equal(full.journals.filter((journal) => journal.template === 'payment').length, 1);
});
