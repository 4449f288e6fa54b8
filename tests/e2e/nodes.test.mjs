// Threats O-07, A-03, A-07, A-09, A-10, C-09, D-12, D-13 where several servers are one shop: three nodes behind HAProxy on one
// PostgreSQL with a streaming replica. Nodes are killed, the database is killed as a whole, and its replica takes over.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, from } from './support/cluster.mjs';
import { Colleague } from './support/colleagues.mjs';
import { follow } from './support/live.mjs';
import { Postgres, freePort } from './support/postgres.mjs';
import { Buyer, binary, sleep, sumsToZero, until } from './support/shop.mjs';

// The longer form is the suite nodes-long of scripts/test.
const isLong = process.env.TOPUP_NODES === 'long';
const kKills = isLong ? 20 : 3;
const kPromotions = isLong ? 3 : 1;
const kBuyers = 4;
const kPhone = '13800001234';
const kLimitPercent = isLong ? 4_000 : 400;
const kSettings = `
[jobs]
lease_ms = 3000
[orders]
first_supplier_query_ms = 300
not_found_needed = 3
not_found_gap_ms = 200
max_unpaid_per_user = 100
review_above_minor = 0
[limits]
percent = ${kLimitPercent}
`;

let primary, replica, cluster, shop, owner;

before(async () => {
  primary = await Postgres.start();
  replica = await Postgres.standby(primary, await freePort());
  const at = ({ port }) => `127.0.0.1:${port}`;
  cluster = await Cluster.start({
    databaseUrl: `postgres://topup@${at(primary)},${at(replica)}/postgres?target_session_attrs=read-write`, settings: kSettings,
  });
  shop = cluster.shop;
  owner = await Colleague.owner(shop);
}, { timeout: 120_000 });
after(async () => {
  const codes = await cluster?.stop();
  await primary?.stop();
  await replica?.stop();
  assert.ok(codes?.every((code) => code === 0), `the nodes ended with ${codes}`);
});

const node = (i) => cluster.nodes[i % cluster.nodes.length];
const verify = () => execFileSync(binary, ['verify', '--config', node(0).file, '--data', node(0).data], { encoding: 'utf8', stdio: 'pipe' });

/** Asks again, as a page does, while nobody has answered (the proxy lost its node, or the shop is not there), while the killed
 *  node might still be answering, and when it has asked too often. */
async function insist(ask) {
  return until('somebody answers', async () => {
    try {
      const answer = await ask();
      if (answer.status < 500 && !['idempotency_in_flight', 'too_many_requests'].includes(answer.json?.reason)) return answer;
      await sleep(250);
      return null;
    } catch { return null; }
  }, 40_000);
}

/** The same buyer at one node, whatever the proxy would choose. */
function at(place, buyer) {
  return Object.assign(new Buyer(), { shop: from(place, buyer.address ?? '203.0.113.1'), token: buyer.token });
}
async function arrive(address) {
  const buyer = Object.assign(new Buyer(), { shop: from(shop, address), address });
  buyer.token = (await insist(() => buyer.shop.call('POST', '/api/v1/sessions'))).json.token;
  return buyer;
}

/** Buyers who order and pay without a pause, and what they were told. */
class Rush {
  static async start() {
    const rush = new Rush();
    rush.orders = [];
    rush.refused = [];
    rush.isOver = false;
    const buyers = await Promise.all(Array.from({ length: kBuyers }, (_, i) => arrive(`203.0.113.${10 + i}`)));
    rush.done = Promise.all(buyers.map(async (buyer) => {
      while (!rush.isOver) await rush.buy(buyer);
    }));
    rush.done.catch(() => { rush.isOver = true; });
    return rush;
  }
  async buy(buyer) {
    const key = randomUUID();
    const fingerprint = (await insist(() => buyer.quote(kPhone))).json.fingerprint;
    const placed = await insist(() => buyer.place(kPhone, { key, fingerprint }));
    if (placed.status !== 201) return void this.refused.push(placed.text);
    const entry = { id: placed.json.order_id, buyer, paid: false };
    this.orders.push(entry);
    const paying = randomUUID();
    const ticket = await insist(() => buyer.pay(entry.id, paying));
    if (ticket.status !== 200) return void this.refused.push(ticket.text);
    entry.trade = ticket.json.out_trade_no;
    entry.paid = (await shop.payAtSheet(entry.trade)).json.paid === true;
  }
  /** Until so many more orders are acknowledged. */
  more(count, what) {
    const target = this.orders.length + count;
    return until(`${count} more orders ${what}`, () => {
      if (this.isOver) return this.done;  // it failed: say how
      return this.orders.length >= target;
    }, 60_000);
  }
  async end() {
    this.isOver = true;
    await this.done;
    assert.deepEqual(this.refused, []);
  }
  /** Each acknowledged order is there; each paid one was delivered once, and the books say so. What a node had marked as sent
   *  when it was killed, and never sent, is given back instead: the supplier's own book decides which. */
  async isWhole() {
    this.delivered = 0;
    for (const { id, buyer, paid } of this.orders) {
      assert.equal((await buyer.order(id)).order_id, id, `the acknowledged order ${id} is there`);
      if (!paid) continue;
      await buyer.call('POST', `/api/v1/orders/${id}/confirm`);
      let state;
      await until(`the paid order ${id} ends`, async () => {
        ({ state } = await buyer.order(id));
        return ['succeeded', 'refunded'].includes(state);
      }, 40_000).catch((late) => assert.fail(`${late.message}: it is ${state}`));
      const full = await owner.get(`/api/admin/orders/${id}`);
      const count = (template) => full.journals.filter((journal) => journal.template === template).length;
      const isDelivered = state === 'succeeded';
      assert.equal((await shop.suppliersBook(full.supplier_attempts[0].attempt_id)).known, isDelivered, `${id} is ${state}`);
      assert.deepEqual([count('payment'), count('fulfilment'), full.supplier_attempts.length], [1, isDelivered ? 1 : 0, 1], id);
      assert.ok(sumsToZero(full));
      this.delivered += isDelivered ? 1 : 0;
    }
    assert.ok(this.delivered > 0);
    assert.match(verify(), /the books hold/);
  }
}

const rushes = [];
/** Top-ups in the supplier's own book, of all that was ever sent to it. */
function deliveries() {
  const count = 'import sqlite3, sys\nprint(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM reloadly_topups").fetchone()[0])';
  return Number(execFileSync('python3', ['-c', count, join(cluster.world.data, 'rehearsal.sqlite')], { encoding: 'utf8' }));
}

test('a node that is killed under load loses nothing: each order is there, and each paid one was delivered once or given back', {
  timeout: isLong ? 600_000 : 120_000 }, async () => {
  const before = deliveries();
  const rush = await Rush.start();
  rushes.push(rush);
  for (let kill = 0; kill < kKills; ++kill) {
    await rush.more(4, 'before the kill');
    await node(kill).kill();
    await rush.more(4, 'without that node');
    await node(kill).run();
  }
  await rush.end();
  await rush.isWhole();
  assert.equal(deliveries() - before, rush.delivered);
  console.log(`# ${kKills} nodes killed; ${rush.orders.length} orders acknowledged, ${
    rush.orders.filter(({ paid }) => paid).length} paid, ${rush.delivered} delivered`);
});

test('A-10: a session made at one node is good at all, and ended at one it is ended at all', async () => {
  const buyer = at(node(0), await arrive('203.0.113.20'));
  for (const place of cluster.nodes) assert.equal((await at(place, buyer).call('GET', '/api/v1/orders')).status, 200);
  const [{ session_id: session }] = (await at(node(1), buyer).call('GET', '/api/v1/me/sessions')).json.sessions;
  const ended = await at(node(1), buyer).call('DELETE', `/api/v1/me/sessions/${session}`, { headers: { 'idempotency-key': randomUUID() } });
  assert.equal(ended.status, 204, ended.text);
  for (const place of cluster.nodes) assert.equal((await at(place, buyer).call('GET', '/api/v1/orders')).status, 401);

  const staff = await Colleague.signIn(node(2), 'owner', shop.password);
  for (const place of cluster.nodes) assert.equal((await Object.assign(staff, { shop: place }).call('GET', '/api/admin/session')).status, 200);
  staff.shop = node(0);
  const { cookie } = staff;
  assert.equal((await staff.call('DELETE', '/api/admin/session')).status, 204);
  for (const place of cluster.nodes) {
    assert.equal((await Object.assign(staff, { shop: place, cookie }).call('GET', '/api/admin/session')).status, 401);
  }
});

test('A-03: roles taken away at one node count at all at the next request, and end the session', async () => {
  const clerk = await owner.hire('clerk', ['support']);
  const asks = async () => Promise.all(cluster.nodes.map(async (place) => (
    await Object.assign(new Colleague(), { shop: place, cookie: clerk.cookie }).call('GET', '/api/admin/orders')).status));
  assert.deepEqual(await asks(), [200, 200, 200]);
  const taken = await owner.call('PUT', `/api/admin/staff/${clerk.id}/roles`, { roles: [] });
  assert.equal(taken.status, 200, taken.text);
  assert.deepEqual(await asks(), [401, 401, 401]);
});

test('C-09: one idempotency key used at all nodes at once gives one order', async () => {
  const buyer = await arrive('203.0.113.21');
  for (let round = 0; round < 4; ++round) {
    const key = randomUUID();
    const { fingerprint } = (await buyer.quote(kPhone)).json;
    const answers = await Promise.all(cluster.nodes.map((place) => at(place, buyer).place(kPhone, { key, fingerprint })));
    const repeated = await buyer.place(kPhone, { key, fingerprint });
    assert.equal(repeated.status, 201, repeated.text);
    for (const answer of answers) {
      if (answer.status !== 201) assert.equal(answer.status, 409, answer.text);
      else assert.equal(answer.json.order_id, repeated.json.order_id);
    }
    assert.equal((await buyer.call('GET', '/api/v1/orders')).json.orders.length, round + 1);
  }
});

test('A-07: wrong passwords at several nodes lock the name out at all, and end no session', async () => {
  const wrong = (place) => place.call('POST', '/api/admin/session', {
    body: { name: 'owner', password: 'no' }, headers: { origin: place.origin, 'x-forwarded-for': '203.0.113.30' } });
  for (let i = 0; i < 5; ++i) assert.equal((await wrong(node(i))).status, 401);
  for (const place of cluster.nodes) {
    const right = await place.call('POST', '/api/admin/session', { body: { name: 'owner', password: shop.password } });
    assert.deepEqual([right.status, right.json.reason], [429, 'locked_out'], right.text);
  }
  assert.equal((await owner.call('GET', '/api/admin/session')).status, 200);
});

test('A-09: messages and tries of a code are counted over all nodes', async () => {
  const buyer = await arrive('203.0.113.31');
  const ask = (place) => at(place, buyer).call('POST', '/api/v1/sign-in/sms/code', { body: { phone: '13912345678', purpose: 'sign_in' } });
  const first = await Promise.all(cluster.nodes.map(ask));
  assert.deepEqual(first.map(({ status }) => status).sort(), [202, 429, 429], first.map(({ text }) => text).join());
  const { messages } = await (await fetch(`${cluster.world.sms}/inbox`)).json();
  const sent = messages.filter(({ to }) => to === '+8613912345678');
  assert.equal(sent.length, 1);
  const { code } = sent[0].params;
  const tries = (place, typed) => at(place, buyer).call('POST', '/api/v1/sign-in/sms', { body: { phone: '13912345678', code: typed } });
  const other = code === '000000' ? '111111' : '000000';
  for (let i = 0; i < 5; ++i) assert.equal((await tries(node(i), other)).status, 401);
  const worn = await tries(node(2), code);
  assert.deepEqual([worn.status, worn.json.reason], [429, 'sign_in_locked'], 'five tries were all');
});

test('three nodes together let no device do more than one node would', async () => {
  const capacity = 10 * kLimitPercent / 100, aMinute = 20 * kLimitPercent / 100;  // Rate::sign_in of a device
  const began = Date.now();
  const headers = { 'x-device-id': `device-${randomUUID()}`, 'x-forwarded-for': '203.0.113.40' };
  const answers = [];
  for (let i = 0; i < 3; ++i) {
    answers.push(...await Promise.all(Array.from({ length: capacity }, (_, n) => node(n).call('POST', '/api/v1/sessions', { headers }))));
  }
  const allowed = answers.filter(({ status }) => status < 300).length;
  const refused = answers.filter(({ status }) => status === 429).length;
  const came = (Date.now() - began) * aMinute / 60_000;
  assert.equal(allowed + refused, answers.length);
  assert.ok(allowed <= capacity + came + cluster.nodes.length, `${allowed} of ${answers.length} were allowed, ${capacity} is one node's`);
  assert.ok(allowed >= capacity - cluster.nodes.length, `${allowed} were allowed`);
});

test('O-07: schedules run once, however many nodes there are', async () => {
  const runs = async () => {
    const counts = {};
    for (const place of cluster.nodes) {
      for (const [, kind, value] of (await place.call('GET', '/metrics')).text.matchAll(/^jobs_total\{kind="(\w+)",outcome="\w+"\} (\d+)/gm)) {
        counts[kind] = (counts[kind] ?? 0) + Number(value);
      }
    }
    return counts;
  };
  // Whatever waits for tomorrow or for later today.
  const later = `FROM outbox WHERE state = 'due' AND run_at_ms > ${Date.now() + 1_000_000}`;
  const planned = (await primary.sql(`SELECT kind, count(*) ${later} GROUP BY kind`)).split('\n').map((line) => line.split('|'));
  const kinds = planned.map(([kind]) => kind);
  assert.ok(kinds.length >= 3, `schedules: ${kinds}`);
  const before = await runs();
  for (let round = 1; round <= 3; ++round) {
    const now = Date.now();
    await primary.sql(`UPDATE outbox SET run_at_ms = ${now} WHERE state = 'due' AND kind IN (${kinds.map((kind) => `'${kind}'`)})`);
    await until('all have run', async () => (await primary.sql(`SELECT count(*) FROM outbox WHERE kind IN (${
      kinds.map((kind) => `'${kind}'`)}) AND (state <> 'due' OR run_at_ms < ${now + 100_000})`)) === '0', 20_000);
    const counted = await runs();
    for (const [kind, rows] of planned) {
      assert.equal(counted[kind] - (before[kind] ?? 0), round * Number(rows), `${kind} in round ${round}`);
    }
  }
});

test('a live setting changed at one node is obeyed at all within two seconds', async () => {
  const buyer = await arrive('203.0.113.50');
  const places = async () => Promise.all(cluster.nodes.map(async (place) => {
    const { status, json } = await at(place, buyer).place(kPhone);
    return status === 201 ? 'placed' : json.reason;
  }));
  const change = async (changes) => {
    const { version } = await owner.get('/api/admin/settings');
    const changed = await Object.assign(owner, { shop: node(1) }).call('PUT', '/api/admin/settings', { version, changes });
    owner.shop = shop;
    assert.equal(changed.status, 200, changed.text);
  };
  assert.deepEqual(await places(), ['placed', 'placed', 'placed']);
  await change({ 'service.level': 'maintenance' });
  await until('all nodes refuse orders', async () => (await places()).every((said) => said === 'maintenance'), 2_000);
  await change({ 'service.level': 'normal' });
  await until('all nodes take orders again', async () => (await places()).every((said) => said === 'placed'), 2_000);
});

test('a page hears of its order over a socket to another node than the one that changes it', async () => {
  const buyer = await arrive('203.0.113.51');
  const { order_id: id } = (await at(node(0), buyer).place(kPhone)).json;
  const one = await Promise.all(cluster.nodes.map((place) => (
    follow(place.origin, { type: 'subscribe', session: buyer.token, order_id: id, after: 0 }))));
  const through = await follow(shop.origin, { type: 'subscribe', session: buyer.token, after: 1 });
  await shop.payAtSheet((await at(node(0), buyer).pay(id)).json.out_trade_no);
  await until('every follower hears how it ended', () => one.every(({ heard }) => heard.some(({ order }) => order?.state === 'succeeded'))
    && through.heard.some(({ changes }) => changes?.some(({ order_id: which, state }) => which === id && state === 'succeeded')));
  for (const { heard } of one) {
    const seen = heard.filter(({ type }) => type === 'order').map(({ seq }) => seq);
    assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b), 'news come once and in order');
  }
  for (const { close } of [...one, through]) close();
});

test('D-12: a primary killed as a whole and its replica promoted under load lose no acknowledged order', {
  timeout: isLong ? 600_000 : 120_000 }, async () => {
  for (let round = 1; round <= kPromotions; ++round) {
    const rush = await Rush.start();
    rushes.push(rush);
    await rush.more(6, 'before the primary is killed');
    await primary.kill();
    const killed = Date.now();
    await replica.promote();
    const acknowledged = rush.orders.length;
    await rush.more(1, 'after the promotion');
    console.log(`# ${acknowledged} orders were acknowledged; the first one after the kill came ${Date.now() - killed} ms later`);
    await rush.more(5, 'after the promotion');
    await rush.end();
    [primary, replica] = [replica, primary];
    await rush.isWhole();
    for (const place of cluster.nodes) assert.ok(await place.isReady());
    if (round === kPromotions) break;
    const { port } = replica;
    await replica.stop();
    replica = await Postgres.standby(primary, port);
  }
  for (const earlier of rushes) await earlier.isWhole();
});

test('D-13: a primary that no replica follows is told in the log and by the doctor', async () => {
  assert.ok(cluster.logs().some(({ event, msg }) => (event ?? msg) === 'store_not_replicated'));
  let said;
  try {
    said = execFileSync(binary, ['doctor', '--config', node(0).file, '--data', node(0).data], { encoding: 'utf8', stdio: 'pipe' });
  } catch ({ stdout }) { said = stdout; }
  assert.match(said, /synchronous_standby_names/);
});
