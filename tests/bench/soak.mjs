// A shop that is busy with everything at once for --minutes N (10), its world ten times as quick as life and every minute a day,
// at whose end its clock goes to the next: does it hold more at the end than when it was warm, and is anything left over that
// nobody planted?
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { movingClock } from '../e2e/support/commands.mjs';
import { Buyer, Shop, binary, sleep, until } from '../e2e/support/shop.mjs';
import { figure, median } from './figures.mjs';
import { isQuick, option } from './form.mjs';
import { Traffic, compare, dayOf, deskAtOnce, night } from './soak/traffic.mjs';

const kMinutes = option('minutes', isQuick ? 0.5 : 10);
const kDayMs = isQuick ? 10_000 : 60_000;
const kSampleMs = isQuick ? 250 : 1_000;
const kSettleMs = 300_000;
const kPlantedLine = 'T-PLANTED';
const kAtOnce = isQuick ? 16 : 64;
const kFirstDay = isQuick ? 1 : 24;  // times kAtOnce orders
const kOver = new Set(['succeeded', 'refunded', 'closed']);
const kConfig = `
[limits]
percent = 0
[orders]
max_unpaid_per_user = 1000
repeat_window_ms = 0
review_above_minor = 0
pay_within_ms = 60000
first_supplier_query_ms = 300
`;

/** rss: what the system has given, heap: what the program holds of it, both in MB. */
async function sampleOf(shop) {
  const { pid } = shop.child;
  const metrics = (await shop.call('GET', '/metrics')).text;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name) => Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))[1]);
  return { rss: of('VmRSS') / 1024, heap: Number(metrics.match(/^process_heap_bytes (\d+)$/m)[1]) / 2 ** 20, threads: of('Threads'),
    files: readdirSync(`/proc/${pid}/fd`).length };
}

/** Seconds to the next noon of the shop: the bills of the day before are there then, and no midnight falls into the run. */
function toNoon() {
  const at = Math.floor(Date.now() / 1_000) + 8 * 3_600;
  return (36 * 3_600 - at % 86_400) % 86_400;
}

/** Least squares, per sample. */
function slopeOf(values) {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const over = values.reduce((sum, one, at) => sum + (at - middle) * (one - mean), 0);
  return over / values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
}

/** A first day before anything is measured, as full as a day of this run will be, all of its work at once and then its night:
 * threads, readers, caches and statements that begin when they are first needed are needed now, and the bills are long, so
 * that what comes later is growth. */
async function warmUp(shop, clock) {
  for (let round = 0; round < kFirstDay; ++round) {
    await Promise.all(Array.from({ length: kAtOnce }, async (_, i) => {
      const buyer = await Buyer.arrive(shop);
      const { id } = await buyer.buy(`137000${String(round * 100 + i).padStart(5, '0')}`);
      await until(`${id} is delivered`, async () => (await buyer.order(id)).state === 'succeeded', kSettleMs);
    }));
  }
  for (let i = 0; i < 8; ++i) await deskAtOnce(shop);
  await night(shop, clock);
}

/** Two things that a person must look at, so that "nothing is open" is known to be able to fail. */
async function plant(shop) {
  const buyer = await Buyer.arrive(shop);
  await shop.arm('wechat', 'wrong_amount');
  const order = (await buyer.place('13700000001')).json;
  const ticket = (await buyer.pay(order.order_id)).json;
  await shop.payAtSheet(ticket.out_trade_no);
  await fetch(`${shop.wechat}/control/bill`, { method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ plant: 'stranger', number: kPlantedLine, value: '777' }) });
  const person = await shop.signIn();
  await until('the wrong amount is seen', async () => (await itemsOf(person)).some((item) => item.order_id === order.order_id), kSettleMs);
  return { order: order.order_id };
}

async function itemsOf(person) {
  const found = [];
  for (let cursor = ''; ;) {
    const page = await person.get(`/api/admin/work-items?state=open${cursor}`);
    found.push(...page.work_items);
    if (!page.next_cursor) return found;
    cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
  }
}

/** What is open beyond what was planted, as one line each. */
async function leftOver(shop, planted) {
  const person = await shop.signIn();
  const isPlanted = (item) => item.order_id === planted.order || item.detail.includes(kPlantedLine);
  const left = (await itemsOf(person)).filter((item) => !isPlanted(item))
    .map(({ kind, detail, subject }) => `work item ${kind} ${subject}: ${detail}`);
  const differences = (await person.get('/api/admin/reconcile/differences?state=open')).differences;
  const plantedLine = (one) => JSON.stringify(one).includes(kPlantedLine);
  left.push(...differences.filter((one) => !plantedLine(one)).map((one) => `difference ${JSON.stringify(one)}`));
  if (!differences.some(plantedLine)) left.push('the planted line of the bill was not found');
  const sums = {};
  for (const { balance } of (await person.get('/api/admin/overview')).trial_balance) sums[balance.currency] = (sums[balance.currency] ?? 0) + balance.minor;
  left.push(...Object.entries(sums).filter(([, sum]) => sum !== 0).map(([currency, sum]) => `the books sum to ${sum} ${currency}`));
  return left;
}

function ordersByState(data) {
  const rows = execFileSync('sqlite3', [join(data, 'topup.sqlite'), 'SELECT state, COUNT(*) FROM orders GROUP BY state'], { encoding: 'utf8' });
  return Object.fromEntries(rows.trim().split('\n').map((row) => row.split('|')).map(([state, count]) => [state, Number(count)]));
}

function growth(id, samples, key, unit, goal) {
  // The first third warms caches up; then the middle of the second third is held against that of the last.
  const third = Math.floor(samples.length / 3);
  const of = (from, to) => samples.slice(from, to).map((one) => one[key]);
  const middle = median(of(third, 2 * third));
  const last = median(of(2 * third));
  return figure(id, [last - middle], unit, goal, { peer: 'the same run, one third earlier', peerValue: middle, ratio: last / middle, goalForRatio: false });
}

export async function run() {
  const clock = movingClock();
  clock.set(toNoon());
  const shop = await Shop.start({ speed: 10, config: kConfig, under: clock.under });
  try {
    await warmUp(shop, clock);
    const end = performance.now() + kMinutes * 60_000;
    const over = () => performance.now() > end;
    const traffic = new Traffic(shop, clock, over, kDayMs);
    const running = traffic.run();
    let isBroken = false;
    running.catch(() => { isBroken = true; });
    const samples = [];
    while (!over() && !isBroken) { samples.push(await sampleOf(shop)); await sleep(kSampleMs); }
    await running;
    const planted = await plant(shop);
    let left = [];
    await until('nothing is open but what was planted', async () => {
      await shop.arm('wechat', 'early_bill');
      for (const party of ['wechat', 'reloadly']) await compare(shop, await shop.signIn(), party, dayOf(clock));
      left = await leftOver(shop, planted);
      return left.length === 0;
    }, isQuick ? 60_000 : kSettleMs).catch(() => {});
    for (const one of left) console.error(`left over: ${one}`);
    await shop.stop();
    const states = ordersByState(shop.data);
    const unended = Object.entries(states).filter(([state]) => !kOver.has(state)).reduce((sum, [, count]) => sum + count, 0) - 1;
    if (!/the books hold/.test(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }))) throw new Error('the books do not hold');
    const warm = samples.slice(Math.floor(samples.length / 3));
    const perHour = (key) => (slopeOf(warm.map((one) => one[key])) * 3_600_000) / kSampleMs;
    const told = (id, value, unit) => figure(`soak.${id}`, [value], unit, null);
    return [
      growth('soak.heap_growth_mb', samples, 'heap', 'MB', 1), growth('soak.rss_growth_mb', samples, 'rss', 'MB', 1),
      growth('soak.files_growth', samples, 'files', 'files', 2),
      growth('soak.threads_growth', samples, 'threads', 'threads', 0),
      told('rss_slope', perHour('rss'), 'MB/hour'), told('files_slope', perHour('files'), 'files/hour'),
      figure('soak.rss_end_mb', warm.slice(-20).map((one) => one.rss), 'MB', 96),
      figure('soak.open_items', [left.length], 'items', 0), figure('soak.orders_not_ended', [unended], 'orders', 0),
      told('minutes', kMinutes, 'minutes'), told('days', traffic.counts.days, 'days of duties'),
      told('sheets_asked_again', Object.values(traffic.told).reduce((sum, one) => sum + one, 0), 'times'),
      ...Object.entries(traffic.ended).map(([state, count]) => told(`orders_${state}`, count, 'orders')),
      ...['faults', 'reads', 'desk', 'followers'].map((key) => told(key, traffic.counts[key], key)),
    ];
  } finally {
    await shop.kill().catch(() => {});
    rmSync(`${shop.data}-backups`, { recursive: true, force: true });
    rmSync(shop.data, { recursive: true, force: true });
  }
}
