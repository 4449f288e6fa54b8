// What drives a shop and its peers in turns: signed payment notifications, orders with their signature, look-ups. Every shop
// (shops.mjs) is a name, a child and an origin; ours is called "ours".
import { createCipheriv, createPrivateKey, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isQuick } from '../form.mjs';
import { customers, json, kConnections, kCreateLua, kSeconds, measured } from './shops.mjs';

// For one round: more than it can take.
export const kNotices = isQuick ? { ours: 12_000, tuned: 6_000, plain: 4_000 } : { ours: 40_000, tuned: 20_000, plain: 8_000 };
const kPayable = 9_950;

// As the shop numbers its payments, so that its store finds them where it would find its own.
const tradeNo = ({ keys }, number) => `T${keys.id_time}${String(number).padStart(16, '0')}`;

/** One signed notification a line: signature, tab, body. The same stamp and nonce for all. */
function writeNotices(file, { keys }, first, count) {
  const key = createPrivateKey(keys.merchant_key);
  const stamp = String(Math.floor(Date.now() / 1000));
  const nonce = 'benchbenchbenchbench';
  const lines = [`${stamp}\t${nonce}`];
  for (let number = first; number < first + count; ++number) {
    const trade = { mchid: keys.mchid, appid: keys.appid, out_trade_no: tradeNo({ keys }, number), transaction_id: `42000000${number}`,
      trade_type: 'JSAPI', trade_state: 'SUCCESS', trade_state_desc: '支付成功', bank_type: 'OTHERS', attach: '',
      success_time: '2026-11-22T08:00:00+08:00', payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
      amount: { total: kPayable, payer_total: kPayable, currency: 'CNY', payer_currency: 'CNY' } };
    const seal = createCipheriv('aes-256-gcm', keys.apiv3_key, 'nnnnnnnnnnnn');
    seal.setAAD(Buffer.from('transaction'));
    const sealed = Buffer.concat([seal.update(JSON.stringify(trade)), seal.final(), seal.getAuthTag()]).toString('base64');
    const body = JSON.stringify({ id: `bench-${number}`, create_time: '2026-11-22T08:00:00+08:00', resource_type: 'encrypt-resource',
      event_type: 'TRANSACTION.SUCCESS', summary: 'ok', resource: { original_type: 'transaction', algorithm: 'AEAD_AES_256_GCM',
        ciphertext: sealed, associated_data: 'transaction', nonce: 'nnnnnnnnnnnn' } });
    lines.push(`${sign('sha256', Buffer.from(`${stamp}\n${nonce}\n${body}\n`), key).toString('base64')}\t${body}`);
  }
  writeFileSync(file, lines.join('\n'));
}

const kNoticeLua = `
local headers, lines, at = {}, {}, 0
function init(args)
  local file = io.open(args[1]); local stamp, nonce = file:read("l"):match("(.-)\\t(.*)")
  for line in file:lines() do lines[#lines + 1] = line end
  headers = {["Content-Type"] = "application/json", ["Wechatpay-Timestamp"] = stamp, ["Wechatpay-Nonce"] = nonce,
    ["Wechatpay-Serial"] = "PUB_KEY_ID_0100000001"}
end
function request()
  if at < #lines then at = at + 1 end
  local signature, body = lines[at]:match("(.-)\\t(.*)")
  headers["Wechatpay-Signature"] = signature
  return wrk.format("POST", "/notify/wechat", headers, body)
end
`;
export class Bench {
  constructor(folder, keys, most = kNotices) {
    Object.assign(this, { folder, keys, most, seen: {}, next: { ours: 1, tuned: 1, plain: 1 } });
    writeFileSync(join(folder, 'notice.lua'), kNoticeLua);
    writeFileSync(join(folder, 'create.lua'), kCreateLua);
  }

  keep(what, shop, result) {
    ((this.seen[what] ??= {})[shop.name] ??= []).push(result);
  }

  async notices(shop) {
    const file = join(this.folder, 'notices.txt');
    const count = this.most[shop.name];
    const first = this.next[shop.name];
    writeNotices(file, this.keys, first, count);
    this.next[shop.name] += count;
    if (shop.name !== 'ours') {
      const rows = Array.from({ length: count }, (_, i) => [tradeNo(this.keys, first + i), kPayable]);
      await json(`${shop.origin}/bench/open`, { body: JSON.stringify(rows) });
    }
    const result = await measured('notify', shop, shop.origin, { script: join(this.folder, 'notice.lua'), args: [file] });
    if (result.perSecond * kSeconds > count) throw new Error(`${shop.name} needs more notifications than ${count}`);
    this.keep('notify', shop, result);
  }

  async orders(shop, round) {
    const { tokens, path, body } = await customers(shop);
    const [token] = tokens;
    const script = join(this.folder, 'create.lua');
    const go = (connections, tag) => measured('create', shop, shop.origin, { script, connections, args: [path, tokens.join(','), body, `${round}${tag}`] });
    this.keep('create', shop, await go(kConnections, 'a'));
    this.keep('create_one', shop, await go(1, 'b'));
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': `bench-show-${round}-0001` };
    const made = await json(shop.origin + path, { body, headers });
    const id = made.order_id ?? made.order.order_id;
    const lua = join(this.folder, `get-${shop.name}.lua`);
    writeFileSync(lua, `wrk.headers["Authorization"] = "Bearer ${token}"\n`);
    const url = `${shop.origin}${shop.name === 'ours' ? '/api/v1' : ''}/orders/${id}`;
    this.keep('get', shop, await measured('get', shop, url, { script: lua }));
  }
}
