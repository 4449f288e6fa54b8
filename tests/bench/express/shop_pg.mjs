// The tuned shop of shop.mjs on PostgreSQL through `pg`: a pool, named (prepared) statements, key objects, signing off the main
// thread, one transaction for each request. node shop_pg.mjs URL CONFIG.json → prints its port.
import { createDecipheriv, createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import express from 'express';
import pg from 'pg';

const [url, configFile] = process.argv.slice(2);
const config = JSON.parse(readFileSync(configFile, 'utf8'));
const pool = new pg.Pool({ connectionString: url, max: 16 });
await pool.query(`
  CREATE TABLE IF NOT EXISTS sessions (token_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, client_key TEXT NOT NULL, state TEXT NOT NULL,
    product TEXT NOT NULL, account TEXT NOT NULL, payable_fen BIGINT NOT NULL, quote TEXT NOT NULL, created_at_ms BIGINT NOT NULL,
    UNIQUE (user_id, client_key));
  CREATE INDEX IF NOT EXISTS orders_by_user ON orders (user_id, order_id);
  CREATE TABLE IF NOT EXISTS order_events (order_id TEXT NOT NULL, seq BIGINT NOT NULL, event TEXT NOT NULL, at_ms BIGINT NOT NULL,
    PRIMARY KEY (order_id, seq));
  CREATE TABLE IF NOT EXISTS payments (out_trade_no TEXT PRIMARY KEY, order_id TEXT NOT NULL, state TEXT NOT NULL, amount_fen BIGINT NOT NULL,
    transaction_id TEXT);
  CREATE TABLE IF NOT EXISTS postings (journal_id TEXT NOT NULL, line BIGINT NOT NULL, account TEXT NOT NULL, amount_fen BIGINT NOT NULL,
    PRIMARY KEY (journal_id, line));
  CREATE TABLE IF NOT EXISTS notifications (notify_id TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS jobs (job_id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, run_at_ms BIGINT NOT NULL);`);

const names = new Map();  // of statements: each is prepared once for each connection
function named(text, values) {
  let name = names.get(text);
  if (name === undefined) names.set(text, name = `s${names.size}`);
  return { name, text, values };
}
const ask = async (db, text, ...values) => (await db.query(named(text, values))).rows;
async function commit(work) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const done = await work((text, ...values) => ask(client, text, ...values));
    await client.query('COMMIT');
    return done;
  } catch (failure) {
    await client.query('ROLLBACK');
    throw failure;
  } finally {
    client.release();
  }
}

const merchantKey = createPrivateKey(config.merchant_key);
const platformKey = createPublicKey(config.platform_key);
const signLater = promisify(sign);
const verifyLater = promisify(verify);
const hashOf = (token) => createHash('sha256').update(token).digest('hex');
const userOf = async (request) => {
  const token = (request.get('authorization') ?? '').replace(/^Bearer /, '');
  return (await ask(pool, 'SELECT user_id FROM sessions WHERE token_hash = $1', hashOf(token)))[0]?.user_id;
};
const priced = (faceFen) => Math.round((faceFen * 9_950) / 10_000);

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post('/sessions', async (request, response) => {
  const token = randomBytes(24).toString('base64url');
  await ask(pool, 'INSERT INTO sessions VALUES ($1, $2)', hashOf(token), randomBytes(9).toString('base64url'));
  response.status(201).json({ token });
});
app.post('/orders', express.json({ limit: '16kb' }), async (request, response) => {
  const user = await userOf(request);
  if (user === undefined) return response.status(401).json({ reason: 'session_missing' });
  const { account, face_minor: face, product } = request.body;
  if (!/^\+86 ?1[3-9]\d{9}$/.test(account) || !Number.isSafeInteger(face) || face <= 0) return response.status(400).json({ reason: 'account_malformed' });
  const payable = priced(face);
  const id = `o${Date.now().toString(36)}${randomBytes(9).toString('hex')}`;
  const trade = `T${randomBytes(14).toString('hex')}`;
  const key = request.get('idempotency-key') ?? randomBytes(12).toString('hex');
  const now = Date.now();
  const quote = JSON.stringify({ lines: [{ rule: 'face', amount: face }, { rule: 'rate', amount: payable - face }], payable });
  await commit(async (run) => {
    await run('INSERT INTO orders VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', id, user, key, 'awaiting_payment', product, account, payable, quote, now);
    await run('INSERT INTO order_events VALUES ($1, 1, $2, $3)', id, 'place', now);
    await run('INSERT INTO payments VALUES ($1, $2, $3, $4, NULL)', trade, id, 'open', payable);
    await run('INSERT INTO jobs VALUES ($1, $2, $3, $4)', `expire:${id}`, 'expire', id, now + 900_000);
  });
  const prepay = `prepay_id=wx${id}`;  // what the bench's own channel answers, with no time of its own
  const stamp = String(Math.floor(now / 1000));
  const nonce = randomBytes(16).toString('hex');
  const paySign = (await signLater('sha256', Buffer.from(`${config.appid}\n${stamp}\n${nonce}\n${prepay}\n`), merchantKey)).toString('base64');
  response.status(201).json({ order_id: id, out_trade_no: trade, payable_minor: payable,
    invoke: { appId: config.appid, timeStamp: stamp, nonceStr: nonce, package: prepay, signType: 'RSA', paySign } });
});
app.get('/orders/:id', async (request, response) => {
  const user = await userOf(request);
  const [row] = await ask(pool, 'SELECT * FROM orders WHERE order_id = $1', request.params.id);
  if (row === undefined || row.user_id !== user) return response.status(404).json({ reason: 'order_not_found' });
  const events = await ask(pool, 'SELECT seq, event, at_ms FROM order_events WHERE order_id = $1 ORDER BY seq', row.order_id);
  response.json({ order_id: row.order_id, state: row.state, product: row.product, account: row.account, payable_minor: Number(row.payable_fen),
    quote: JSON.parse(row.quote), events });
});
app.post('/notify/wechat', express.raw({ type: () => true, limit: '64kb' }), async (request, response) => {
  const text = `${request.get('wechatpay-timestamp')}\n${request.get('wechatpay-nonce')}\n${request.body}\n`;
  const signature = Buffer.from(request.get('wechatpay-signature') ?? '', 'base64');
  if (!await verifyLater('sha256', Buffer.from(text), platformKey, signature)) return response.status(401).json({ code: 'FAIL', message: 'signature' });
  const body = JSON.parse(request.body);
  const sealed = Buffer.from(body.resource.ciphertext, 'base64');
  const open = createDecipheriv('aes-256-gcm', config.apiv3_key, body.resource.nonce);
  open.setAAD(Buffer.from(body.resource.associated_data));
  open.setAuthTag(sealed.subarray(-16));
  const trade = JSON.parse(Buffer.concat([open.update(sealed.subarray(0, -16)), open.final()]));
  if (trade.mchid !== config.mchid || trade.appid !== config.appid) return response.status(400).json({ code: 'FAIL', message: 'merchant' });
  await commit(async (run) => {
    const [payment] = await run('SELECT * FROM payments WHERE out_trade_no = $1 FOR UPDATE', trade.out_trade_no);
    if (payment === undefined || payment.state === 'paid') return;
    if (Number(payment.amount_fen) !== trade.amount.total) throw new Error('amount');
    const now = Date.now();
    await run('INSERT INTO notifications VALUES ($1, $2)', body.id, trade.out_trade_no);
    await run('UPDATE payments SET state = $1, transaction_id = $2 WHERE out_trade_no = $3 AND state = $4', 'paid', trade.transaction_id, trade.out_trade_no, 'open');
    await run('UPDATE orders SET state = $1 WHERE order_id = $2', 'recharging', payment.order_id);
    await run('INSERT INTO order_events VALUES ($1, 2, $2, $3)', payment.order_id, 'payment_confirmed', now);
    await run('INSERT INTO postings VALUES ($1, 1, $2, $3)', trade.out_trade_no, 'asset.channel', payment.amount_fen);
    await run('INSERT INTO postings VALUES ($1, 2, $2, $3)', trade.out_trade_no, 'liability.orders', -payment.amount_fen);
    await run('INSERT INTO jobs VALUES ($1, $2, $3, $4)', `submit:${payment.order_id}`, 'submit', payment.order_id, now);
  });
  response.status(200).json({ code: 'SUCCESS', message: 'OK' });
});

// For the driver: many paid-for-nothing orders at once, before anything is measured.
app.post('/bench/open', express.json({ limit: '64mb' }), async (request, response) => {
  const trades = request.body.map(([trade]) => trade);
  const fens = request.body.map(([, fen]) => fen);
  await pool.query(`INSERT INTO orders SELECT 'o' || t, 'bench', t, 'awaiting_payment', 'p', 'a', f, '{}', $3
    FROM unnest($1::text[], $2::bigint[]) AS given (t, f)`, [trades, fens, Date.now()]);
  await pool.query(`INSERT INTO payments SELECT t, 'o' || t, 'open', f, NULL FROM unnest($1::text[], $2::bigint[]) AS given (t, f)`, [trades, fens]);
  response.status(204).end();
});
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
