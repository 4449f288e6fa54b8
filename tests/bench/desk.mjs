// The console over many orders (TOPUP_BENCH_ORDERS, a million), on SQLite and on PostgreSQL: how soon a search answers and
// how soon the first page does, over HTTP with a real session. TOPUP_BENCH_ENGINES narrows it to one engine.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Postgres } from '../e2e/support/postgres.mjs';
import { Buyer, Shop } from '../e2e/support/shop.mjs';
import { figure } from './figures.mjs';
import { isQuick } from './form.mjs';

const orders = Number(process.env.TOPUP_BENCH_ORDERS ?? (isQuick ? 2_000 : 1_000_000));
const engines = (process.env.TOPUP_BENCH_ENGINES ?? 'sqlite postgres').split(' ');
const rounds = Number(process.env.TOPUP_BENCH_ROUNDS ?? (isQuick ? 2 : 12));
const filler = join(dirname(fileURLToPath(import.meta.url)), 'fill_orders.py');
const kSearchMs = 100;
const kHomeMs = 300;
const kDayMs = 86_400_000;

const p95 = (values) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1];

/** What somebody looks for, each as the console asks it. */
function searches({ newest, old, like, next }) {
  const paid = old.payments[0];
  const q = (text, more = '') => `?q=${encodeURIComponent(text)}${more}`;
  const days = (from, to) => `from_ms=${Date.now() - from * kDayMs}&to_ms=${Date.now() - to * kDayMs}`;
  return {
    newest: '', second_page: `?cursor=${encodeURIComponent(next)}`, by_state: '?state=succeeded', rare_state: '?state=manual',
    absent_state: '?state=review', days: `?${days(40, 39)}`, old_days_of_state: `?state=refunded&${days(50, 40)}`,
    order: q(old.order.order_id), phone: q('13800001234'), tail: q('1234'), tail_of_state: q('1234', '&state=refunded'),
    buyer: q(newest.user_id), trade: q(paid.out_trade_no), transaction: q(paid.transaction_id),
    supplier_reference: q(old.supplier_attempts[0].supplier_order_id), nothing: q('nobody-knows-this'), nothing_tail: q('0000'),
    channel: '?channel=alipay', channel_of_state: '?channel=alipay&state=refunded', supplier: '?supplier=dtone',
    supplier_of_days: `?supplier=dtone&${days(30, 29)}`, kind: '?kind=airtime', rare_everything: '?channel=alipay&supplier=dtone&state=manual',
    like: q(like),
  };
}

async function timed(staff, path) {
  const began = performance.now();
  const answer = await staff.get(path);
  return { ms: performance.now() - began, answer };
}

async function measure(engine, place) {
  const database = engine === 'postgres' ? await Postgres.start() : null;
  try {
    const data = join(place, engine);
    mkdirSync(data);
    const config = `[limits]\npercent = 0\n${database ? `[store]\nurl = "${database.url}"\n` : ''}`;
    const first = await Shop.start({ data, config });
    const buyer = await Buyer.arrive(first);
    const like = (await buyer.place('13800001234')).json.order_id;
    await first.stop();
    const began = performance.now();
    execFileSync('python3', [filler, engine, database ? database.url : join(data, 'topup.sqlite'), String(orders), like],
      { stdio: ['ignore', 'ignore', 'inherit'] });
    const filled = performance.now() - began;
    first.options.data = data;
    await first.run();
    const staff = await first.signIn();
    const page = await staff.get('/api/admin/orders');
    const second = await staff.get(`/api/admin/orders?cursor=${encodeURIComponent(page.next_cursor)}`);
    const days = await staff.get(`/api/admin/orders?state=succeeded&to_ms=${Date.now() - 20 * kDayMs}`);
    const wanted = searches({ newest: second.orders[3], old: await staff.order(days.orders[2].order_id), like, next: page.next_cursor });
    const found = {};
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, query] of Object.entries(wanted)) (found[name] ??= []).push((await timed(staff, `/api/admin/orders${query}`)).ms);
    }
    const home = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const path of ['figures', 'overview', 'work']) home.push((await timed(staff, `/api/admin/${path}`)).ms);
    }
    await first.stop();
    const slowest = Object.entries(found).map(([name, ms]) => [p95(ms), name]).sort((a, b) => b[0] - a[0]);
    return [
      figure(`desk.${engine}.filled_s`, [filled / 1000], 's', null),
      figure(`desk.${engine}.search_p95_ms`, [p95(Object.values(found).flat())], 'ms', kSearchMs),
      ...slowest.slice(0, 4).map(([ms, name]) => figure(`desk.${engine}.search_${name}_p95_ms`, [ms], 'ms', kSearchMs)),
      figure(`desk.${engine}.home_p95_ms`, [p95(home)], 'ms', kHomeMs),
    ];
  } finally {
    await database?.stop();
  }
}

export async function run() {
  const place = mkdtempSync(join(process.env.TOPUP_BENCH_DIR ?? tmpdir(), 'topup-bench-'));
  try {
    const all = [];
    for (const engine of engines) all.push(...await measure(engine, place));
    return all;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
