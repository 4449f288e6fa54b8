// A flash sale: everybody wants one of few vouchers in the same second, over real connections, against the real shop with its
// rehearsal world. Who is told to come later comes later, with the same key, as the page does. Then the books are asked.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { Shop, binary, sleep, until } from '../e2e/support/shop.mjs';
import { figure } from './figures.mjs';
import { isQuick } from './form.mjs';

const kBuyers = isQuick ? 400 : 10_000;
const kItems = isQuick ? 40 : 1_000;
const kRounds = isQuick ? 1 : 3;
const kWithinMs = 1_000;
const kAtOnce = 64;  // of what is only preparation
const kPayers = 16;
const kPatienceMs = 60_000;
const kPinsAtOnce = 500;
const kFace = 10_000;
const kFlashPrice = 8_800;
// One client stands for many, nobody is kept for a person, and vouchers go on sale without one.
const kConfig = `
[limits]
percent = 0
[orders]
review_above_minor = 0
repeat_window_ms = 0
first_supplier_query_ms = 100
[catalog]
approve_new = true
`;

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

function call(origin, method, path, body, headers = {}) {
  return new Promise((done, fail) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const sent = request(origin + path, { agent, method, headers: { ...(text ? { 'content-type': 'application/json' } : {}), ...headers } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const got = Buffer.concat(parts).toString();
        done({ status: answer.statusCode, retryAfter: answer.headers['retry-after'], json: got === '' ? null : JSON.parse(got) });
      });
    });
    // The shop may close a kept connection in the moment in which it is used again: browsers ask once more, and so do we.
    sent.on('error', (why) => {
      if (sent.reusedSocket && why.code === 'ECONNRESET') call(origin, method, path, body, headers).then(done, fail);
      else fail(new Error(`${method} ${path}: ${why.message}`));
    });
    sent.end(text);
  });
}
const wanted = ({ status, json }, ...statuses) => {
  if (!statuses.includes(status)) throw new Error(`answered ${status}: ${JSON.stringify(json)}`);
  return json;
};

/** Runs `work` for each of `items`, `width` at a time. */
async function spread(items, width, work) {
  const results = [];
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, async () => {
    while (next < items.length) { const at = next++; results[at] = await work(items[at], at); }
  }));
  return results;
}

/** Puts `kItems` vouchers on sale at the price of the sale; gives back the product and what its page shows. */
async function stock(shop, staff, sku) {
  const post = (path, body) => call(shop.origin, 'POST', path, body, { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() });
  const money = (minor) => ({ minor, currency: 'CNY' });
  for (let from = 0; from < kItems; from += kPinsAtOnce) {
    const pins = Array.from({ length: Math.min(kPinsAtOnce, kItems - from) }, (_, i) => ({ code: `${sku}-${String(from + i).padStart(6, '0')}` }));
    wanted(await post('/api/admin/pins', { sku, country: 'CN', operator: 'Flash sale', name: sku, face: money(kFace), cost: money(8_000), pins }), 200);
  }
  const product = await until('the voucher is on sale', async () => {
    const { products } = await staff.get('/api/admin/catalog/products?kind=pin');
    return products.find((one) => JSON.stringify(one).includes(sku));
  }, kPatienceMs);
  wanted(await post('/api/admin/marketing/offers', { kind: 'promotion', id: sku.toLowerCase(), version: 0, on: true,
    terms: { name_zh: '限时抢购', name_en: 'Flash sale', form: 'flash_price', value: kFlashPrice, product_id: product.product_id, group: 1, optional: false } }), 200);
  const quote = await until('the price of the sale', async () => {
    const { json } = await call(shop.origin, 'POST', '/api/v1/quotes', { product_id: product.product_id, account_number: '' });
    return json.payable?.minor === kFlashPrice ? json : null;
  }, kPatienceMs);
  return { product_id: product.product_id, account_number: '', quote_fingerprint: quote.fingerprint };
}

/** One buyer from the press to an answer that is final: the order, or a plain no. */
async function press(shop, token, body) {
  const headers = { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() };
  await sleep(Math.random() * kWithinMs);
  const began = performance.now();
  for (let waits = 0; ; ++waits) {
    const { status, json, retryAfter } = await call(shop.origin, 'POST', '/api/v1/orders', body, headers);
    const ms = performance.now() - began;
    if (status === 201) return { ms, waits, token, order: json.order_id };
    if (status !== 503 && status !== 429) return { ms, waits, token, reason: `${status} ${json.reason}` };
    if (ms > kPatienceMs) throw new Error('a buyer is only told to come later');
    await sleep(Number(retryAfter ?? 1) * 1_000 * (0.5 + Math.random()));
  }
}

async function pay(shop, { token, order }) {
  const session = { authorization: `Bearer ${token}` };
  const ticket = await until('the sheet', async () => {
    const { status, json } = await call(shop.origin, 'POST', `/api/v1/orders/${order}/payments`, { channel: 'wechat', scene: 'h5' },
      { ...session, 'idempotency-key': randomUUID() });
    return status < 300 ? json : null;
  }, kPatienceMs);
  wanted(await call(shop.wechat, 'POST', '/control/pay', { out_trade_no: ticket.out_trade_no }), 200);
  return until('the voucher is delivered', async () => {
    const { json } = await call(shop.origin, 'GET', `/api/v1/orders/${order}`, undefined, session);
    return json.state === 'succeeded';
  }, kPatienceMs);
}

const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1];

async function sale(shop, staff, round) {
  const body = await stock(shop, staff, `FLASH${round}`);
  const tokens = await spread(Array.from({ length: kBuyers }), kAtOnce, async () => (
    wanted(await call(shop.origin, 'POST', '/api/v1/sessions', {}), 200, 201).token));
  const began = performance.now();
  const answers = await Promise.all(tokens.map((token) => press(shop, token, body)));
  const seconds = (performance.now() - began) / 1_000;
  const won = answers.filter((one) => one.order !== undefined);
  const reasons = [...new Set(answers.filter((one) => one.reason !== undefined).map((one) => one.reason))];
  if (reasons.some((reason) => reason !== '422 out_of_stock')) throw new Error(`odd refusals: ${reasons.join(', ')}`);
  await spread(won, kPayers, (one) => pay(shop, one));
  const { products } = await staff.get('/api/admin/pins');
  const left = products.find((one) => one.sku === `FLASH${round}`);
  return { won: won.length, orders: new Set(won.map((one) => one.order)).size, left, perSecond: answers.length / seconds,
    p50: percentile(answers.map((one) => one.ms), 0.5), p99: percentile(answers.map((one) => one.ms), 0.99),
    later: answers.filter((one) => one.waits > 0).length };
}

export async function run() {
  const shop = await Shop.start({ config: kConfig, speed: 50 });
  try {
    const staff = await shop.signIn();
    const seen = [];
    for (let round = 0; round < kRounds; ++round) seen.push(await sale(shop, staff, round));
    for (const { won, orders, left } of seen) {
      if (orders !== won || left.delivered !== won || left.available !== kItems - won) throw new Error(`stock: ${JSON.stringify({ won, orders, left })}`);
    }
    agent.destroy();
    await shop.stop();
    if (!/the books hold/.test(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }))) throw new Error('the books do not hold');
    const all = (key) => seen.map((one) => one[key]);
    return [
      figure('flash.buyers', [kBuyers], 'buyers', null), figure('flash.items', [kItems], 'items', null),
      figure('flash.oversold', seen.map(({ won }) => Math.max(0, won - kItems)), 'items', 0),
      figure('flash.unsold', seen.map(({ won }) => Math.max(0, kItems - won)), 'items', 0),
      figure('flash.answer_p50_ms', all('p50'), 'ms', null), figure('flash.answer_p99_ms', all('p99'), 'ms', null),
      figure('flash.answers', all('perSecond'), 'answers/s', null),
      figure('flash.told_to_come_later', all('later'), 'buyers', null),
    ];
  } finally {
    agent.destroy();
    await shop.kill().catch(() => {});
    (shop.cleanup ?? (() => {}))();
  }
}
