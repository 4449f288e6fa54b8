// P-02, P-03 on the real binary: what is left of somebody who has gone, byte by byte, and of a consent that was taken back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Buyer, Shop, binary, until } from './support/shop.mjs';

let shop;
let staff;
before(async () => {
  shop = await Shop.start({ speed: 100 });
  staff = await shop.signIn();
});
after(async () => {
  if (shop?.child.exitCode === null) await shop.stop();
  shop?.cleanup();
});

const post = async (url, body) => (await fetch(url, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();

/** Somebody the shop knows by WeChat and by this number. */
async function known(person, phone) {
  const login = await post(`${shop.platform}/control/login`, { person });
  const guest = (await shop.call('POST', '/api/v1/sign-in/wechat-mini', { body: { code: login.code } })).json;
  const buyer = new Buyer();
  Object.assign(buyer, { shop, token: guest.token });
  const proof = await post(`${shop.platform}/control/phone`, { phone });
  const bound = await buyer.call('POST', '/api/v1/me/phone/wechat', { body: { code: proof.code } });
  assert.equal(bound.status, 200, bound.text);
  buyer.token = bound.json.token ?? buyer.token;
  buyer.user = (await buyer.call('GET', '/api/v1/me')).json.user_id;
  return buyer;
}

const query = (sql, ...values) => JSON.parse(execFileSync('python3', ['-c', `import json,sqlite3,sys
db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
print(json.dumps([[c.hex() if isinstance(c, bytes) else c for c in row] for row in db.execute(sys.argv[2], sys.argv[3:])]))`,
join(shop.data, 'topup.sqlite'), sql, ...values], { encoding: 'utf8' }));

function files(folder = shop.data) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}
/** The files that hold these bytes anywhere, free pages and logs included. */
const holding = (bytes) => files().filter((path) => !path.includes('/rehearsal') && readFileSync(path).includes(bytes)).map((path) => path.slice(shop.data.length));

test('P-02: of an account that was closed no byte is left in any file, sealed or not; the books are unchanged', async () => {
  const phone = '13800007391';
  const recipient = '13900004826';
  const buyer = await known('leaving', phone);
  const order = await buyer.buy(recipient);
  await buyer.reaches(order.id, 'succeeded');
  const before = query('SELECT account, currency, balance_minor FROM account_balances ORDER BY account, currency');
  const sealed = [
    ...query('SELECT account_sealed, account_index FROM orders WHERE order_id = ?', order.id)[0],
    ...query('SELECT subject_sealed, subject_index FROM identities WHERE user_id = ?', buyer.user).flat(),
  ].filter((value) => typeof value === 'string' && value.length >= 16);
  assert.ok(sealed.length >= 4, 'there is something to destroy');
  const needles = sealed.map((text) => (/^(?:[0-9a-f]{2})+$/.test(text) ? [Buffer.from(text, 'hex'), Buffer.from(text)] : [Buffer.from(text)])).flat();
  assert.ok(needles.some((bytes) => holding(bytes).length > 0), 'and it can be found as long as it is there');

  assert.equal((await buyer.call('POST', '/api/v1/me/erasure', { body: { confirm: true } })).status, 204);
  assert.equal((await buyer.call('GET', '/api/v1/me')).status, 401);
  assert.equal((await shop.stop()).code, 0);
  for (const digits of [phone, recipient, phone.slice(3), recipient.slice(3)]) assert.deepEqual(holding(digits), [], digits);
  for (const bytes of needles) assert.deepEqual(holding(bytes), [], `sealed ${bytes.subarray(0, 12).toString('hex')}`);
  assert.deepEqual(query('SELECT account, currency, balance_minor FROM account_balances ORDER BY account, currency'), before);
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  await shop.run();
});

test('P-03: who takes back the consent to messages hears nothing more, also of an order that is under way', async () => {
  staff = await shop.signIn();
  const desk = (method, path, body) => shop.call(method, path, {
    body, headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  const { version } = (await desk('GET', '/api/admin/settings')).json;
  const set = await desk('PUT', '/api/admin/settings', {
    version, changes: { 'messages.sms_template': 'TOLD_1', 'messages.sms_topics': ['order_delivered'] } });
  assert.equal(set.status, 200, set.text);
  const inbox = async (phone) => (await (await fetch(`${shop.sms}/inbox`)).json()).messages.filter(({ to }) => to.endsWith(phone));
  const agree = (buyer) => buyer.call('POST', '/api/v1/me/consents', { body: { document: 'messages', version: '1' } });

  const willing = await known('willing', '13800007001');
  const silent = await known('silent', '13800007002');
  for (const one of [willing, silent]) assert.equal((await agree(one)).status, 200);
  const back = await silent.call('DELETE', '/api/v1/me/consents/messages');
  assert.equal(back.status, 200, back.text);
  const orders = await Promise.all([willing.buy('13900004001'), silent.buy('13900004002')]);
  await willing.reaches(orders[0].id, 'succeeded');
  await silent.reaches(orders[1].id, 'succeeded');
  await until('who agreed is told', async () => (await inbox('13800007001')).length === 1);
  const message = await until('the other message is done with', async () => (
    query('SELECT state, code FROM messages WHERE order_id = ?', orders[1].id).find(([state]) => state !== 'queued')));
  assert.deepEqual(message, ['failed', 'consent_withdrawn']);
  assert.equal((await inbox('13800007002')).length, 0);
});
