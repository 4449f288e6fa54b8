// The route table of the binary and web/api/openapi.yaml describe the same routes, both ways. The YAML is written with one
// path or method a line, so that no parser is needed here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { get } from 'node:http';
import { Shop, binary } from './support/shop.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

function described() {
  const found = new Map();
  let path = '';
  let inPaths = false;
  let last = '';
  for (const line of readFileSync(join(root, 'web/api/openapi.yaml'), 'utf8').split('\n')) {
    if (/^\S/.test(line)) inPaths = line.startsWith('paths:');
    if (!inPaths) continue;
    const asPath = line.match(/^  (\/\S*):$/);
    if (asPath) path = asPath[1];
    const asMethod = line.match(/^    (get|post|put|delete):/);
    if (asMethod) {
      last = `${asMethod[1].toUpperCase()} ${path}`;
      found.set(last, { auth: 'none', key: false, x: {} });
    }
    const security = line.match(/security: \[\{(buyer|staff): \[\]\}\]/);
    if (security) found.get(last).auth = security[1];
    if (line.includes('parameters/IdempotencyKey')) found.get(last).key = true;
    const extra = line.match(/^      x-([a-z-]+): (.+)$/);
    if (extra) found.get(last).x[extra[1]] = extra[2];
  }
  return found;
}

test('every route is described, every description has its route, and both name the same session', () => {
  const data = mkdtempSync(join(tmpdir(), 'topup routes '));
  const table = JSON.parse(execFileSync(binary, ['routes', '--json', '--data', data], { encoding: 'utf8' }));
  rmSync(data, { recursive: true });
  const yaml = described();
  yaml.delete('GET /api/v1/live');  // a WebSocket: opened by the door, not a row of the table
  const rows = table.map((route) => `${route.method} ${route.path}`);
  assert.deepEqual([...yaml.keys()].sort(), [...rows].sort());
  for (const route of table) {
    const said = yaml.get(`${route.method} ${route.path}`);
    assert.equal(route.auth === 'party' ? 'none' : route.auth, said.auth, `${route.method} ${route.path}`);
    if (route.idempotent) assert.ok(said.key, `${route.path} wants an Idempotency-Key`);
    else assert.ok(!said.key || ['/api/v1/orders', '/api/v1/checkouts'].includes(route.path), `${route.path} replays nothing, its description says so`);
    assert.equal(route.auth === 'staff', route.permission !== '', `${route.path} has a permission`);
    // scripts/contract.py writes these lines.
    const limits = { rate: route.rate, 'last-level': route.last_level, audited: String(route.audited), 'body-limit': String(route.body_limit) };
    if (route.permission !== '') limits.permission = route.permission;
    assert.deepEqual(said.x, limits, `${route.method} ${route.path}: what it costs, how long it is served, its permission`);
  }
});

test('the table as text has a line for each route', () => {
  const data = mkdtempSync(join(tmpdir(), 'topup routes '));
  const lines = execFileSync(binary, ['routes', '--data', data], { encoding: 'utf8' }).trim().split('\n');
  rmSync(data, { recursive: true });
  assert.equal(lines.length, [...described().keys()].length - 1);
  for (const line of lines) assert.match(line, /^(GET|POST|PUT|DELETE) +\/\S* +(none|buyer|staff|party) /);
});

test('no path, method or schema is described twice', () => {
  const places = new Set();
  const twice = [];
  const above = [];
  for (const line of readFileSync(join(root, 'web/api/openapi.yaml'), 'utf8').split('\n')) {
    const named = line.match(/^( *)([\w/{}.-]+):/);
    if (!named) continue;
    const depth = named[1].length / 2;
    above.length = Math.floor(depth);
    above.push(named[2]);
    const place = above.join(' ');
    if (depth <= 2 && places.has(place)) twice.push(place);
    places.add(place);
  }
  assert.ok(places.size > 100, `${places.size} names were read`);
  assert.deepEqual(twice, []);
});

const asked = (shop, path, host) => new Promise((done, fail) => {
  get(`${shop.origin}${path}`, { headers: { host } }, (response) => {
    response.resume();
    done({ status: response.statusCode, location: response.headers.location });
  }).on('error', fail);
});

test('a page asked for as localhost is sent to the shop\'s own name, where the buyer\'s session lives', async () => {
  const shop = await Shop.start({});
  const { port } = new URL(shop.origin);
  assert.deepEqual(await asked(shop, '/', `localhost:${port}`), { status: 307, location: `${shop.origin}/` });
  assert.equal((await asked(shop, '/api/v1/shop', `localhost:${port}`)).status, 200);
  assert.equal((await asked(shop, '/', `127.0.0.1:${port}`)).status, 200);
  await shop.stop();
  shop.cleanup();
});

test('what the door refuses is a problem document as well', async () => {
  const shop = await Shop.start({});
  for (const [path, options, status] of [
    ['/nothing/here', {}, 404], ['/api/v1/orders', { method: 'DELETE' }, 405], ['/%00', {}, 400],
    ['/api/v1/quotes', { method: 'POST', body: 'x'.repeat(5_000), headers: { 'content-type': 'application/json' } }, 413],
  ]) {
    const response = await fetch(shop.origin + path, options);
    assert.equal(response.status, status, path);
    assert.match(response.headers.get('content-type'), /application\/problem\+json/);
    assert.match((await response.json()).reason, /^[a-z_]+$/);
  }
  await shop.stop();
  shop.cleanup();
});
