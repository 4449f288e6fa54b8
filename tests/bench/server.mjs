// The server against the limits of the same machine in the same run: door, slow clients, WebSockets, durable writes, start.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { meeting } from '../e2e/support/commands.mjs';
import { Buyer, Shop, sleep, until } from '../e2e/support/shop.mjs';
import { figure, median } from './figures.mjs';
import { isQuick } from './form.mjs';
import { follower, slowSockets, wrk } from './server_load.mjs';

const peers = fileURLToPath(new URL('../../build/release/topup_bench_server', import.meta.url));
const storeCallers = fileURLToPath(new URL('../../build/release/topup_bench_store', import.meta.url));
const kRounds = isQuick ? 1 : 3;
const kSeconds = isQuick ? 1 : 3;
const kConnections = 64;
const kSyncUs = 1_000;
const kSlow = isQuick ? 100 : 2_000;
const kFollowers = isQuick ? 400 : 10_000;

const rssMb = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;

const counted = ([program, ...words]) => Number(execFileSync(program, words, { encoding: 'utf8' }));

async function servePeer(kind) {
  const child = spawn(peers, [kind], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise((done) => child.stdout.once('data', (bytes) => done(Number(bytes))));
  return { url: `http://127.0.0.1:${port}/`, stop: () => child.stdin.end() };
}

/** In turns, so that what else the machine does meets all three alike. */
async function hello(shop) {
  const beast = await servePeer('beast');
  const httplib = await servePeer('httplib');
  const urls = { beast: beast.url, httplib: httplib.url, shop: `${shop.origin}/healthz` };
  const seen = { beast: [], httplib: [], shop: [] };
  for (const url of Object.values(urls)) await wrk(url, { connections: kConnections, seconds: 1 });  // nothing is met for the first time
  for (let round = 0; round < kRounds; ++round) {
    for (const [name, url] of Object.entries(urls)) seen[name].push(await wrk(url, { connections: kConnections, seconds: kSeconds }));
  }
  beast.stop();
  httplib.stop();
  const rates = (name) => seen[name].map((one) => one.perSecond);
  const against = (name, peer, goal) => figure(`server.hello_vs_${name}`, rates('shop'), 'requests/s', goal,
    { atMost: false, peer, peerValue: median(rates(name)), ratio: median(rates('shop')) / median(rates(name)) });
  return [
    against('beast', 'bare Beast', 0.5),
    against('httplib', 'bare cpp-httplib, a thread for each connection', 1),
    figure('server.hello_p99_ms', seen.shop.map((one) => one.p99), 'ms', 5),
  ];
}

async function besideSlowClients(shop) {
  const slow = slowSockets(Number(new URL(shop.origin).port), kSlow);
  await until('the slow ones are connected', () => slow.open() >= kSlow, 10_000);
  await sleep(1_000);
  const seen = [];
  for (let round = 0; round < kRounds; ++round) seen.push(await wrk(`${shop.origin}/healthz`, { connections: 16, seconds: kSeconds + 1 }));
  const rss = rssMb(shop.child.pid);
  slow.stop();
  const failures = seen.reduce((sum, one) => sum + one.failures, 0);
  return [
    figure('server.slow_2000_others_p99_ms', seen.map((one) => one.p99), 'ms', 50),
    figure('server.slow_2000_others_failures', [failures], 'requests', 0),
    figure('server.slow_2000_rss_mb', [rss], 'MB', 64),
  ];
}

/** All follow one order; what changes it reaches the last of them when? */
async function broadcast(shop) {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place('13800001234')).json;
  const hello = JSON.stringify({ type: 'subscribe', session: buyer.token, order_id: order.order_id, after: 1 });
  const sockets = [];
  let heard = 0;
  const before = rssMb(shop.child.pid);
  while (sockets.length < kFollowers) {
    const some = Array.from({ length: 200 }, () => follower(shop.origin, hello, (text) => { if (text.includes('"closed"')) ++heard; }));
    sockets.push(...await Promise.all(some));
  }
  await sleep(2_000);
  const rss = rssMb(shop.child.pid) - before;
  const began = performance.now();
  await buyer.call('POST', `/api/v1/orders/${order.order_id}/cancel`);
  await until('every follower has heard', () => heard >= kFollowers, 20_000);
  const took = performance.now() - began;
  for (const socket of sockets) socket.destroy();
  return [
    figure('server.websockets_10000_mb', [rss], 'MB', 200),
    figure('server.broadcast_10000_ms', [took], 'ms', 500),
  ];
}

/** Through the whole door: a guest's session is two durable rows. Where a sync costs next to nothing, that is a figure of the
 * door and not of the disk, and has no goal: the peer speaks no HTTP. */
async function durableWrites(shop, folder, name, goal, underPeer = []) {
  const script = join(folder, 'post.lua');
  writeFileSync(script, 'wrk.method = "POST"\nwrk.body = "{}"\nwrk.headers["Content-Type"] = "application/json"\n');
  const own = [];
  const alone = [];
  for (let round = 0; round < kRounds; ++round) {
    alone.push(counted([...underPeer, peers, 'commits', join(folder, `${name}-alone-${round}.sqlite`), String(kSeconds)]));
    const seen = await wrk(`${shop.origin}/api/v1/sessions`, { connections: kConnections, seconds: kSeconds, script });
    if (seen.failures > 0) throw new Error(`${seen.failures} writes were refused`);
    own.push(seen.perSecond);
  }
  return [figure(name, own, 'writes/s', goal,
    { atMost: false, peer: 'SQLite, one fsync each', peerValue: median(alone), ratio: median(own) / median(alone) })];
}

/** The store itself, asked by as many callers at once. */
function storeWrites(folder) {
  const own = [];
  const alone = [];
  for (let round = 0; round < kRounds; ++round) {
    const file = (who) => join(folder, `store-${who}-${round}.sqlite`);
    alone.push(counted([peers, 'commits', file('alone'), String(kSeconds)]));
    own.push(counted([storeCallers, file('callers'), String(kConnections), String(kSeconds)]));
  }
  return figure('server.store_writes_64', own, 'writes/s', 5,
    { atMost: false, peer: 'SQLite, one fsync each', peerValue: median(alone), ratio: median(own) / median(alone) });
}

async function starts(shop) {
  const ready = [];
  for (let i = 0; i < (isQuick ? 2 : 7); ++i) {
    await shop.stop();
    const began = performance.now();
    await shop.run();
    ready.push(performance.now() - began);
  }
  await sleep(2_000);
  return [figure('server.start_to_ready_existing_ms', ready, 'ms', 60), figure('server.rss_idle_mb', [rssMb(shop.child.pid)], 'MB', 40)];
}

/** The same where a sync takes its time, as the disks of rented machines do; a sync of this machine may cost next to nothing. */
async function durableWritesOnSlowDisk(folder) {
  const disk = (file) => meeting('fdatasync', 1, `slow:${kSyncUs}`, file);
  const shop = await Shop.start({ config: benchConfig, under: disk('topup.sqlite') });
  const results = await durableWrites(shop, folder, 'server.durable_writes_64_sync_1ms', 5, disk('-alone-'));
  await shop.stop();
  shop.cleanup();
  return results;
}

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'topup bench '));
  const shop = await Shop.start({ config: benchConfig });
  const results = [...await starts(shop), ...await hello(shop), ...await durableWrites(shop, folder, 'server.durable_writes_64', null),
    ...await besideSlowClients(shop), ...await broadcast(shop)];
  await shop.stop();
  shop.cleanup();
  results.push(storeWrites(folder), ...await durableWritesOnSlowDisk(folder));
  rmSync(folder, { recursive: true });
  return results;
}

// One client stands for many here, so its buckets would fill at once.
const benchConfig = '[limits]\npercent = 0\n';
