// Starts the real shop with its rehearsal world on free ports and a folder of its own, and speaks to it over HTTP.
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from './children.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = process.env.TOPUP_BINARY ?? join(root, 'build/release/topup');
export const client = process.env.TOPUP_WEB ?? join(root, 'web/client/dist/build/h5');
const console_ = process.env.TOPUP_CONSOLE ?? join(root, 'web/admin/dist');

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Polls until `probe` gives something truthy; fails with `what` after `ms`. */
export async function until(what, probe, ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await probe();
    if (got) return got;
    if (Date.now() > end) throw new Error(`timed out: ${what}`);
    await sleep(25);
  }
}

// Half of a first start is the making of the played parties' five RSA keys. In one run of all files (all.mjs names the folder)
// the first shop lends its own to the others.
const lent = process.env.TOPUP_E2E_KEYS;
function borrowKeys(data) {
  if (lent && existsSync(lent)) cpSync(lent, join(data, 'rehearsal'), { recursive: true });
}
function lendKeys(data) {
  if (!lent || existsSync(lent)) return;
  const ours = `${lent}.${process.pid}`;
  cpSync(join(data, 'rehearsal'), ours, { recursive: true });
  try { renameSync(ours, lent); } catch { rmSync(ours, { recursive: true }); /* another file was first */ }
}

export class Shop {
  /** @param options {{config?: string, speed?: number, data?: string, port?: number, log?: string, under?: string[], suppliers?: string, web?: string}}
   *  `under` is a program that runs the shop, such as strace. */
  static async start(options = {}) {
    const shop = new Shop();
    shop.ownsData = !options.data;
    shop.data = options.data ?? mkdtempSync(join(tmpdir(), 'topup e2e '));
    shop.options = options;
    if (shop.ownsData) borrowKeys(shop.data);
    await shop.run();
    if (shop.ownsData) lendKeys(shop.data);
    return shop;
  }

  async run(port = this.options.port ?? 0) {
    const args = ['rehearse', '--port', String(port), '--data', this.data, '--web', this.options.web ?? client, '--console', console_,
      '--log-file', this.options.log ?? join(this.data, 'topup.log'), '--speed', String(this.options.speed ?? 50),
      '--suppliers', this.options.suppliers ?? 'reloadly'];
    if (this.options.config) {
      writeFileSync(join(this.data, 'shop.toml'), this.options.config);
      args.push('--config', join(this.data, 'shop.toml'));
    }
    const [program, ...words] = [...(this.options.under ?? []), binary, ...args];
    this.child = startChild(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const handle of [this.child, this.child.stdout, this.child.stderr]) handle.unref();
    this.said = '';
    this.exited = new Promise((done) => this.child.once('exit', (code, signal) => done({ code, signal })));
    await new Promise((done, fail) => {
      const late = setTimeout(() => fail(new Error(`timed out: the shop says ready\n${this.said}`)), 20_000);
      const end = (settle, value) => { clearTimeout(late); settle(value); };
      this.exited.then((how) => end(fail, new Error(`the shop ended: ${JSON.stringify(how)}\n${this.said}`)));
      for (const stream of [this.child.stdout, this.child.stderr]) {
        stream.on('data', (bytes) => {
          this.said += bytes;
          if (/^ready$/m.test(this.said)) end(done);
        });
      }
    });
    this.origin = this.said.match(/Shop\s+(http:\S+?)\/$/m)[1];
    this.wechat = this.said.match(/WeChat Pay (http:\S+)/)[1];
    [, this.reloadly, this.reloadlyTokens] = this.said.match(/Reloadly (http:\S+) \(tokens (http:\S+)\)/);
    this.dtone = this.said.match(/DT One (http:\S+)/)[1];
    this.dingconnect = this.said.match(/DingConnect (http:\S+)/)[1];
    this.juhe = this.said.match(/Juhe (http:\S+)/)[1];
    this.platform = this.said.match(/WeChat (http:\S+)/)[1];
    this.alipay = this.said.match(/Alipay (http:\S+)/)[1];
    this.sms = this.said.match(/SMS inbox (http:\S+)\/inbox/)[1];
    this.password = this.said.match(/password\s+(\S+)/)?.[1] ?? this.password;
  }

  async stop() {
    this.child.ref();
    this.child.kill('SIGTERM');
    const how = await this.exited;
    if (this.ownsData) this.cleanup = () => rmSync(this.data, { recursive: true, force: true });
    return how;
  }

  async kill() {
    this.child.ref();
    this.child.kill('SIGKILL');
    await this.exited;
  }

  log() {
    return readFileSync(join(this.data, 'topup.log'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  }

  async call(method, path, { body, headers = {}, raw } = {}) {
    const response = await fetch(this.origin + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
      redirect: 'manual',
    });
    const text = await response.text();
    let json;
    try { json = JSON.parse(text); } catch { json = undefined; }
    return { status: response.status, headers: response.headers, text, json };
  }

  async arm(party, next, count = 1) {
    const response = await fetch(`${this[party]}/control`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ next, count }),
    });
    if (response.status !== 200) throw new Error(`control refused: ${await response.text()}`);
  }

  /** What the rehearsed supplier's own book says about our reference. */
  async suppliersBook(reference) {
    return (await fetch(`${this.reloadly}/control/topups/${reference}`)).json();
  }

  async payAtSheet(outTradeNo, extra = {}) {
    if (!outTradeNo) throw new Error('there is nothing to pay: the payment was not started');
    const response = await fetch(`${this.wechat}/control/pay`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ out_trade_no: outTradeNo, ...extra }),
    });
    return { status: response.status, json: await response.json() };
  }

  /** As the buyer's browser does: arrives at the cashier, which makes the trade, and pays there. */
  async payAtAlipay(address, { arrives = true, pays = true } = {}) {
    if (!arrives) return undefined;
    const sheet = await fetch(address);
    const html = await sheet.text();
    const field = (name) => html.match(new RegExp(`name="${name}" value="([^"]*)"`))?.[1];
    if (!pays || field('token') === undefined) return { status: sheet.status, html };
    const paid = await fetch(`${this.alipay}/sheet/pay`, {
      method: 'POST', redirect: 'manual', body: new URLSearchParams({ trade_no: field('trade_no'), token: field('token') }),
    });
    return { status: paid.status, location: paid.headers.get('location'), html: await paid.text() };
  }

  async signIn() {
    const response = await this.call('POST', '/api/admin/session', { body: { name: 'owner', password: this.password } });
    if (response.status !== 200) throw new Error(`sign-in: ${response.text}`);
    return new Staff(this, response.headers.get('set-cookie').split(';')[0]);
  }
}

class Staff {
  constructor(shop, cookie) { this.shop = shop; this.cookie = cookie; }
  async get(path) {
    const response = await this.shop.call('GET', path, { headers: { cookie: this.cookie } });
    if (response.status !== 200) throw new Error(`${path}: ${response.text}`);
    return response.json;
  }
  order(id) { return this.get(`/api/admin/orders/${id}`); }
}

export class Buyer {
  static async arrive(shop) {
    const buyer = new Buyer();
    buyer.shop = shop;
    buyer.token = (await shop.call('POST', '/api/v1/sessions')).json.token;
    return buyer;
  }
  call(method, path, { headers = {}, ...rest } = {}) {
    return this.shop.call(method, path, { ...rest, headers: { authorization: `Bearer ${this.token}`, ...headers } });
  }
  quote(phone, product = 'cn-mobile-10000') {
    return this.shop.call('POST', '/api/v1/quotes', { body: { product_id: product, account_number: phone } });
  }
  /** Tests order for one number again and again and mean it; `again: false` is a buyer who has not been asked. */
  async place(phone, { product = 'cn-mobile-10000', key = randomUUID(), fingerprint, again = true } = {}) {
    const seen = fingerprint ?? (await this.quote(phone, product)).json.fingerprint;
    return this.call('POST', '/api/v1/orders', {
      headers: { 'idempotency-key': key },
      body: { product_id: product, account_number: phone, quote_fingerprint: seen, ...(again ? { confirm_repeat: true } : {}) },
    });
  }
  pay(orderId, key = randomUUID(), extra = {}) {
    return this.call('POST', `/api/v1/orders/${orderId}/payments`, {
      headers: { 'idempotency-key': key }, body: { channel: 'wechat', scene: 'h5', ...extra },
    });
  }
  async order(id) { return (await this.call('GET', `/api/v1/orders/${id}`)).json; }
  /** Places, starts to pay and pays at the sheet. */
  async buy(phone, payment = {}) {
    const order = (await this.place(phone)).json;
    const ticket = (await this.pay(order.order_id)).json;
    await this.shop.payAtSheet(ticket.out_trade_no, payment);
    return { id: order.order_id, outTradeNo: ticket.out_trade_no };
  }
  reaches(id, state, ms = 15_000) {
    return until(`order reaches ${state}`, async () => {
      const order = await this.order(id);
      return order.state === state ? order : null;
    }, ms);
  }
}

/** Postings of an order as "account amount currency", sorted: what the books say, whatever the order of writing. */
export function books(adminOrder) {
  return adminOrder.journals.flatMap((journal) => journal.postings.map((posting) => (
    `${journal.template} ${posting.account} ${posting.amount.minor} ${posting.amount.currency}`))).sort();
}

export function sumsToZero(adminOrder) {
  const sums = {};
  for (const journal of adminOrder.journals) {
    for (const { amount } of journal.postings) sums[amount.currency] = (sums[amount.currency] ?? 0) + amount.minor;
  }
  return Object.values(sums).every((sum) => sum === 0);
}
