// A second shop's rehearsal stands for the real parties of the shop under test: other keys, other accounts, other books,
// reached only over HTTP. What an operator would get from them is read from its data folder.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const openssl = (...args) => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

export function credentialsOf(shop) {
  const identity = JSON.parse(execFileSync('python3', ['-c', `
import json, sqlite3, sys
print(json.dumps(dict(sqlite3.connect(sys.argv[1]).execute("SELECT name, value FROM identity"))))`,
  join(shop.data, 'rehearsal.sqlite')], { encoding: 'utf8' }));
  const key = (name) => readFileSync(join(shop.data, 'rehearsal', `${name}.pem`), 'utf8');
  const publicOf = (name) => openssl('pkey', '-in', join(shop.data, 'rehearsal', `${name}.pem`), '-pubout');
  return {
    serial: identity.merchant_serial_no,
    keyFile: join(shop.data, 'rehearsal', 'wechat_merchant.pem'),
    wechat_pay: {
      mchid: '1716000001', appid: 'wx7265686561727361', private_key: key('wechat_merchant'), apiv3_key: identity.apiv3_key,
      public_key_id: identity.platform_key_id, public_key: publicOf('wechat_platform'), origin: shop.wechat,
    },
    alipay: {
      app_id: '2021004100000001', seller_id: '2088720000000001', private_key: key('alipay_app'), public_key: publicOf('alipay'),
      origin: shop.alipay,
    },
    reloadly: {
      client_id: identity.reloadly_client_id, client_secret: identity.reloadly_client_secret,
      webhook_secret: identity.reloadly_webhook_secret, origin: shop.reloadly, auth_origin: shop.reloadlyTokens,
    },
    sms: { key: identity.sms_key, origin: shop.sms },
  };
}

/** A merchant's certificate with dates of our choice (yyyymmdd). */
export function certificate(folder, keyFile, serial, { name = '1716000001', from = '20250101', until = '20350101' } = {}) {
  mkdirSync(folder, { recursive: true });
  const at = (file) => join(folder, file);
  writeFileSync(at('ca.cnf'), `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index')}\nserial=${at('serial')}\nnew_certs_dir=${folder}\n`
    + 'default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n');
  writeFileSync(at('index'), '');
  writeFileSync(at('serial'), serial);
  openssl('req', '-new', '-key', keyFile, '-subj', `/CN=${name}`, '-out', at('c.csr'));
  openssl('ca', '-batch', '-config', at('ca.cnf'), '-selfsign', '-keyfile', keyFile, '-in', at('c.csr'), '-startdate',
    `${from}000000Z`, '-enddate', `${until}000000Z`, '-out', at('c.pem'), '-notext');
  return readFileSync(at('c.pem'), 'utf8');
}
