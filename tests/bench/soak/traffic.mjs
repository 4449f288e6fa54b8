// What a busy shop lives through, all of it at once, until `over()`: buyers whose orders succeed, fail, are slow or unknown;
// lost, repeated, late and forged notifications; followers, readers, staff; and the night, when its clock goes to the next day.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Buyer, binary, sleep, until } from '../../e2e/support/shop.mjs';
import { follower } from '../server_load.mjs';

const runs = promisify(execFile);
const kBuyers = 8;
const kFollowers = 40;
const kEndsWithinMs = 240_000;
const kPayWithinMs = 55_000;  // then the order is closed
const kRecent = 50;

// The last four digits decide what the rehearsed supplier does (README); the weight is how often of 100.
const kFates = [
  ['0000', 'succeeded', 56], ['9001', 'refunded', 6], ['9002', 'refunded', 6], ['9003', 'succeeded', 6], ['9004', 'succeeded', 6],
  ['9006', 'succeeded', 5], ['9008', 'succeeded', 5], ['9009', 'succeeded', 4], ['cancel', 'closed', 3], ['leave', 'closed', 3],
];
const kFaults = [['wechat', 'drop_notifications'], ['wechat', 'duplicate_notifications'], ['wechat', 'delay_notifications'],
  ['wechat', 'bad_signature_first'], ['wechat', 'busy'], ['reloadly', 'drop_webhooks'], ['reloadly', 'duplicate_webhooks'],
  ['reloadly', 'token_expired']];
const kDesk = ['overview', 'figures', 'work', 'work-items', 'orders', 'orders?q=0000', 'orders?state=refunded', 'jobs', 'settings',
  'suppliers', 'refunds', 'reconcile/runs', 'price-rules'];

const pick = (list) => list[Math.floor(Math.random() * list.length)];
function fate() {
  let left = Math.random() * kFates.reduce((sum, [, , weight]) => sum + weight, 0);
  return kFates.find(([, , weight]) => (left -= weight) < 0);
}

export class Traffic {
  constructor(shop, clock, over, dayMs) {
    Object.assign(this, { shop, clock, over, dayMs, ended: {}, told: {}, recent: [], isNight: false, underWay: 0 });
    this.counts = { reads: 0, desk: 0, followers: 0, faults: 0, days: 0 };
  }

  /** Comes back when everything that was begun has ended as it should. */
  async run() {
    const buyers = Array.from({ length: kBuyers }, (_, i) => this.#buys(i));
    await Promise.all([...buyers, this.#faults(), this.#reads(), this.#follows(), this.#staff(), this.#nights()]);
  }

  async #buys(index) {
    let buyer = await Buyer.arrive(this.shop);
    for (let n = 0; !this.over(); ++n) {
      if (this.isNight) {
        while (this.isNight) await sleep(50);
        buyer = await Buyer.arrive(this.shop);
      }
      ++this.underWay;
      if (n % 40 === 39) buyer = await Buyer.arrive(this.shop);
      const [tail, end] = fate();
      const number = `13${5 + (index % 4)}${String(1000 + n % 9000)}${/^\d/.test(tail) ? tail : '0001'}`;
      const placed = await buyer.place(number);
      if (placed.status !== 201) throw new Error(`an order is refused: ${placed.text}`);
      const { order_id: id } = placed.json;
      this.#seen({ id, token: buyer.token });
      if (tail === 'cancel') await buyer.call('POST', `/api/v1/orders/${id}/cancel`, { body: {} });
      else if (tail === 'leave') --this.underWay;  // the night ends it too
      else await this.#pays(buyer, id);
      const order = await until(`${number} reaches ${end}`, async () => {
        const now = await buyer.order(id);
        return ['succeeded', 'refunded', 'closed'].includes(now.state) ? now : null;
      }, kEndsWithinMs);
      if (order.state !== end) throw new Error(`${number} ended as ${order.state}, not ${end}`);
      this.ended[end] = (this.ended[end] ?? 0) + 1;
      if (tail !== 'leave') --this.underWay;
    }
  }

  /** A channel that is busy for a moment is asked again, as the page does. */
  async #pays(buyer, id) {
    const end = Date.now() + kPayWithinMs;
    for (;;) {
      const asked = await buyer.pay(id);
      if (asked.status === 200) return this.shop.payAtSheet(asked.json.out_trade_no);
      const reason = `${asked.status} ${asked.json?.reason}`;
      this.told[reason] = (this.told[reason] ?? 0) + 1;
      if (Date.now() > end) throw new Error(`no sheet: ${asked.text}; before: ${JSON.stringify(this.told)}`);
      await sleep(1_000);
    }
  }

  #seen(order) {
    this.recent.push(order);
    if (this.recent.length > kRecent) this.recent.shift();
  }

  async #faults() {
    while (!this.over()) {
      if (this.isNight) { await sleep(50); continue; }
      const [party, kind] = pick(kFaults);
      await this.shop.arm(party, kind, 2);
      ++this.counts.faults;
      await sleep(1_500);
      // Busy for a moment, not until so many have asked: who stays away from a busy channel asks it seldom.
      if (kind === 'busy') await this.shop.arm(party, kind, 0);
    }
  }

  async #reads() {
    while (!this.over()) {
      for (const path of ['/api/v1/price-book', '/', '/api/v1/shop', '/healthz']) {
        const answer = await fetch(this.shop.origin + path);
        await answer.arrayBuffer();
        if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
        ++this.counts.reads;
      }
      await sleep(25);
    }
  }

  async #follows() {
    while (!this.over()) {
      if (this.recent.length === 0) { await sleep(50); continue; }
      const sockets = await Promise.all(Array.from({ length: kFollowers }, () => {
        const { id, token } = pick(this.recent);
        return follower(this.shop.origin, JSON.stringify({ type: 'subscribe', session: token, order_id: id, after: 1 }), () => {});
      }));
      this.counts.followers += sockets.length;
      await sleep(3_000);
      for (const socket of sockets) socket.destroy();
    }
  }

  async #staff() {
    for (let n = 0; !this.over(); ++n) {
      if (n % 200 === 0 || this.person === undefined) this.person = await this.shop.signIn();
      const path = n % 5 === 4 && this.recent.length > 0 ? `orders/${pick(this.recent).id}` : pick(kDesk);
      await this.person.get(`/api/admin/${path}`);
      ++this.counts.desk;
      await sleep(100);
    }
  }

  async #nights() {
    for (;;) {
      const until_ = Date.now() + this.dayMs;
      while (Date.now() < until_) {
        if (this.over()) return;
        await sleep(200);
      }
      this.isNight = true;
      // What nobody met by day would all fall on the one call that the night makes.
      for (const [party, kind] of kFaults) await this.shop.arm(party, kind, 0);
      await until('the shop is quiet', () => this.underWay === 0, kEndsWithinMs);
      this.recent = [];
      this.person = undefined;
      await night(this.shop, this.clock);
      this.isNight = false;
      ++this.counts.days;
    }
  }
}

/** The clock goes to the same time of the next day, as all of it that the shop does by the clock. What a night brings: new keys, a
 *  backup, the log put aside, the bills of both sides of the day that ended. */
export async function night(shop, clock) {
  const ended = dayOf(clock);
  clock.forward(86_400);
  const data = ['--data', shop.data];
  const [program, ...words] = clock.under;
  await runs(program, [...words, binary, 'key', 'rotate', ...data]);
  await runs(program, [...words, binary, 'backup', `${shop.data}-backups`, ...data, '--keep', '2']);
  shop.child.kill('SIGHUP');
  for (const party of ['wechat', 'reloadly']) await compare(shop, await shop.signIn(), party, ended);
}

/** Every page of staff, all at once. */
export async function deskAtOnce(shop) {
  const person = await shop.signIn();
  await Promise.all(kDesk.map((path) => person.get(`/api/admin/${path}`)));
}

/** The day it is now where the shop stands. */
export const dayOf = (clock) => new Date(clock.now() + 8 * 3_600_000).toISOString().slice(0, 10);

/** The run of a day's bill as it is after one more comparison. */
export async function compare(shop, person, party, day) {
  const asked = await shop.call('POST', '/api/admin/reconcile/runs', { body: { party, day }, headers: { cookie: person.cookie, origin: shop.origin } });
  if (asked.status !== 202) throw new Error(`${party}: ${asked.text}`);
  return until(`the bill of ${party} is compared`, async () => {
    const run = await person.get(`/api/admin/reconcile/runs/${asked.json.run_id}`);
    return run.tries > asked.json.tries ? run : null;
  }, kEndsWithinMs);
}
