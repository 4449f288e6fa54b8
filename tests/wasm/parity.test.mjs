// Both builds of the core are one: the native program draws requests from a seed and answers them; the WebAssembly gets the
// same requests and must answer with the same bytes. A new seed in every run unless TOPUP_SEED names one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freshTopup, rawCore, root } from './support/core.mjs';

const program = process.env.TOPUP_PARITY ?? join(root, 'build/release/topup_parity');
const seed = process.env.TOPUP_SEED ?? String(process.hrtime.bigint() % 1_000_000_007n);
const kQuotes = 100_000;
const kOrders = 100_000;
const kInputs = 50_000;
const kEnd = 10;

async function* linesOf(stream) {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    let from = 0;
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let to = bytes.indexOf(kEnd); to >= 0; to = bytes.indexOf(kEnd, from)) {
      yield bytes.toString('utf8', from, to);
      from = to + 1;
    }
    rest = bytes.subarray(from);
  }
  assert.equal(rest.length, 0, 'the last line is whole');
}

// The same price by the way without JSON, which must be the same object to the last member.
function hotAnswer(topup, json) {
  let request;
  try { request = JSON.parse(json); } catch { return null; }
  return JSON.stringify(topup.quote(request));
}
function hotStep(topup, json) {
  let input;
  try { input = JSON.parse(json); } catch { return null; }
  return topup.orderNext(input?.state, input?.event);
}

test(`native and WebAssembly answer alike, byte for byte (seed ${seed})`, { timeout: 240_000 }, async () => {
  assert.ok(existsSync(program), `${program} was built`);
  const raw = await rawCore();
  const topup = await freshTopup();
  const native = spawn(program, [seed, ...[kQuotes, kOrders, kInputs].map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((done) => native.once('exit', done));
  const asked = {};
  let answered = 0;
  let request = null;
  for await (const line of linesOf(native.stdout)) {
    if (request === null) {
      request = line;
      continue;
    }
    const blank = request.indexOf(' ');
    const [call, json] = [request.slice(0, blank), request.slice(blank + 1)];
    request = null;
    asked[call] = (asked[call] ?? 0) + 1;
    const answer = raw.call(call, json);
    if (answer !== line) assert.equal(answer, line, `${call} ${json}`);
    const isOk = line.startsWith('{"ok":true');
    if (isOk) answered += 1;
    if (call === 'load_book_hex') topup.loadPriceBook(Buffer.from(JSON.parse(json).hex, 'hex'));
    if (call === 'set_buyer' && isOk) topup.setBuyer(JSON.parse(json));
    if (call === 'quote' && isOk && hotAnswer(topup, json) !== line) assert.equal(hotAnswer(topup, json), line, json);
    if (call === 'order_next' && isOk) assert.deepEqual(hotStep(topup, json), JSON.parse(line).value, json);
  }
  assert.equal(await ended, 0);
  assert.equal(asked.quote, kQuotes);
  assert.equal(asked.order_run, kOrders);
  assert.ok(answered > (kQuotes + kOrders + kInputs) / 2, `${answered} answers that are no refusals`);
});
