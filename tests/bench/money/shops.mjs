// The shops that are measured here, what their buyers need, and one measurement; for money.mjs and scale.mjs.
import { generateKeyPairSync } from 'node:crypto';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isQuick } from '../form.mjs';
import { wrk } from '../server_load.mjs';

export const binary = fileURLToPath(new URL('../../../build/release/topup_bench_money', import.meta.url));
export const kConnections = 32;
export const kSeconds = isQuick ? 1 : 2;
const kBuyers = 64;

// The beginning of every id that the shop makes at this time (server/base/id_time.h).
function idTime(at) {
  const digit = (place) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[Math.floor(at / 32 ** place) % 32];
  return Array.from({ length: 10 }, (_, i) => digit(9 - i)).join('');
}

export function makeKeys(folder) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
  const keys = { merchant_key: privateKey, platform_key: publicKey, platform_key_id: 'PUB_KEY_ID_0100000001',
    apiv3_key: '0123456789abcdef0123456789abcdef', mchid: '1900000001', appid: 'wx0000000000000001', id_time: idTime(Date.now()) };
  const file = join(folder, 'keys.json');
  writeFileSync(file, JSON.stringify(keys));
  return { keys, file };
}

export async function started(name, program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((done, fail) => {
    child.stdout.once('data', (bytes) => done(Number(bytes)));
    child.once('exit', (code) => fail(new Error(`${name} ended with ${code}`)));
  });
  return { name, child, origin: `http://127.0.0.1:${port}`, stop: () => child.kill('SIGTERM') };
}

export const kCreateLua = `
local count, headers, tokens, path, body, round = 0, {}, {}, "", "", ""
function init(args)
  path, body, round = args[1], args[3], args[4]
  for token in args[2]:gmatch("[^,]+") do tokens[#tokens + 1] = "Bearer " .. token end
  headers = {["Content-Type"] = "application/json"}
end
function request()
  count = count + 1
  headers["Authorization"] = tokens[count % #tokens + 1]
  headers["Idempotency-Key"] = string.format("bench-%s-%010d", round, count)
  return wrk.format("POST", path, headers, body)
end
`;

export async function json(url, options = {}) {
  const response = await fetch(url, { method: 'POST', ...options, headers: { 'content-type': 'application/json', ...options.headers } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** What buyers need to place orders there; the shop lets one of them have a thousand unpaid at most. */
export async function customers(shop) {
  const sessions = shop.name === 'ours' ? '/api/v1/sessions' : '/sessions';
  const tokens = await Promise.all(Array.from({ length: kBuyers }, async () => (await json(shop.origin + sessions, { body: '{}' })).token));
  if (shop.name !== 'ours') {
    return { tokens, path: '/orders', body: JSON.stringify({ product: 'cn-mobile-10000', account: '+86 13800001234', face_minor: 10_000 }) };
  }
  const wanted = { product_id: 'cn-mobile-10000', account_number: '+86 13800001234' };
  const quote = await json(`${shop.origin}/api/v1/quotes`, { body: JSON.stringify(wanted) });
  const body = { order: { ...wanted, quote_fingerprint: quote.fingerprint, confirm_repeat: true }, payment: { channel: 'bench', scene: 'h5' } };
  return { tokens, path: '/api/v1/checkouts', body: JSON.stringify(body) };
}

export async function measured(what, shop, url, options) {
  const seen = await wrk(url, { connections: kConnections, seconds: kSeconds, ...options });
  if (seen.failures > 0) throw new Error(`${what} at ${shop.name}: ${seen.failures} refused or broken`);
  return seen;
}
