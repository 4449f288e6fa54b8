// What a shop would pick instead, written competently: Express, better-sqlite3 (WAL, FULL), Node's own crypto, one process.
// node shop.mjs plain|tuned DATABASE CONFIG.json → prints its port. Tuned: prepared statements kept, key objects, signing off
// the main thread, and many requests in one commit. The same work as ours: session, order, two ledger lines, a job, answer
// after the commit.
import { createDecipheriv, createHash, createPrivateKey, createPublicKey, createSign, createVerify, randomBytes, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import express from 'express';

const [mode, file, configFile] = process.argv.slice(2);
const tuned = mode === 'tuned';
const config = JSON.parse(readFileSync(configFile, 'utf8'));
const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`
  CREATE TABLE IF NOT EXISTS sessions (token_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, client_key TEXT NOT NULL, state TEXT NOT NULL,
    product TEXT NOT NULL, account TEXT NOT NULL, payable_fen INTEGER NOT NULL, quote TEXT NOT NULL, created_at_ms INTEGER NOT NULL,
    UNIQUE (user_id, client_key));
  CREATE INDEX IF NOT EXISTS orders_by_user ON orders (user_id, order_id);
  CREATE TABLE IF NOT EXISTS order_events (order_id TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (order_id, seq));
  CREATE TABLE IF NOT EXISTS payments (out_trade_no TEXT PRIMARY KEY, order_id TEXT NOT NULL, state TEXT NOT NULL, amount_fen INTEGER NOT NULL,
    transaction_id TEXT);
  CREATE TABLE IF NOT EXISTS postings (journal_id TEXT NOT NULL, line INTEGER NOT NULL, account TEXT NOT NULL, amount_fen INTEGER NOT NULL,
    PRIMARY KEY (journal_id, line));
  CREATE TABLE IF NOT EXISTS notifications (notify_id TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS jobs (job_id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, run_at_ms INTEGER NOT NULL);`);

const kept = new Map();
function statement(sql) {
  if (!tuned) return db.prepare(sql);
  let found = kept.get(sql);
  if (found === undefined) kept.set(sql, found = db.prepare(sql));
  return found;
}

// Tuned: what arrives while one commit runs goes into the next one, together.
const waiting = [];
let scheduled = false;
function flush() {
  scheduled = false;
  const batch = waiting.splice(0, 64);
  const done = [];
  const all = db.transaction(() => {
    for (const one of batch) {
      try {
        done.push([one.settle, db.transaction(one.work)()]);
      } catch (failure) {
        done.push([one.fail, failure]);
      }
    }
  });
  all.immediate();
  for (const [settle, value] of done) settle(value);
  if (waiting.length > 0) { scheduled = true; setImmediate(flush); }
}
function commit(work) {
  if (!tuned) return db.transaction(work).immediate();
  return new Promise((settle, fail) => {
    waiting.push({ work, settle, fail });
    if (!scheduled) { scheduled = true; setImmediate(flush); }
  });
}

const merchantKey = tuned ? createPrivateKey(config.merchant_key) : config.merchant_key;
const platformKey = tuned ? createPublicKey(config.platform_key) : config.platform_key;
const signLater = promisify(sign);
const verifyLater = promisify(verify);
const signed = (text) => tuned ? signLater('sha256', Buffer.from(text), merchantKey).then((bytes) => bytes.toString('base64'))
  : createSign('RSA-SHA256').update(text).sign(merchantKey, 'base64');
const verified = (text, signature) => tuned ? verifyLater('sha256', Buffer.from(text), platformKey, Buffer.from(signature, 'base64'))
  : createVerify('RSA-SHA256').update(text).verify(platformKey, signature, 'base64');

const hashOf = (token) => createHash('sha256').update(token).digest('hex');
const userOf = (request) => {
  const token = (request.get('authorization') ?? '').replace(/^Bearer /, '');
  return statement('SELECT user_id FROM sessions WHERE token_hash = ?').get(hashOf(token))?.user_id;
};
const priced = (faceFen) => Math.round((faceFen * 9_950) / 10_000);

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post('/sessions', async (request, response) => {
  const token = randomBytes(24).toString('base64url');
  const user = randomBytes(9).toString('base64url');
  await commit(() => statement('INSERT INTO sessions VALUES (?, ?)').run(hashOf(token), user));
  response.status(201).json({ token });
});
app.post('/orders', express.json({ limit: '16kb' }), async (request, response) => {
  const user = userOf(request);
  if (user === undefined) return response.status(401).json({ reason: 'session_missing' });
  const { account, face_minor: face, product } = request.body;
  if (!/^\+86 ?1[3-9]\d{9}$/.test(account) || !Number.isSafeInteger(face) || face <= 0) return response.status(400).json({ reason: 'account_malformed' });
  const payable = priced(face);
  const id = `o${Date.now().toString(36)}${randomBytes(9).toString('hex')}`;
  const trade = `T${randomBytes(14).toString('hex')}`;
  const key = request.get('idempotency-key') ?? randomBytes(12).toString('hex');
  const now = Date.now();
  const quote = JSON.stringify({ lines: [{ rule: 'face', amount: face }, { rule: 'rate', amount: payable - face }], payable });
  await commit(() => {
    statement('INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(id, user, key, 'awaiting_payment', product, account, payable, quote, now);
    statement('INSERT INTO order_events VALUES (?, 1, ?, ?)').run(id, 'place', now);
    statement('INSERT INTO payments VALUES (?, ?, ?, ?, NULL)').run(trade, id, 'open', payable);
    statement('INSERT INTO jobs VALUES (?, ?, ?, ?)').run(`expire:${id}`, 'expire', id, now + 900_000);
  });
  const prepay = `prepay_id=wx${id}`;  // what the bench's own channel answers, with no time of its own
  const stamp = String(Math.floor(now / 1000));
  const nonce = randomBytes(16).toString('hex');
  const paySign = await signed(`${config.appid}\n${stamp}\n${nonce}\n${prepay}\n`);
  response.status(201).json({ order_id: id, out_trade_no: trade, payable_minor: payable,
    invoke: { appId: config.appid, timeStamp: stamp, nonceStr: nonce, package: prepay, signType: 'RSA', paySign } });
});
app.get('/orders/:id', (request, response) => {
  const user = userOf(request);
  const row = statement('SELECT * FROM orders WHERE order_id = ?').get(request.params.id);
  if (row === undefined || row.user_id !== user) return response.status(404).json({ reason: 'order_not_found' });
  const events = statement('SELECT seq, event, at_ms FROM order_events WHERE order_id = ? ORDER BY seq').all(row.order_id);
  response.json({ order_id: row.order_id, state: row.state, product: row.product, account: row.account, payable_minor: row.payable_fen,
    quote: JSON.parse(row.quote), events });
});
app.post('/notify/wechat', express.raw({ type: () => true, limit: '64kb' }), async (request, response) => {
  const text = `${request.get('wechatpay-timestamp')}\n${request.get('wechatpay-nonce')}\n${request.body}\n`;
  if (!await verified(text, request.get('wechatpay-signature') ?? '')) return response.status(401).json({ code: 'FAIL', message: 'signature' });
  const body = JSON.parse(request.body);
  const sealed = Buffer.from(body.resource.ciphertext, 'base64');
  const open = createDecipheriv('aes-256-gcm', config.apiv3_key, body.resource.nonce);
  open.setAAD(Buffer.from(body.resource.associated_data));
  open.setAuthTag(sealed.subarray(-16));
  const trade = JSON.parse(Buffer.concat([open.update(sealed.subarray(0, -16)), open.final()]));
  if (trade.mchid !== config.mchid || trade.appid !== config.appid) return response.status(400).json({ code: 'FAIL', message: 'merchant' });
  await commit(() => {
    const payment = statement('SELECT * FROM payments WHERE out_trade_no = ?').get(trade.out_trade_no);
    if (payment === undefined || payment.state === 'paid') return;
    if (payment.amount_fen !== trade.amount.total) throw new Error('amount');
    const now = Date.now();
    statement('INSERT INTO notifications VALUES (?, ?)').run(body.id, trade.out_trade_no);
    statement('UPDATE payments SET state = ?, transaction_id = ? WHERE out_trade_no = ? AND state = ?').run('paid', trade.transaction_id, trade.out_trade_no, 'open');
    statement('UPDATE orders SET state = ? WHERE order_id = ?').run('recharging', payment.order_id);
    statement('INSERT INTO order_events VALUES (?, 2, ?, ?)').run(payment.order_id, 'payment_confirmed', now);
    statement('INSERT INTO postings VALUES (?, 1, ?, ?)').run(trade.out_trade_no, 'asset.channel', payment.amount_fen);
    statement('INSERT INTO postings VALUES (?, 2, ?, ?)').run(trade.out_trade_no, 'liability.orders', -payment.amount_fen);
    statement('INSERT INTO jobs VALUES (?, ?, ?, ?)').run(`submit:${payment.order_id}`, 'submit', payment.order_id, now);
  });
  response.status(200).json({ code: 'SUCCESS', message: 'OK' });
});

// For the driver: many paid-for-nothing orders at once, before anything is measured.
app.post('/bench/open', express.json({ limit: '64mb' }), (request, response) => {
  db.transaction(() => {
    for (const [trade, fen] of request.body) {
      statement('INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(`o${trade}`, 'bench', trade, 'awaiting_payment', 'p', 'a', fen, '{}', Date.now());
      statement('INSERT INTO payments VALUES (?, ?, ?, ?, NULL)').run(trade, `o${trade}`, 'open', fen);
    }
  }).immediate();
  response.status(204).end();
});
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
