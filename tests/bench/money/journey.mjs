// Whole journeys against the real shop with every party rehearsed beside it: quote, order with its ticket, payment at the sheet,
// notification, delivery. A journey counts when the buyer's order says that it is delivered.
import { Agent, request } from 'node:http';
import { randomUUID } from 'node:crypto';
import { Shop } from '../../e2e/support/shop.mjs';

const kBuyers = 24;
const kPatienceMs = 30_000;
const kLookMs = 20;
// Nobody is asked twice or kept for a person, one client stands for many, and a delivery is looked for at once. The played
// parties take a hundredth of their time, 4 ms for a delivery: what is measured is work, not their pauses.
const kConfig = `
[limits]
percent = 0
[orders]
max_unpaid_per_user = 1000
repeat_window_ms = 0
review_above_minor = 0
first_supplier_query_ms = 100
`;

const agent = new Agent({ keepAlive: true, maxSockets: kBuyers });

function call(origin, method, path, body, headers = {}) {
  return new Promise((done, fail) => {
    const sent = request(origin + path, { agent, method, headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (answer.statusCode >= 400) fail(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        else done(text === '' ? null : JSON.parse(text));
      });
    });
    sent.on('error', fail);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function journey(shop, token) {
  const wanted = { product_id: 'cn-mobile-10000', account_number: '13800001234' };
  const session = { authorization: `Bearer ${token}` };
  const quote = await call(shop.origin, 'POST', '/api/v1/quotes', wanted);
  const made = await call(shop.origin, 'POST', '/api/v1/checkouts', {
    order: { ...wanted, quote_fingerprint: quote.fingerprint, confirm_repeat: true }, payment: { channel: 'wechat', scene: 'h5' },
  }, { ...session, 'idempotency-key': randomUUID() });
  if (!made.payment) throw new Error(`not started: ${JSON.stringify(made.payment_problem)}`);
  await call(shop.wechat, 'POST', '/control/pay', { out_trade_no: made.payment.out_trade_no });
  const end = Date.now() + kPatienceMs;
  for (;;) {
    const { state } = await call(shop.origin, 'GET', `/api/v1/orders/${made.order.order_id}`, undefined, session);
    if (state === 'succeeded') return;
    if (Date.now() > end) throw new Error(`a journey hangs at ${state}`);
    await new Promise((later) => setTimeout(later, kLookMs));
  }
}

/** @returns how many journeys a second ended in a delivery, one value for each round */
export async function journeysPerSecond(rounds, seconds) {
  const shop = await Shop.start({ config: kConfig, speed: 1 });
  try {
    const tokens = await Promise.all(Array.from({ length: kBuyers }, async () => (await call(shop.origin, 'POST', '/api/v1/sessions', {})).token));
    await Promise.all(tokens.map((token) => journey(shop, token)));  // everything has been opened once
    const seen = [];
    for (let round = 0; round < rounds; ++round) {
      let ended = 0;
      const began = performance.now();
      const over = began + seconds * 1000;
      await Promise.all(tokens.map(async (token) => {
        while (performance.now() < over) { await journey(shop, token); ++ended; }
      }));
      seen.push(ended / ((performance.now() - began) / 1000));
    }
    return seen;
  } finally {
    agent.destroy();
    await shop.stop();
    shop.cleanup();
  }
}
