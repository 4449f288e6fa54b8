// What is watched: every metric that the dashboard and the alert rules name exists in a running shop, the probes tell the
// truth, and a party that hangs takes nothing else with it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Buyer, Shop, sleep, until } from './support/shop.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const operate = (name) => readFileSync(join(root, 'scripts/operate', name), 'utf8');

// The words of an expression that are metrics: no function, label, label value, duration or keyword.
function metricsOf(expression) {
  const bare = expression.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}/g, '').replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring|group_left)\s*\([^)]*\)/g, '');
  return [...bare.matchAll(/[a-z_]\w*(?!\w*\s*\()/g)].map(([word]) => word)
    .filter((word) => !['and', 'or', 'unless', 'bool'].includes(word))
    .filter((word) => !new RegExp(`\\b${word}\\s*\\(`).test(bare));
}

const alerts = () => operate('alerts.yml');
const alertExpressions = () => [...alerts().matchAll(/^ +expr: (.+)$/gm)].map(([, expression]) => expression);
const dashboard = () => JSON.parse(operate('grafana-dashboard.json'));

test('every alert has words for whoever is woken by it, in both languages', () => {
  const blocks = alerts().split(/^ +- alert: /m).slice(1);
  assert.ok(blocks.length >= 12);
  assert.equal(new Set(blocks.map((block) => block.split('\n')[0])).size, blocks.length);
  for (const block of blocks) {
    const name = block.split('\n')[0];
    assert.match(block, /expr: \S/, name);
    assert.match(block, /severity: (page|ticket)/, name);
    assert.match(block, /summary: '/, name);
    for (const key of ['meaning', 'first_look', 'action']) {
      assert.match(block, new RegExp(`${key}: 'en: .+ zh: .+'`), `${name} ${key}`);
    }
  }
});

test('every metric that the dashboard and the alerts name exists in a running shop', async () => {
  const shop = await Shop.start({});
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800138000');
  await buyer.reaches(id, 'succeeded');
  assert.equal((await shop.call('GET', '/nothing/here')).status, 404);
  assert.equal((await buyer.call('GET', '/api/v1/orders/unknown')).status, 404);
  const { status, text } = await shop.call('GET', '/metrics');
  assert.equal(status, 200);
  const known = new Set([...text.matchAll(/^([a-z_]\w*)/gm)].map(([, name]) => name));
  const traced = ['trace_spans_total'];  // there once a collector is configured: tracing.test.mjs
  const prometheus = ['up'];
  const panels = dashboard().panels.filter((panel) => panel.type !== 'row');
  const expressions = [...alertExpressions(), ...panels.flatMap((panel) => panel.targets.map(({ expr }) => expr))];
  assert.ok(expressions.length > 50);
  let named = 0;
  for (const expression of expressions) {
    for (const metric of metricsOf(expression)) {
      named += 1;
      if ([...traced, ...prometheus].includes(metric)) continue;
      assert.ok(known.has(metric), `${metric} of: ${expression}`);
    }
  }
  assert.ok(named >= expressions.length);

  // The figures are those of what has just happened.
  assert.match(text, /^orders_total\{state="succeeded"\} 1$/m);
  assert.match(text, /^outbound_total\{outcome="2xx",party="wechat_pay"\} \d+$/m);
  assert.match(text, /^outbound_breaker_state\{party="reloadly"\} 0$/m);
  assert.match(text, /^http_class_requests_total\{auth="buyer",rate="write",status_class="2xx"\} \d+$/m);
  assert.match(text, /^topup_build_info\{version="[\d.]+",engine="sqlite"\} 1$/m);
  assert.match(text, /^store_failing 0$/m);
  assert.match(text, /^jobs\{state="dead"\} 0$/m);
  assert.match(text, /^work_items_open\{kind="payment_mismatch"\} 0$/m);
  assert.match(text, /^job_run_seconds_count\{kind="submit"\} 1$/m);
  const value = (name) => Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))[1]);
  assert.ok(value('process_resident_memory_bytes') > 1e6);
  assert.ok(value('process_heap_bytes') > 1e6);
  assert.ok(Math.abs(value('process_start_time_seconds') - Date.now() / 1000) < 120);
  assert.ok(value('store_write_seconds_count') >= 5);

  const { parties } = await (await shop.signIn()).get('/api/admin/overview');
  assert.deepEqual(parties.filter(({ name }) => name === 'wechat_pay').map(({ breaker, recent_errors: errors, waiting }) => (
    { breaker, errors, waiting })), [{ breaker: 'closed', errors: 0, waiting: 0 }]);

  // Its price: the whole text at once, and no look at the database for each reading.
  const began = performance.now();
  for (let i = 0; i < 20; i += 1) await shop.call('GET', '/metrics');
  assert.ok((performance.now() - began) / 20 < 100, 'a reading takes less than 100 ms');
  assert.ok(text.length < 200_000);
  assert.ok(!/13800138000|138\*\*\*\*8000/.test(text));
  await shop.stop();
  shop.cleanup();
});

test('only this machine and those whom the operator names read the metrics', async (t) => {
  const outer = Object.values(networkInterfaces()).flat().find((one) => one.family === 'IPv4' && !one.internal);
  if (!outer) return t.skip('this machine has no address but loopback');
  const data = mkdtempSync(join(tmpdir(), 'topup metrics '));
  writeFileSync(join(data, 'token'), 'let-me-read-the-metrics\n');
  const asked = (shop, headers = {}) => new Promise((done, fail) => {
    const { port } = new URL(shop.origin);
    request({ host: outer.address, port, path: '/metrics', headers }, (response) => {
      response.resume();
      done(response.statusCode);
    }).on('error', fail).end();
  });
  const config = `[server]\naddress = "0.0.0.0"\n[metrics]\ntoken_file = "${join(data, 'token')}"\n`;
  const shop = await Shop.start({ data, config });
  assert.equal((await shop.call('GET', '/metrics')).status, 200);
  assert.equal(await asked(shop), 403);
  assert.equal(await asked(shop, { authorization: 'Bearer let-me-read-the-metric' }), 403);
  assert.equal(await asked(shop, { authorization: 'Bearer let-me-read-the-metrics' }), 200);
  await shop.stop();
  const named = await Shop.start({ data, config: `[server]\naddress = "0.0.0.0"\n[metrics]\nallow = ["${outer.address}/32"]\n` });
  assert.equal(await asked(named), 200);
  await named.stop();
  rmSync(data, { recursive: true, force: true });
  return undefined;
});

test('S-07: while a party hangs the shop answers, and new payments are refused quickly', async () => {
  const shop = await Shop.start({ speed: 10 });
  const buyers = await Promise.all(Array.from({ length: 24 }, () => Buyer.arrive(shop)));
  const orders = await Promise.all(buyers.map(async (buyer, i) => (
    (await buyer.place(`138001380${String(i).padStart(2, '0')}`)).json.order_id)));
  const late = await Buyer.arrive(shop);
  const order = (await late.place('13800138055')).json.order_id;
  await shop.arm('wechat', 'hang', 1_000);
  const payments = buyers.map(async (buyer, i) => {
    const began = performance.now();
    const response = await buyer.pay(orders[i], randomUUID());
    return { status: response.status, reason: response.json?.reason, ms: performance.now() - began };
  });
  await sleep(500);
  const times = [];
  for (let i = 0; i < 100; i += 1) {
    const began = performance.now();
    assert.equal((await shop.call('GET', '/healthz')).status, 200);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const p99 = times[98];
  console.log(`figure S-07: /healthz while the channel hangs p50 ${times[50].toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
  assert.ok(p99 <= 100, `p99 ${p99}`);
  assert.ok((await buyers[0].quote('13800138099')).status < 500);
  // By now the channel has answered nobody for two seconds.
  await until('those in wait are let go', async () => (
    / 0$/.test((await shop.call('GET', '/metrics')).text.match(/^outbound_waiting\{party="wechat_pay"\} \d+$/m)[0])), 5_000);
  const later = performance.now();
  const refused = await late.pay(order, randomUUID());
  assert.equal(refused.status, 503);
  assert.ok(performance.now() - later < 1_000, 'a new payment is refused at once');
  const ended = await Promise.all(payments);
  for (const { status } of ended) assert.equal(status, 503);
  const slow = ended.filter(({ ms }) => ms > 5_000).length;
  assert.ok(slow <= 8, `${slow} payments waited for the whole deadline`);
  const { text } = await shop.call('GET', '/metrics');
  assert.match(text, /^outbound_total\{outcome="(party_busy|circuit_open)",party="wechat_pay"\} \d+$/m);
  await shop.stop();
  shop.cleanup();
});

test('a log that logrotate has moved away is written anew after SIGHUP', async () => {
  const shop = await Shop.start({});
  const path = join(shop.data, 'topup.log');
  await shop.call('GET', '/nothing/here');
  await until('a first line', () => existsSync(path) && readFileSync(path, 'utf8').length > 0);
  renameSync(path, `${path}.1`);
  shop.child.kill('SIGHUP');
  await until('the new file', () => existsSync(path));
  await shop.call('GET', '/nothing/here/either');
  await until('its lines', () => shop.log().some((line) => line.event === 'request_refused'));
  assert.ok(shop.log().some((line) => line.event === 'log_reopened'));
  assert.equal((await shop.call('GET', '/readyz')).status, 200);
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});
