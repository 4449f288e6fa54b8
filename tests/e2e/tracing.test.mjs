// Traces as a collector sees them: one order is one trace from the page's request to the supplier's answer, and what a
// hostile caller sends as a trace changes nothing.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Buyer, Shop, until } from './support/shop.mjs';

const trace = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

async function collector() {
  const seen = { spans: [], requests: [] };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (bytes) => { text += bytes; });
    request.on('end', () => {
      const body = JSON.parse(text);
      seen.requests.push({ path: request.url, method: request.method, headers: request.headers, body });
      for (const resource of body.resourceSpans) {
        for (const scope of resource.scopeSpans) seen.spans.push(...scope.spans);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  server.unref();
  seen.origin = `http://127.0.0.1:${server.address().port}`;
  seen.close = () => { server.closeAllConnections(); server.close(); };
  seen.of = (id) => seen.spans.filter((span) => span.traceId === id);
  return seen;
}

test('an order is one trace: requests, commits, jobs and calls outside, each a child of what caused it', async () => {
  const seen = await collector();
  const folder = mkdtempSync(join(tmpdir(), 'topup otlp '));
  writeFileSync(join(folder, 'headers'), 'Api-Key: of the collector\n');
  const shop = await Shop.start({
    config: `[tracing]\notlp_origin = "${seen.origin}"\nheaders_file = "${join(folder, 'headers')}"\n`,
  });
  const buyer = await Buyer.arrive(shop);
  const { fingerprint } = (await buyer.quote('13800138000')).json;
  const placed = await buyer.call('POST', '/api/v1/orders', {
    headers: { 'idempotency-key': randomUUID(), traceparent: `00-${trace}-${parent}-01` },
    body: { product_id: 'cn-mobile-10000', account_number: '13800138000', quote_fingerprint: fingerprint },
  });
  assert.equal(placed.status, 201, placed.text);
  assert.equal(placed.headers.get('x-trace-id'), trace);
  const id = placed.json.order_id;
  const ticket = (await buyer.pay(id)).json;
  await shop.payAtSheet(ticket.out_trade_no);
  await buyer.reaches(id, 'succeeded');
  await until('the spans of the supply', () => seen.of(trace).some((span) => span.name === 'job submit'), 10_000);
  await until('its call', () => seen.of(trace).some((span) => /^POST reloadly/.test(span.name)), 10_000);

  const first = seen.requests[0];
  assert.equal(`${first.method} ${first.path}`, 'POST /v1/traces');
  assert.equal(first.headers['api-key'], 'of the collector');
  assert.equal(first.headers['content-type'], 'application/json');
  const attributes = Object.fromEntries(first.body.resourceSpans[0].resource.attributes
    .map(({ key, value }) => [key, value.stringValue]));
  assert.equal(attributes['service.name'], 'topup');
  assert.match(attributes['service.version'], /^\d+\.\d+\.\d+$/);

  const ids = new Set();
  for (const span of seen.spans) {
    assert.match(span.traceId, /^[0-9a-f]{32}$/);
    assert.match(span.spanId, /^[0-9a-f]{16}$/);
    assert.ok(!ids.has(span.spanId), 'each span is sent once');
    ids.add(span.spanId);
    assert.match(span.startTimeUnixNano, /^\d{19}$/);
    assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
    assert.ok([1, 2, 3, 5].includes(span.kind));
    assert.equal(typeof span.status, 'object');
    assert.ok(!JSON.stringify(span).includes('13800138000'), 'no personal data in a span');
  }
  const ours = seen.of(trace);
  const named = (name) => ours.find((span) => span.name === name);
  const server = named('POST /api/v1/orders');
  assert.equal(server.kind, 2);
  assert.equal(server.parentSpanId, parent);
  const commit = ours.find((span) => span.name === 'store write' && span.parentSpanId === server.spanId);
  assert.ok(commit, 'the order was committed within its request');
  assert.ok(BigInt(commit.startTimeUnixNano) >= BigInt(server.startTimeUnixNano));
  assert.ok(BigInt(commit.endTimeUnixNano) <= BigInt(server.endTimeUnixNano));
  const job = named('job submit');
  assert.equal(job.kind, 5);
  const call = ours.find((span) => /^POST reloadly/.test(span.name) && span.parentSpanId === job.spanId);
  assert.ok(call, 'the call outside is a child of its job');
  assert.equal(call.kind, 3);

  const { text } = await shop.call('GET', '/metrics');
  assert.match(text, /^trace_spans_total\{outcome="exported"\} \d+$/m);
  assert.doesNotMatch(text, /^trace_spans_total\{outcome="(dropped|failed)"\}/m);
  assert.match(text, /^outbound_total\{outcome="2xx",party="otlp"\} \d+$/m);
  await shop.stop();
  seen.close();
  shop.cleanup();
});

test('a malformed traceparent is ignored, and a collector that is away costs nothing but its spans', async () => {
  const shop = await Shop.start({ config: '[tracing]\notlp_origin = "http://127.0.0.1:1"\n' });
  for (const wrong of ['', 'x', `00-${trace}-${parent}`, `ff-${trace}-${parent}-01`, `00-${trace.toUpperCase()}-${parent}-01`,
    `00-${'0'.repeat(32)}-${parent}-01`, `00-${trace}-${'0'.repeat(16)}-01`, `00-${trace}-${parent}-01-x`]) {
    const response = await shop.call('GET', '/api/v1/shop', { headers: { traceparent: wrong } });
    assert.equal(response.status, 200, wrong);
    assert.notEqual(response.headers.get('x-trace-id'), trace, wrong);
  }
  const given = await shop.call('GET', '/api/v1/shop', { headers: { traceparent: `00-${trace}-${parent}-00` } });
  assert.equal(given.headers.get('x-trace-id'), trace);
  const buyer = await Buyer.arrive(shop);
  const { id } = await buyer.buy('13800138000');
  await buyer.reaches(id, 'succeeded');
  await until('the loss is counted', async () => (
    /^trace_spans_total\{outcome="failed"\} \d+$/m.test((await shop.call('GET', '/metrics')).text)));
  const began = performance.now();
  assert.equal((await shop.stop()).code, 0);
  assert.ok(performance.now() - began < 10_000);
  shop.cleanup();
});
