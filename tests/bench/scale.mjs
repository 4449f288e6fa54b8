// What one order, one look-up and one durable write cost in processor time when the shop already holds 10^3 to 10^5 orders
// (10^6: --long). All shops stand at once and are asked in turns, so that what else the machine does meets all of them alike.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { figure, median } from './figures.mjs';
import { isLong, isQuick } from './form.mjs';
import { binary, customers, json, kCreateLua, kSeconds, makeKeys, measured, started } from './money/shops.mjs';

const kSizes = isQuick ? [1_000, 10_000] : isLong ? [1_000, 10_000, 100_000, 1_000_000] : [1_000, 10_000, 100_000];
const kRounds = isQuick ? 1 : 3;
const kListed = 60;
const kMostGrowth = 1.25;  // of the least shop's cost
const kSessionLua = 'wrk.method = "POST"\nwrk.body = "{}"\nwrk.headers["Content-Type"] = "application/json"\n';

const cpuMs = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;  // utime and stime, in ticks of 10 ms
};

/** A shop of that many orders and the ways in which it is asked. */
async function open(size, folder, keys) {
  const shop = await started('ours', binary, ['serve', join(folder, `shop of ${size}`), keys.file, String(size)]);
  const { tokens, path, body } = await customers(shop);
  const file = (name, text) => { const at = join(folder, `${name}-${size}.lua`); writeFileSync(at, text); return at; };
  let made;  // the list is as long in every shop: more than a page
  for (let i = 0; i < kListed; ++i) {
    const headers = { authorization: `Bearer ${tokens[0]}`, 'idempotency-key': `bench-scale-${size}-${i}` };
    made = await json(shop.origin + path, { body, headers });
  }
  const asBuyer = file('read', `wrk.headers["Authorization"] = "Bearer ${tokens[0]}"\n`);
  const create = file('create', kCreateLua);
  const commit = file('commit', kSessionLua);
  const api = `${shop.origin}/api/v1`;
  return { size, shop, ways: {
    order: (tag) => measured('order', shop, shop.origin, { script: create, args: [path, tokens.join(','), body, `s${size}${tag}`] }),
    read: () => measured('read', shop, `${api}/orders/${made.order.order_id}`, { script: asBuyer }),
    list: () => measured('list', shop, `${api}/orders`, { script: asBuyer }),
    commit: () => measured('commit', shop, `${api}/sessions`, { script: commit }),
  } };
}

/** Processor time of the shop for one request, in µs. */
async function costOf({ shop, ways }, way, tag) {
  const before = cpuMs(shop.child.pid);
  const { perSecond } = await ways[way](tag);
  return ((cpuMs(shop.child.pid) - before) * 1_000) / (perSecond * kSeconds);
}

export async function run() {
  const folder = mkdtempSync(join(process.env.TOPUP_BENCH_DIR ?? tmpdir(), 'topup bench '));
  const keys = makeKeys(folder);
  const shops = [];
  try {
    for (const size of kSizes) shops.push(await open(size, folder, keys));
    const costs = {};
    for (const one of shops) for (const way of Object.keys(one.ways)) await one.ways[way]('warm');
    for (let round = 0; round < kRounds; ++round) {
      for (const way of Object.keys(shops[0].ways)) {
        for (const one of shops) ((costs[way] ??= {})[one.size] ??= []).push(await costOf(one, way, String(round)));
      }
    }
    const [least] = kSizes;
    return Object.entries(costs).flatMap(([way, at]) => kSizes.map((size) => (size === least
      ? figure(`scale.${way}_at_1e${Math.log10(size)}`, at[size], 'us of processor', null)
      : figure(`scale.${way}_at_1e${Math.log10(size)}`, at[size], 'us of processor', kMostGrowth,
        { peer: `a shop of ${least} orders`, peerValue: median(at[least]), ratio: median(at[size]) / median(at[least]) }))));
  } finally {
    for (const { shop } of shops) { shop.child.removeAllListeners('exit'); shop.stop(); }
    rmSync(folder, { recursive: true, force: true });
  }
}
