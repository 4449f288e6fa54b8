// kill -9 on the real program, hundreds of times, 5 to 120 ms after it began to answer: whatever was answered is there, every
// paid order ends, nothing is recharged twice, the books sum to zero. TOPUP_KILLS says how often (scripts/test: crash-long).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inLanes, scratch } from './support/commands.mjs';
import { Buyer, Shop, binary, sleep, until } from './support/shop.mjs';

const kKills = Number(process.env.TOPUP_KILLS ?? 300);
const kShops = 3;  // side by side: one starts while another is served
const kBuyers = 4;
const kPaidOfTen = 3;
const config = `
[limits]
percent = 0
[orders]
first_supplier_query_ms = 300
not_found_needed = 3
not_found_gap_ms = 200
max_unpaid_per_user = 1000
review_above_minor = 0
`;

// Chance that is the same in every run: a failure is seen again.
function chance(seed) {
  let state = BigInt(seed) * 0x9e3779b97f4a7c15n + 1n;
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(below));
  };
}

/** What one shop has said "yes" to, whatever became of the connection afterwards. */
class Answered {
  orders = new Set();
  cancelled = new Set();
  tickets = new Map();  // out_trade_no → order
  paid = new Map();     // orders whose money the channel may have → who pays
  count() { return this.orders.size + this.cancelled.size + this.tickets.size; }
}

async function keepBuying(buyer, answered, draw, life) {
  while (!life.over) {
    const placed = await buyer.place('13800001234', { fingerprint: buyer.fingerprint });
    if (placed.status !== 201) throw new Error(`an order was refused: ${placed.status} ${placed.text}`);
    const id = placed.json.order_id;
    answered.orders.add(id);
    if (draw(10) < kPaidOfTen) {
      const ticket = await buyer.pay(id);
      if (ticket.status !== 200) throw new Error(`a payment was refused: ${ticket.status} ${ticket.text}`);
      answered.tickets.set(ticket.json.out_trade_no, id);
      answered.paid.set(id, buyer);  // from here on the channel may have it, whatever it says
      await buyer.shop.payAtSheet(ticket.json.out_trade_no);
    } else {
      const gone = await buyer.call('POST', `/api/v1/orders/${id}/cancel`);
      if (gone.status !== 200) throw new Error(`a cancellation was refused: ${gone.status} ${gone.text}`);
      answered.cancelled.add(id);
    }
  }
}

/** Rows of one file of the shop, read beside it. */
function rows(path, sql) {
  const read = 'import json,sqlite3,sys\nprint(json.dumps(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=5)'
    + '.execute(sys.argv[2]).fetchall()))';
  return JSON.parse(execFileSync('python3', ['-c', read, path, sql], { encoding: 'utf8', maxBuffer: 1 << 28 }));
}

async function liveAndDie(shop, kills, draw) {
  const answered = new Answered();
  const buyers = await Promise.all(Array.from({ length: kBuyers }, () => Buyer.arrive(shop)));
  const { fingerprint } = (await buyers[0].quote('13800001234')).json;
  for (const buyer of buyers) buyer.fingerprint = fingerprint;
  const refused = [];
  for (let kill = 0; kill < kills; ++kill) {
    const life = { over: false };
    const work = buyers.map((buyer) => keepBuying(buyer, answered, draw, life).catch((error) => {
      if (!life.over && !/fetch failed|terminated|other side closed/.test(String(error))) refused.push(error);
    }));
    // Of four lives three have begun to answer, however busy the machine is; the fourth may die before it does.
    const before = answered.count();
    if (kill % 4 !== 3) await until('it answers', () => answered.count() > before || refused.length > 0, 20_000);
    await sleep(5 + draw(116));
    life.over = true;
    await shop.kill();
    await Promise.all(work);
    if (refused.length > 0) throw refused[0];
    await shop.run();
  }
  // The last life goes on: what is paid in it ends beside what the others have left.
  const { id, outTradeNo } = await buyers[0].buy('13800001234');
  answered.orders.add(id);
  answered.tickets.set(outTradeNo, id);
  answered.paid.set(id, buyers[0]);
  return answered;
}

const kEnds = ['succeeded', 'refunded'];
const statesOf = (shop) => new Map(rows(join(shop.data, 'topup.sqlite'), 'SELECT order_id, state FROM orders'));
/** What the channel has been paid: out_trade_no by order. */
const paidAtChannel = (shop, answered) => new Map(rows(join(shop.data, 'rehearsal.sqlite'),
  'SELECT out_trade_no FROM wechat_orders WHERE transaction_id IS NOT NULL').map(([no]) => [answered.tickets.get(no), no]));

/** Every order whose money the channel has comes to its end. */
async function allEnd(shop, answered) {
  const open = () => {
    const states = statesOf(shop);
    return [...paidAtChannel(shop, answered).keys()].filter((id) => !kEnds.includes(states.get(id)));
  };
  // The page asks again when it is opened: not all at once, for one address has only so many connections.
  await inLanes(answered.paid, ([id, buyer]) => until('the page is answered',
    () => buyer.call('POST', `/api/v1/orders/${id}/confirm`).then(() => true, () => false)));
  await until('every paid order ends', async () => {
    if (open().length === 0) return true;
    await sleep(200);
    return false;
  }, 60_000);
}

function judge(shop, answered) {
  const file = join(shop.data, 'topup.sqlite');
  const orders = statesOf(shop);
  const tickets = new Set(rows(file, 'SELECT out_trade_no FROM payment_attempts').flat());
  const lost = [...answered.orders].filter((id) => !orders.has(id)).length
    + [...answered.cancelled].filter((id) => orders.get(id) !== 'closed').length
    + [...answered.tickets.keys()].filter((no) => !tickets.has(no)).length;
  // Each of them is delivered or given back, once; the others were never paid.
  const channel = paidAtChannel(shop, answered);
  const count = (template) => new Map(rows(file, `SELECT order_id, COUNT(*) FROM journals WHERE template = '${template}' GROUP BY 1`));
  const payments = count('payment'), fulfilments = count('fulfilment');
  const attempts = rows(file, 'SELECT order_id, attempt_id, state FROM supplier_attempts');
  const topups = new Map(rows(join(shop.data, 'rehearsal.sqlite'), 'SELECT custom_identifier, COUNT(*) FROM reloadly_topups GROUP BY 1'));
  let unended = 0, doubled = 0;
  for (const id of channel.keys()) {
    if (!kEnds.includes(orders.get(id)) || payments.get(id) !== 1) ++unended;
    const mine = attempts.filter(([order]) => order === id);
    const delivered = mine.reduce((sum, [, attempt]) => sum + (topups.get(attempt) ?? 0), 0);
    if (delivered > 1 || mine.length > 1) ++doubled;
    assert.equal(delivered, orders.get(id) === 'succeeded' ? 1 : 0, `${id} is ${orders.get(id)}, delivered ${delivered} times`);
    assert.equal(fulfilments.get(id) ?? 0, delivered);
  }
  const unequal = rows(file, 'SELECT amount_currency, SUM(amount_minor) FROM postings GROUP BY 1 HAVING SUM(amount_minor) <> 0');
  return { lost, unended, doubled, unequal, paid: channel.size, delivered: fulfilments.size };
}

test(`D-05, O-01: ${kKills} times kill -9 while orders are placed, cancelled, paid and delivered: nothing lost, nothing doubled`,
  { timeout: 120_000 + kKills * 1_000 }, async () => {
    const began = Date.now();
    const each = Math.ceil(kKills / kShops);
    // Making the keys of a shop and of its world takes longest: once, and the others are copies.
    const first = await Shop.start({ config, speed: 50 });
    assert.equal((await first.stop()).code, 0);
    const results = await Promise.all(Array.from({ length: kShops }, async (_, which) => {
      const data = join(scratch(), 'shop');
      cpSync(first.data, data, { recursive: true });
      const shop = await Shop.start({ config, speed: 50, data });
      const answered = await liveAndDie(shop, each, chance(which + 1));
      await allEnd(shop, answered);
      assert.equal((await shop.stop()).code, 0);
      const found = judge(shop, answered);
      assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
      return { ...found, orders: answered.orders.size, answers: answered.count() };
    }));
    first.cleanup();
    const sum = (field) => results.reduce((total, result) => total + result[field], 0);
    console.log(`figure D-05: ${each * kShops} kills, ${sum('orders')} acknowledged orders in ${sum('answers')} answers, ${sum('lost')} lost`);
    console.log(`figure O-01: ${each * kShops} kills, ${sum('paid')} paid orders, ${sum('delivered')} delivered, ${sum('doubled')} recharged twice, `
      + `${sum('unended')} without an end, in ${Math.round((Date.now() - began) / 1000)} s`);
    assert.equal(sum('lost'), 0, 'whatever was answered is there');
    assert.equal(sum('doubled'), 0);
    assert.equal(sum('unended'), 0);
    assert.deepEqual(results.flatMap(({ unequal }) => unequal), [], 'the books sum to zero');
    assert.ok(sum('orders') > each * kShops, 'the shops were busy when they were killed');
    assert.ok(sum('delivered') > 0, 'some orders were delivered across the kills');
  });
