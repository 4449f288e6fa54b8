// Keys and secrets of the real binary: what is sealed stays shut, rotation survives kill -9, a wrong key is refused, no
// secret shows anywhere, and the audit trail tells who touched it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startChild } from './support/children.mjs';
import { Buyer, Shop, binary, sleep } from './support/shop.mjs';

const generous = `
[orders]
max_unpaid_per_user = 1000
first_supplier_query_ms = 300
`;
const topup = (...args) => {
  const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
};
// The database as another program would see and change it.
const sql = (data, statements) => execFileSync('python3', ['-c', `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
rows = []
for statement in sys.argv[2:]:
    rows = db.execute(statement).fetchall()
db.commit()
print(json.dumps(rows))`, data.endsWith('.sqlite') || data.endsWith('.db') ? data : join(data, 'topup.sqlite'),
...[statements].flat()], { encoding: 'utf8' }).trim();
const rows = (data, statement) => JSON.parse(sql(data, statement));

const folder = () => mkdtempSync(join(tmpdir(), 'topup keys '));
const passphrase = 'CANARY passphrase 7f3a91';

function everyFile(path) {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (
    entry.isDirectory() ? everyFile(join(path, entry.name)) : [join(path, entry.name)]));
}

// As itself, as base64 and as hex: a reader of a leaked file would try no less.
const forms = (secret) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), Buffer.from(secret).toString('hex')];

test('A-17: no secret and no phone number shows in logs, answers, metrics, files or process arguments', async () => {
  const place = folder();
  const passphraseFile = join(place, 'passphrase');
  writeFileSync(passphraseFile, `${passphrase}\n`, { mode: 0o600 });
  writeFileSync(join(place, 'database-password'), 'CANARY-database-password\n', { mode: 0o600 });
  const data = join(place, 'data');
  execFileSync('mkdir', ['-m', '700', data]);
  process.env.TOPUP_KEY_PASSPHRASE_FILE = passphraseFile;
  const shop = await Shop.start({
    data, speed: 20,
    config: `${generous}[store]\npassword_file = "${join(place, 'database-password')}"\n`,
  });
  const answers = [];
  const call = shop.call.bind(shop);
  shop.call = async (...args) => {
    const response = await call(...args);
    // What a secret's owner was told on purpose is no leak: the session itself.
    if (!/\/sessions$|\/session$/.test(args[1]) || response.status >= 400) answers.push(response.text);
    return response;
  };
  const staff = await shop.signIn();
  const buyer = await Buyer.arrive(shop);
  const phones = ['13866553311', '13800009001', '13877550000'];
  const delivered = await buyer.buy(phones[0]);
  await buyer.reaches(delivered.id, 'succeeded');
  const refunded = await buyer.buy(phones[1]);
  await buyer.reaches(refunded.id, 'refunded', 20_000);
  answers.push(JSON.stringify(await staff.order(delivered.id)), JSON.stringify(await staff.order(refunded.id)));

  // Refusals are where secrets slip out.
  const wrongPassword = 'CANARY-wrong-password-5d1e';
  const wrongToken = 'CANARYtokenthatnobodyhasgiven0000000000000';
  for (const [method, path, options] of [
    ['POST', '/api/admin/session', { body: { name: 'owner', password: wrongPassword } }],
    ['POST', '/api/admin/session', { body: { name: `owner ${phones[2]}`, password: wrongPassword, extra: wrongPassword } }],
    ['GET', '/api/v1/orders', { headers: { authorization: `Bearer ${wrongToken}` } }],
    ['GET', `/api/v1/orders?phone=${phones[2]}`, { headers: { authorization: `Bearer ${buyer.token}` } }],
    ['GET', `/api/v1/orders/${phones[2]}`, { headers: { authorization: `Bearer ${buyer.token}` } }],
    ['GET', `/nothing/here/${phones[2]}?token=${wrongToken}`, {}],
    ['POST', '/api/v1/quotes', { raw: `{"product_id": "x", "account_number": "${phones[2]}", "oops"` , headers: { 'content-type': 'application/json' } }],
    ['POST', '/api/v1/quotes', { body: { product_id: phones[2], account_number: phones[2] } }],
    ['POST', '/notify/wechat', { raw: wrongToken, headers: { 'wechatpay-signature': wrongToken, 'content-type': 'application/json' } }],
    ['GET', '/api/admin/orders', { headers: { cookie: `topup_staff=${wrongToken}` } }],
  ]) {
    const response = await shop.call(method, path, options);
    assert.ok(response.status >= 200, `${method} ${path}`);
  }
  answers.push((await shop.call('GET', '/metrics')).text);
  const { pid } = shop.child;
  const cmdline = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  const environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size\s+0\s+0/);
  const whileOpen = everyFile(data).filter((path) => !path.includes('/rehearsal')).map((path) => [`open ${path}`, readFileSync(path)]);
  const password = shop.password;
  await shop.stop();
  delete process.env.TOPUP_KEY_PASSPHRASE_FILE;

  const identityFile = everyFile(data).find((path) => path.includes('rehearsal') && /\.(db|sqlite)$/.test(path)
    && (() => { try { return rows(path, 'SELECT count(*) FROM identity')[0][0] > 0; } catch { return false; } })());
  assert.ok(identityFile, 'the played parties keep their secrets in a folder of their own');
  const identity = Object.fromEntries(rows(identityFile, 'SELECT name, value FROM identity'));
  const merchantKey = everyFile(data).filter((path) => path.includes('rehearsal') && /BEGIN PRIVATE KEY/.test(readFileSync(path, 'latin1')));
  assert.ok(merchantKey.length > 0);
  const secrets = {
    passphrase, 'database password': 'CANARY-database-password', 'owner password': password,
    'wrong password': wrongPassword, 'wrong token': wrongToken, 'buyer session': buyer.token,
    'staff session': staff.cookie.split('=')[1], 'API v3 key': identity.apiv3_key,
    'client secret': identity.reloadly_client_secret, 'webhook secret': identity.reloadly_webhook_secret,
    'DT One secret': identity.dtone_api_secret, 'DingConnect key': identity.dingconnect_api_key,
    'Juhe OpenID': identity.juhe_open_id, 'Juhe airtime key': identity.juhe_mobile_key,
    'Juhe fuel key': identity.juhe_fuel_key, 'callback token': identity.supplier_callback_token,
    'phone 1': phones[0], 'phone 2': phones[1], 'phone 3': phones[2],
  };
  merchantKey.forEach((path, i) => { secrets[`private key ${i}`] = readFileSync(path, 'utf8').split('\n')[5]; });
  assert.ok(Object.keys(secrets).length >= 15);
  // The page of the buyer who owns the session, and the operator's terminal, are told once.
  const said = shop.said.replace(password, '');
  const places = [
    ['stdout and stderr', Buffer.from(said)], ['process arguments', Buffer.from(cmdline)], ['environment', Buffer.from(environ)],
    ...answers.map((text, i) => [`answer ${i}`, Buffer.from(text)]), ...whileOpen,
    ...everyFile(data).filter((path) => !path.includes('/rehearsal')).map((path) => [path, readFileSync(path)]),
  ];
  assert.ok(places.some(([name]) => name.endsWith('topup.sqlite-wal')), 'the write-ahead log was looked at');
  // The search itself finds what is meant to be there.
  assert.ok(places.some(([name, bytes]) => name.endsWith('topup.sqlite') && bytes.includes(delivered.id)));
  assert.ok(places.some(([name, bytes]) => name.startsWith('answer') && bytes.includes('138****3311')));
  assert.ok(places.some(([name, bytes]) => name === 'environment' && bytes.includes(passphraseFile)));
  const hits = [];
  for (const [name, bytes] of places) {
    for (const [what, secret] of Object.entries(secrets)) {
      assert.ok(secret && secret.length >= 11, `${what} is known to this test`);
      // Phones have eleven digits; as base64 or hex they are long enough to mean something.
      for (const form of forms(secret)) if (bytes.includes(form)) hits.push(`${what} in ${name}`);
    }
  }
  assert.deepEqual(hits, []);
  console.log(`figure A-17: ${Object.keys(secrets).length} secrets looked for in ${places.length} places`);
  // and every line of the log is one event.
  for (const line of readFileSync(join(data, 'topup.log'), 'utf8').trim().split('\n')) {
    assert.equal(typeof JSON.parse(line).event, 'string');
  }
  rmSync(place, { recursive: true, force: true });
});

test('K-03: rotation beside a running shop, killed in a stopped one, and nothing is lost', async () => {
  const shop = await Shop.start({ config: generous, speed: 20 });
  const buyer = await Buyer.arrive(shop);
  for (let i = 0; i < 60; ++i) assert.equal((await buyer.place(`138${String(10000000 + i)}`)).status, 201);
  const running = startChild(binary, ['key', 'rotate', '--data', shop.data, '--batch', '7'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  running.stdout.on('data', (bytes) => { said += bytes; });
  const ended = new Promise((done) => running.once('exit', done));
  for (let i = 0; i < 5; ++i) assert.equal((await buyer.place(`139${String(10000000 + i)}`)).status, 201);
  assert.equal(await ended, 0, said);
  assert.match(said, /6\d values sealed anew/);
  assert.match(said, /data\s+\w{8}\s+active\s+6\d values/);
  const paid = (await buyer.place('13812340000')).json.order_id;
  await shop.stop();

  // The kills are spread over what one whole rotation takes on this machine, fast or slow.
  const whole = ['key', 'rotate', '--data', shop.data, '--batch', '3', '--master', '--data-key'];
  const began = performance.now();
  assert.equal(topup(...whole).status, 0);
  const took = performance.now() - began;
  let killed = 0;
  for (let i = 0; i < 12; ++i) {
    const child = startChild(binary, whole);
    const how = new Promise((done) => child.once('exit', (code, signal) => done(signal)));
    await sleep(took * (i + 0.5) / 12);
    child.kill('SIGKILL');
    if (await how === 'SIGKILL') ++killed;
    const listed = topup('key', 'list', '--data', shop.data);
    assert.equal(listed.status, 0, listed.said);
  }
  assert.ok(killed >= 3, `${killed} were killed on their way`);
  console.log(`figure K-03: ${killed} kills of the real program`);
  const last = topup('key', 'rotate', '--data', shop.data, '--master', '--data-key');
  assert.equal(last.status, 0, last.said);
  assert.doesNotMatch(last.said, /do not open/);
  assert.match(last.said, /data\s+\w{8}\s+active\s+66 values/);
  assert.doesNotMatch(last.said, /kept/);
  const checked = topup('verify', '--data', shop.data);
  assert.equal(checked.status, 0, checked.said);
  // And a value sealed before all this opens for the supplier.
  await shop.run();
  const ticket = (await buyer.pay(paid)).json;
  await shop.payAtSheet(ticket.out_trade_no);
  await buyer.reaches(paid, 'succeeded');
  await shop.stop();
  shop.cleanup();
});

test('K-04: a wrong or missing key stops the start in five forms, and leaves everything as it was', async () => {
  const shop = await Shop.start({ config: generous });
  const buyer = await Buyer.arrive(shop);
  await buyer.place('13800001234');
  await shop.stop();
  const keys = join(shop.data, 'topup.keys');
  const right = readFileSync(keys);
  const other = await Shop.start({});
  await other.stop();
  const keysOfOther = readFileSync(join(other.data, 'topup.keys'));
  other.cleanup();
  const put = (bytes, mode = 0o600) => { rmSync(keys, { force: true }); if (bytes) writeFileSync(keys, bytes, { mode }); };
  const forms5 = [
    ['missing', () => put(null), /key_file_missing/],
    ["another shop's", () => put(keysOfOther), /key_wrong/],
    ['malformed', () => put(right.subarray(0, 60)), /key_file_malformed/],
    ['readable by others', () => { put(right); execFileSync('chmod', ['644', keys]); }, /key_file_exposed/],
    ['a link', () => { put(null); writeFileSync(`${keys}.real`, right, { mode: 0o600 }); execFileSync('ln', ['-s', `${keys}.real`, keys]); }, /key_file_unreadable/],
  ];
  const sealed = 'SELECT account_sealed FROM orders UNION ALL SELECT key_id || seals FROM data_keys';
  const before = sql(shop.data, sealed);
  for (const [what, make, words] of forms5) {
    make();
    const found = existsSync(keys) ? readFileSync(keys, 'latin1') : null;
    await assert.rejects(Shop.start({ data: shop.data, config: generous }), words, what);
    assert.equal(existsSync(keys) ? readFileSync(keys, 'latin1') : null, found, `${what}: no new key`);
    assert.equal(sql(shop.data, sealed), before, `${what}: nothing was written`);
  }
  rmSync(keys);
  put(right);
  await shop.run();
  await shop.stop();
  shop.cleanup();
});

test('T-01: verify names the first bad row in words, and a signed head tells of a tail that was cut', async () => {
  const shop = await Shop.start({ speed: 20 });
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800001234');
  await buyer.reaches(id, 'succeeded');
  const staff = await shop.signIn();
  await shop.stop();
  const whole = join(shop.data, 'topup.sqlite');
  const [[address, device, session, rowsThere]] = rows(shop.data, `SELECT max(address_masked), max(device),
    (SELECT max(session_prefix) FROM audit_log WHERE session_prefix LIKE 'job:%'), count(*) FROM audit_log`);
  assert.equal(address, '127.0.*.*');
  assert.match(device, /node/);
  assert.match(session, /^job:/);
  assert.ok(staff.cookie && rowsThere > 8);
  copyFileSync(whole, `${whole}.copy`);
  const after = (statements) => {
    sql(shop.data, ['DROP TRIGGER audit_keep', 'DROP TRIGGER audit_stay', ...statements]);
    const checked = topup('verify', '--data', shop.data);
    for (const end of ['-wal', '-shm']) rmSync(whole + end, { force: true });
    copyFileSync(`${whole}.copy`, whole);
    return checked;
  };
  assert.equal(topup('verify', '--data', shop.data).status, 0);
  const changed = after(["UPDATE audit_log SET actor = 'somebody' WHERE seq = 5"]);
  assert.equal(changed.status, 1);
  assert.match(changed.said, /row 5 \(\S+ of \S+ by somebody\) was changed/);
  assert.match(after(['DELETE FROM audit_log WHERE seq = 4']).said, /row 4 is missing/);
  const cut = after(['DELETE FROM audit_log WHERE seq > 6',
    'UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit_log WHERE seq = 6)']);
  assert.equal(cut.status, 1);
  assert.match(cut.said, /the tail after row 6 was cut/);
  const heads = join(shop.data, 'audit.head');
  renameSync(heads, `${heads}.away`);
  assert.match(after([]).said, /signed heads is gone/);
  renameSync(`${heads}.away`, heads);
  assert.equal(topup('verify', '--data', shop.data).status, 0);
  shop.cleanup();
});
