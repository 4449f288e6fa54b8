// The golden vectors in a real browser, under the shop's own Content-Security-Policy: the page gets glue and loader as the
// client's build makes them, and the module as the shop sends it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bundle, dist, root, vectorNames, vectorRows } from '../wasm/support/core.mjs';
import { openBrowser, openPage } from './support/browser.mjs';
import { Shop } from './support/shop.mjs';

const kWait = 60_000;
const kScript = `
  import { runVectors, startRaw } from ${JSON.stringify(join(root, 'tests/wasm/support/vectors.mjs'))};
  async function main() {
    const files = await (await fetch('/vectors.json')).json();
    const binary = await (await fetch('/topup.wasm')).arrayBuffer();
    const url = new URLSearchParams(location.search).get('module') ?? '/topup.wasm';
    const topup = await loadTopup({ url });
    const differing = {};
    for (const [name, rows] of Object.entries(files)) differing[name] = runVectors(await startRaw(glue, binary), topup, rows);
    const began = performance.now();
    for (let i = 0; i < 10_000; ++i) topup.checkPhone('138 0013 8000', 'CN');
    window.coreResult = { differing, version: topup.version(), methods: Object.keys(topup).length,
      phonesPerSecond: Math.round(1e7 / (performance.now() - began)) };
  }
  main().catch((error) => { window.coreResult = { error: String(error) }; }).finally(() => { document.body.dataset.done = 'yes'; });`;

let shop;
let browser;
let server;
let origin;
let policy;
before(async () => {
  shop = await Shop.start();
  policy = (await fetch(`${shop.origin}/`)).headers.get('content-security-policy');
  const module = readFileSync(join(dist, 'topup.wasm'));
  const vectors = JSON.stringify(Object.fromEntries(vectorNames.map((name) => [name, vectorRows(name)])));
  const pages = {
    '/': ['text/html; charset=utf-8', '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script type="module" src="/core.js"></script>'],
    '/core.js': ['text/javascript; charset=utf-8', await bundle('browser', {}, kScript)],
    '/vectors.json': ['application/json', vectors],
    '/topup.wasm': ['application/wasm', module],
    '/untyped': ['application/octet-stream', module],
  };
  server = createServer((request, response) => {
    const [type, body] = pages[new URL(request.url, origin).pathname] ?? ['text/plain', 'not here'];
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${server.address().port}`;
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  server?.close();
  await shop?.stop();
  shop?.cleanup();
});

async function run(query = '') {
  const page = await openPage(browser);
  await page.goto(`${origin}/${query}`);
  await page.locator('body[data-done]').waitFor({ state: 'attached', timeout: kWait });
  const result = await page.evaluate(() => window.coreResult);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
  return result;
}

test('every golden vector holds in Chromium under the shop\'s policy, byte for byte', async (context) => {
  assert.match(policy, /'wasm-unsafe-eval'/);
  assert.doesNotMatch(policy, /'unsafe-eval'/, 'no eval is allowed');
  const { differing, error, phonesPerSecond } = await run();
  assert.equal(error, undefined);
  assert.deepEqual(Object.keys(differing), vectorNames);
  for (const name of vectorNames) assert.deepEqual(differing[name], [], name);
  context.diagnostic(`${phonesPerSecond} numbers judged a second`);
});

test('a module that a proxy gives another type is loaded all the same', async () => {
  const { error, methods } = await run('?module=/untyped');
  assert.equal(error, undefined);
  assert.ok(methods > 30);
});
