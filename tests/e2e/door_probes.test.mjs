// One hostile request after the other against the real binary: what it answers, how much memory each costs, and how soon the
// next client is served. Both rounds ask the same; the second is measured, when every thread has its memory.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Served } from './support/served.mjs';

const kFewestProbes = 150;
const kMostGrowthKb = 1_024;
const kUsualAnswerMs = 20;
const kSlowestAnswerMs = 1_000;
const secret = 'canary-5e1d-never-in-a-log';

let shop;
before(async () => { shop = await Served.start(); });
after(async () => { await shop?.stop(); });

const kRefused = /^(400|401|403|404|405|408|411|413|414|415|417|422|426|428|431|501|505)$/;
const kRefusedOrClosed = /^(0|400|401|403|404|405|408|411|413|414|415|417|422|426|428|431|501|505)$/;
const kPageOrRefused = /^(200|206|304|400|416|417|426|501)$/;

const get = (target, lines = '', version = 'HTTP/1.1') => `GET ${target} ${version}\r\nHost: h\r\nConnection: close\r\n${lines}\r\n`;
const post = (path, lines, body) => `POST ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer ${secret}\r\n${lines}\r\n${body}`;
const json = (path, body) => post(path, `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n`, body);

/** Rows of [what it is, the bytes, the statuses that are right]. */
function heads() {
  const rows = [];
  for (const kb of [16, 32, 64, 256, 1_024, 4_096]) rows.push([`a header of ${kb} KB`, get('/', `X-Long: ${'a'.repeat(kb * 1_024)}\r\n`), kRefusedOrClosed]);
  for (const count of [128, 200, 500, 2_000, 10_000]) rows.push([`${count} headers`, get('/', Array.from({ length: count }, (_, i) => `X-${i}: v\r\n`).join('')), kRefusedOrClosed]);
  for (const kb of [8, 16, 64, 1_024]) rows.push([`a target of ${kb} KB`, get(`/${'a'.repeat(kb * 1_024)}`), kRefusedOrClosed]);
  for (const kb of [8, 64, 1_024]) rows.push([`a method of ${kb} KB`, `${'A'.repeat(kb * 1_024)} / HTTP/1.1\r\nHost: h\r\n\r\n`, kRefusedOrClosed]);
  for (const byte of ['\0', '\x01', '\x7f', '(', ')', '<', '>', '@', ',', ';', '\\', '"', '/', '[', ']', '?', '=', '{', '}', ' ', '\t', '\xe9']) {
    rows.push([`a header name with ${JSON.stringify(byte)}`, get('/', `X${byte}Y: v\r\n`), kRefused]);
  }
  for (const line of [': v', 'no colon', ' X: folded', 'X: a\0b', 'X: a\rb', 'X: a\nY: b', 'X : v', 'Host: other', 'Host: a b', 'Transfer-Encoding: gzip']) {
    rows.push([`the header line ${JSON.stringify(line)}`, get('/', `${line}\r\n`), kRefused]);
  }
  for (const version of ['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3', 'HTTP/1.1.1', 'http/1.1', 'HTTP/1.', 'HTTP/', 'HTTP/11', 'FTP/1.1', '']) {
    rows.push([`the version ${JSON.stringify(version)}`, get('/', '', version), kRefusedOrClosed]);
  }
  for (const method of ['get', 'GE T', 'FOO', 'TRACE', 'CONNECT', 'PROPFIND', 'G\0T', 'GET,POST', '\r\n\r\n\r\nGET']) {
    rows.push([`the method ${JSON.stringify(method)}`, `${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, kRefusedOrClosed]);
  }
  for (const target of ['*', 'h:80', 'http://h/', 'http://other/', '', 'a', '/\0', '/ /', '/#f', '/%']) {
    rows.push([`the target ${JSON.stringify(target)}`, get(target), /^(0|200|400|404|405|421|505)$/]);
  }
  rows.push(['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', kRefused], ['a greeting of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', kRefusedOrClosed],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', kRefusedOrClosed], ['blank lines', '\r\n'.repeat(10_000), kRefusedOrClosed]);
  return rows;
}

function bodies() {
  const rows = [];
  const path = '/api/v1/quotes';
  const typed = 'Content-Type: application/json\r\n';
  for (const length of ['99999999', '99999999999999999999', '18446744073709551616', '-1', '1e3', ' 0x5', '5,5', '5 5', '']) {
    rows.push([`Content-Length: ${length}`, post(path, `${typed}Content-Length: ${length}\r\n`, '{"a":1}'), kRefusedOrClosed]);
  }
  for (const chunk of ['FFFFFFFF', 'FFFFFFFFFFFFFFFFF', '7FFFFFFFFFFFFFFF', '-1', 'zz', '0x5', '5;'.padEnd(65_536, 'x'), '', ' 5']) {
    rows.push([`a chunk of ${chunk.slice(0, 20)}`, post(path, `${typed}Transfer-Encoding: chunked\r\n`, `${chunk}\r\n{"a":1}\r\n0\r\n\r\n`), kRefusedOrClosed]);
  }
  for (const mb of [1, 4]) rows.push([`a body of ${mb} MB`, json(path, `{"a":"${'x'.repeat(mb << 20)}"}`), kRefusedOrClosed]);
  const bomb = gzipSync(Buffer.alloc(8 << 20)).toString('latin1');
  for (const coding of ['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip', 'x']) {
    rows.push([`8 MB packed by ${coding}`, post(path, `${typed}Content-Encoding: ${coding}\r\nContent-Length: ${bomb.length}\r\n`, bomb), kRefusedOrClosed]);
  }
  for (const type of ['text/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'text/plain', '', 'a'.repeat(4_000)]) {
    rows.push([`the type ${type.slice(0, 40)}`, post(path, `Content-Type: ${type}\r\nContent-Length: 2\r\n`, '{}'), kRefused]);
  }
  return rows;
}

function documents() {
  const nested = (open, close, depth) => open.repeat(depth) + close.repeat(depth);
  const texts = [nested('[', ']', 32), nested('[', ']', 1_000), '['.repeat(4_000), nested('{"a":', '}', 500), '{"a":'.repeat(600), '{"a":1e400}', '{"a":-1e400}',
    '{"a":1e-400}', `{"a":${'9'.repeat(2_000)}}`, `{"a":0.${'1'.repeat(2_000)}}`, '{"a":-0}', '{"a":NaN}', '{"a":Infinity}', '{"a":01}', '{"a":+1}', '{"a":1,}',
    '{"a":"\\ud800"}', '{"a":"\\u0000"}', '{"a":"\0"}', '{"a":"\xff"}', '\xef\xbb\xbf{}', '\xff\xfe{\0}\0', '{} {}', '{}/* */', '{"a":1', '"', 'null', '1', '[]', '',
    `{${Array.from({ length: 200 }, () => '"a":1').join(',')}}`, `{"product_id":"${'x'.repeat(3_000)}"}`, '{"product_id":{"$gt":""}}', '{"__proto__":{"a":1}}'];
  return ['/api/v1/quotes', '/api/admin/session'].flatMap((path) => texts.map((text) => [`${JSON.stringify(text.slice(0, 24))} to ${path}`, json(path, text), kRefused]));
}

function oddities() {
  const rows = [];
  for (const range of ['bytes=0-0', 'bytes=-1', 'bytes=5-1', 'bytes=99999999999999999999-', `bytes=${'0-0,'.repeat(800)}0-0`, 'bytes=--1', 'lines=1-2', 'bytes=']) {
    rows.push([`the range ${range.slice(0, 30)}`, get('/', `Range: ${range}\r\n`), kPageOrRefused]);
  }
  for (const lines of ['Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n', 'Upgrade: websocket\r\n', 'Upgrade: websocket\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: x\r\n',
    'Upgrade: tls/1.0\r\n', 'Expect: 100-continue\r\n', 'Expect: 200-ok\r\n', 'TE: trailers\r\n', 'Max-Forwards: 0\r\n', `Cookie: ${'a=b; '.repeat(1_000)}\r\n`]) {
    rows.push([lines.slice(0, 40), get('/', lines), kPageOrRefused]);
  }
  return rows;
}

const megabytes = (name) => Number(readFileSync(`/proc/${shop.child.pid}/status`, 'utf8').match(new RegExp(`${name}:\\s+(\\d+)`))[1]);

async function ask(what, bytes, right) {
  const { all, status } = await shop.raw(bytes, { ms: 15_000 });
  assert.match(String(status), right, `${what} gave ${status}: ${all.slice(0, 200)}`);
  assert.ok((all.match(/^HTTP\/1\.1 /gm) ?? []).length <= 1, `${what} was answered twice`);
  assert.ok(!all.includes(secret), what);
}

test('H-02, H-03, H-05, H-10: each hostile request is refused, costs at most 1 MB, and the next client is served at once', { timeout: 240_000 }, async () => {
  const probes = [...heads(), ...bodies(), ...documents(), ...oddities()];
  assert.ok(probes.length >= kFewestProbes, `${probes.length} probes`);
  for (const [what, bytes, right] of probes) await ask(what, bytes, right);
  let worst = { grown: 0 };
  const answered = [];
  for (const [what, bytes, right] of probes) {
    writeFileSync(`/proc/${shop.child.pid}/clear_refs`, '5');  // the peak begins anew
    const stood = megabytes('VmRSS');
    await ask(what, bytes, right);
    const began = performance.now();
    assert.equal((await shop.get('/healthz')).status, 200, `after ${what}`);
    answered.push(performance.now() - began);
    const grown = megabytes('VmHWM') - stood;
    if (grown > worst.grown) worst = { grown, what };
    assert.ok(grown <= kMostGrowthKb, `${what} cost ${grown} KB`);
  }
  answered.sort((a, b) => a - b);
  const usual = answered[answered.length >> 1], slowest = answered.at(-1);
  assert.ok(usual <= kUsualAnswerMs && slowest <= kSlowestAnswerMs, `the next client waited ${usual} ms, at most ${slowest} ms`);
  assert.ok(!readFileSync(shop.file('topup.log'), 'utf8').includes(secret), 'no token is logged');
  console.log(`figure H-02: ${probes.length} probes answered as they should be, worst growth ${worst.grown} KB (${worst.what ?? 'none'}), the next client waits ${usual.toFixed(1)} ms, at most ${slowest.toFixed(0)} ms`);
});
