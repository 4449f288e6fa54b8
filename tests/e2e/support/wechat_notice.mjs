// WeChat Pay's side of a notification, made by hand: genuine ones, and every kind of forgery.
import { createCipheriv, createPrivateKey, createSign, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const json = { 'content-type': 'application/json' };

/** The control page of the rehearsed WeChat Pay. */
export class WechatDesk {
  constructor(origin) { this.origin = origin; }
  async get(path) { return (await fetch(this.origin + path)).json(); }
  async post(path, body) {
    const response = await fetch(this.origin + path, { method: 'POST', headers: json, body: JSON.stringify(body) });
    if (response.status !== 200) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  }
  contract() { return this.get('/control/contract'); }
  keys(change) { return change ? this.post('/control/keys', change) : this.get('/control/keys'); }
  rotate(change = {}) { return this.post('/control/rotate', change); }
}

export const seal = (key, nonce, aad, plain) => {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
};

export const strangerKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

/** What genuine notifications of a rehearsed shop are made with. */
export class Notary {
  static async of(shop) {
    const notary = new Notary();
    notary.contract = await new WechatDesk(shop.wechat).contract();
    notary.key = createPrivateKey(readFileSync(join(shop.data, 'rehearsal/wechat_platform.pem')));
    return notary;
  }

  /** The order object as WeChat Pay would send it. */
  transaction(outTradeNo, total, more = {}) {
    return { appid: this.contract.appid, mchid: this.contract.mchid, out_trade_no: outTradeNo,
      transaction_id: `4200${randomBytes(8).toString('hex')}`, trade_type: 'MWEB', trade_state: 'SUCCESS',
      trade_state_desc: '支付成功', bank_type: 'OTHERS', attach: '', success_time: '2026-11-21T15:30:00+08:00',
      payer: { openid: 'oRehearsal' }, amount: { total, payer_total: total, currency: 'CNY', payer_currency: 'CNY' }, ...more };
  }

  body(plain, { event = 'TRANSACTION.SUCCESS', type = 'transaction', apiv3 = this.contract.apiv3_key, nonce, aad = type,
    id = randomUUID(), resource = {}, envelope = {} } = {}) {
    const letters = nonce ?? randomBytes(6).toString('hex');
    const sealed = seal(apiv3, letters, aad, JSON.stringify(plain));
    return JSON.stringify({ id, create_time: '2026-11-21T15:30:00+08:00', event_type: event,
      resource_type: 'encrypt-resource', summary: '支付成功', resource: { original_type: type,
        algorithm: 'AEAD_AES_256_GCM', ciphertext: sealed.toString('base64'), associated_data: type, nonce: letters,
        ...resource }, ...envelope });
  }

  headers(body, { key = this.key, serial = this.contract.public_key_id, at = Math.floor(Date.now() / 1000),
    nonce = randomBytes(16).toString('hex'), signature, algorithm = 'RSA-SHA256' } = {}) {
    const text = `${at}\n${nonce}\n${body}\n`;
    return { ...json, 'wechatpay-timestamp': String(at), 'wechatpay-nonce': nonce, 'wechatpay-serial': serial,
      'wechatpay-signature': signature ?? createSign(algorithm).update(text).sign(key, 'base64'),
      'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048' };
  }
}
