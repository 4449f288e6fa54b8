// TLS at the door of the real binary: versions, exchange of certificates while connections are open, redirects, proxies.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { Served, freePort, raw, sleep, until } from './support/served.mjs';

let shop;
let redirect;

before(async () => {
  redirect = await freePort();
  shop = await Served.start({
    server: (served) => {
      if (!served.hasPapers) {
        served.hasPapers = true;
        for (const name of ['first', 'second']) served.certificate(name);
        served.use('first');
      }
      return served.tlsLines() + `redirect_port = ${redirect}\n`;
    },
  });
});
after(async () => { await shop?.stop(); });

function handshake(options = {}) {
  return new Promise((done, fail) => {
    const socket = tls.connect({ port: shop.port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => done(socket));
    socket.on('error', fail);
  });
}
async function served() {
  const socket = await handshake();
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return name;
}
function ask(agent, path = '/healthz') {
  return new Promise((done, fail) => {
    https.get({ port: shop.port, host: '127.0.0.1', path, agent, rejectUnauthorized: false }, (response) => {
      const socket = response.socket;
      response.resume().on('end', () => done({ status: response.statusCode, headers: response.headers, socket }));
    }).on('error', fail);
  });
}

test('pages and routes come over TLS 1.2 and 1.3 and keep browsers there', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const socket = await handshake({ minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.getProtocol(), version);
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  }
  for (const path of ['/', '/healthz', '/api/v1/shop', '/nothing', '/admin/']) {
    const { all } = await shop.get(path, '', { secure: true });
    assert.match(all, /\r\nStrict-Transport-Security: max-age=31536000\r\n/, path);
  }
});

test('S-02: TLS 1.0 and 1.1, h2 alone and ciphers without forward secrecy are refused', async () => {
  for (const options of [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' },
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
    { ALPNProtocols: ['h2'] },
    { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA:@SECLEVEL=0' },
  ]) {
    await assert.rejects(handshake(options), JSON.stringify(options));
  }
  assert.equal(await served(), 'first');
});

test('plain HTTP on the TLS port gets a short 400, and the shop goes on', async () => {
  const { all } = await shop.get('/healthz');
  assert.match(all, /^HTTP\/1\.1 400 /);
  assert.match(all, /tls_expected/);
  assert.ok(all.length < 1_000);
  assert.equal((await raw(shop.port, 'POST /notify/wechat HTTP/1.1\r\n')).all.includes('200'), false);
  assert.equal(await served(), 'first');
});

test('the redirect port sends readers on and passes nothing else', async () => {
  const read = await raw(redirect, 'GET /orders?id=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  assert.match(read.all, /^HTTP\/1\.1 308 /);
  assert.match(read.all, new RegExp(`\\r\\nLocation: https://127.0.0.1:${shop.port}/orders\\?id=1\\r\\n`));
  assert.doesNotMatch(read.all, /Strict-Transport/);
  assert.match((await raw(redirect, 'HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).all, /^HTTP\/1\.1 308 /);
  const written = await raw(redirect, 'POST /api/v1/orders HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nsecret');
  assert.match(written.all, /^HTTP\/1\.1 426 /);
  assert.match(written.all, /\r\nUpgrade: TLS\/1\.2, HTTP\/1\.1\r\n/);
  assert.doesNotMatch(written.all, /Location|secret/);
  assert.match((await raw(redirect, 'GET /%0d%0aX: y HTTP/1.1\r\nHost: h\r\n\r\n')).all, /^HTTP\/1\.1 400 /);
  assert.match((await raw(redirect, 'GET //evil.example HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).all,
    new RegExp(`Location: https://127.0.0.1:${shop.port}//evil`));
});

test('SIGHUP exchanges the certificate without dropping an open connection; a bad pair keeps the old one', { timeout: 60_000 }, async () => {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const open = (await ask(agent)).socket;
  shop.use('second');
  shop.child.kill('SIGHUP');
  await until('the new one is served', async () => (await served()) === 'second');
  let again = await ask(agent);
  assert.equal(again.status, 200);
  assert.equal(again.socket, open, 'the same connection');
  shop.use('first', ['key']);  // not the key of the second
  shop.child.kill('SIGHUP');
  await until('it is told', () => shop.log().some((line) => line.event === 'tls_certificate_refused'));
  assert.match(shop.log().find((line) => line.event === 'tls_certificate_refused').why, /is not the key of the certificate/);
  assert.equal(await served(), 'second');
  shop.use('first');
  await until('changed files are found without a signal', async () => (await served()) === 'first', 25_000);
  again = await ask(agent);
  assert.equal(again.socket, open);
  agent.destroy();
});

test('the WebSocket opens over TLS', async () => {
  const socket = await handshake();
  socket.write(`GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:${shop.port}\r\nOrigin: https://127.0.0.1:${shop.port}\r\n`
    + 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
  let all = '';
  socket.on('data', (bytes) => { all += bytes.toString('latin1'); });
  await until('it is upgraded', () => /^HTTP\/1\.1 101 [^]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/.test(all));
  socket.destroy();
});

test('H-01: 500 idle TLS connections cost little memory and keep nobody waiting', { timeout: 60_000 }, async () => {
  const before_ = shop.rssMb();
  const idle = [];
  for (let i = 0; i < 500; ++i) idle.push(await handshake());
  const silent = Array.from({ length: 200 }, () => net.connect(shop.port, '127.0.0.1').on('error', () => {}));
  const began = performance.now();
  assert.equal((await ask(undefined)).status, 200);
  assert.ok(performance.now() - began < 2_000);
  const each = (shop.rssMb() - before_) * 1024 / 500;
  console.log(`figure H-01: ${each.toFixed(1)} KB for an idle TLS connection`);
  assert.ok(each < 64, `${each} KB`);
  for (const socket of [...idle, ...silent]) socket.destroy();
});

test('every mistake in the configuration of the door is told at once, and nothing is opened', async () => {
  const wrong = new Served();
  Object.assign(wrong, { folder: shop.folder, port: await freePort() });
  shop.certificate('third');
  chmodSync(shop.file('third.key'), 0o644);
  writeFileSync(shop.file('noise.pem'), 'noise');
  const said = async (lines) => {
    wrong.options = { server: () => lines };
    await wrong.run({ waits: false });
    assert.equal((await wrong.exited).code, 1);
    return wrong.said;
  };
  const all = await said(`public_origin = 'http://shop.example'\ntls_certificate_file = '${shop.file('noise.pem')}'\n`
    + `tls_key_file = '${shop.file('third.key')}'\nredirect_port = ${wrong.port}\ntrusted_proxies = ['10.1.0.0/8', 'proxy', '::1']\n`);
  for (const part of ['holds no PEM certificate', 'is open to everybody', 'public_origin must look like https://',
    'redirect_port must not be the port', '"10.1.0.0/8"', '"proxy"']) assert.ok(all.includes(part), `${part} in ${all}`);
  assert.ok(!all.includes('"::1"'));
  assert.match(await said(`tls_key_file = '${shop.file('third.key')}'\n`), /needed together/);
  assert.match(await said('trusted_proxies = "10.0.0.0/8"\n'), /must be a list/);
});

test('H-08: a client behind a trusted proxy is known by its own address; nobody else can say who he is', { timeout: 60_000 }, async () => {
  // /metrics answers this machine only, and so tells whom the shop takes a client for.
  const forms = ['X-Forwarded-For: 203.0.113.9', 'X-Real-IP: 203.0.113.9', 'Forwarded: for=203.0.113.9', 'X-Forwarded-For: 127.0.0.1, 203.0.113.9'];
  const ask_ = async (server, lines) => (await server.get('/metrics', lines ? `${lines}\r\n` : '')).status;
  const plain = await Served.start({ server: () => "public_origin = 'http://shop.example'\n" });
  for (const form of forms) assert.equal(await ask_(plain, form), 200, `not believed: ${form}`);
  await plain.stop();
  const proxied = await Served.start({ server: () => "public_origin = 'http://shop.example'\ntrusted_proxies = ['127.0.0.0/8']\n" });
  assert.equal(await ask_(proxied, ''), 200);
  assert.equal(await ask_(proxied, 'X-Forwarded-For: 203.0.113.9'), 403);
  assert.equal(await ask_(proxied, 'X-Forwarded-For: 127.0.0.1, 203.0.113.9'), 403, 'what the client itself claims counts for nothing');
  assert.equal(await ask_(proxied, 'X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 127.0.0.1'), 403);
  assert.equal(await ask_(proxied, 'X-Real-IP: 203.0.113.9'), 200);
  assert.equal(await ask_(proxied, 'X-Forwarded-For: unknown'), 200, 'the socket counts');
  // The connections above have ended here; there they end a moment later.
  await until('only the asking connection is left', async () => /^door_connections 1$/m.test((await proxied.get('/metrics')).all));
  await proxied.get('/', 'Range: bytes=0-0\r\n');
  await until('the refusal is counted',
    async () => /^door_refused_total\{reason="range_refused"\} 1$/m.test((await proxied.get('/metrics')).all));
  await proxied.stop();
});
