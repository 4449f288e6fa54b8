// Threat O-06 on the real binary: several nodes on one PostgreSQL; all but one are stopped by the kernel between their durable
// mark "sent" and the request to the supplier, long enough for that one to take the jobs over, hear that the supplier knows
// nothing, and refund. When the others go on, their requests must not leave any more.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startChild } from './support/children.mjs';
import { partiesOf } from './support/cluster.mjs';
import { Postgres } from './support/postgres.mjs';
import { Buyer, Shop, binary, sleep, sumsToZero, until } from './support/shop.mjs';

const kFreezes = Number(process.env.TOPUP_FREEZES ?? 20);  // more: scripts/test --only crash-long
const kFrozenAtOnce = 4;
const kRounds = Math.ceil(kFreezes / kFrozenAtOnce);
const kOrdersEach = 12;  // at most: a node's round begins with the one that it takes itself
// One buyer orders quickly until his node is caught, and what he may ask for is divided among the nodes.
const kRules = `
[limits]
percent = 0
[jobs]
lease_ms = 1000
[orders]
first_supplier_query_ms = 100
not_found_needed = 2
not_found_gap_ms = 100
max_unpaid_per_user = 100
review_above_minor = 0
`;
// The text "sent" as a value of a statement: its length, then its bytes. Messages to the buyer are "sent" too, so the statement
// must be one on the supplier attempts; it was prepared on the same connection under a name of its own.
const kMark = '\0\0\0\x04sent';
const kPrepared = /P[^]{4}(\w+)\0\s*(?:INSERT INTO|UPDATE) supplier_attempts\b/g;

const listening = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

/** A wire to PostgreSQL that calls `onMarked` once a transaction with the mark is committed, before the client hears of it. */
class WatchedWire {
  static async to(port) {
    const wire = new WatchedWire();
    wire.sockets = new Set();
    wire.server = createServer((client) => {
      const database = connect(port, '127.0.0.1');
      for (const socket of [client, database]) {
        wire.sockets.add(socket);
        socket.setNoDelay(true).unref().on('error', () => { client.destroy(); database.destroy(); });
      }
      const marking = new Set();
      let isMarked = false, isCommitting = false;
      client.on('data', (bytes) => {
        const text = bytes.toString('latin1');
        for (const [, name] of text.matchAll(kPrepared)) marking.add(`\0${name}\0`);
        if (text.includes('BEGIN ISOLATION')) isMarked = false;  // the one before met another node's change and was taken back
        if (text.includes(kMark) && [...marking].some((name) => text.includes(name))) isMarked = true;
        if (isMarked && bytes.includes('COMMIT')) { isMarked = false; isCommitting = true; }
        database.write(bytes);
      });
      database.on('data', async (bytes) => {
        const wasCommitting = isCommitting;
        isCommitting = false;
        if (wasCommitting && wire.onMarked) {
          database.pause();
          await wire.onMarked();
          database.resume();
        }
        client.write(bytes);
      });
      client.on('close', () => database.destroy());
      database.on('close', () => client.destroy());
    });
    wire.port = await listening(wire.server);
    wire.server.unref();
    return wire;
  }
  close() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** One more node of the same shop, whose outside parties are those that the first one plays. */
class Node extends Shop {
  static async join(shop, databaseUrl, rules) {
    const node = new Node();
    node.options = {};
    node.ownsData = true;
    node.data = mkdtempSync(join(tmpdir(), 'topup-node-'));
    copyFileSync(join(shop.data, 'topup.keys'), join(node.data, 'topup.keys'));
    const probe = createServer();
    const port = await listening(probe);
    await new Promise((done) => probe.close(done));
    node.origin = `http://127.0.0.1:${port}`;
    writeFileSync(join(node.data, 'node.toml'), `
[server]
public_origin = "${node.origin}"
[store]
url = "${databaseUrl}"
${rules}${partiesOf(shop, node.data)}`);
    node.child = startChild(binary, ['serve', '--config', join(node.data, 'node.toml'), '--port', String(port), '--data', node.data,
      '--log-file', join(node.data, 'topup.log')], { stdio: 'ignore' });
    process.on('exit', () => node.child.kill('SIGKILL'));
    node.child.unref();
    node.exited = new Promise((done) => node.child.once('exit', (code, signal) => done({ code, signal })));
    node.wechat = shop.wechat;
    node.reloadly = shop.reloadly;
    await until('the node is ready', async () => {
      try { return (await node.call('GET', '/readyz')).status === 200; } catch { return false; }
    });
    return node;
  }
}

test('O-06: a node that stood still after its mark sends nothing once another has taken its job over', { timeout: 60_000 + kRounds * 30_000 }, async () => {
  const database = await Postgres.start();
  const first = await Shop.start({ config: `[store]\nurl = "${database.url}"\n${kRules}` });
  const others = await Promise.all(Array.from({ length: kFrozenAtOnce }, async () => {
    const wire = await WatchedWire.to(database.port);
    const node = await Node.join(first, database.url.replace(`:${database.port}/`, `:${wire.port}/`), kRules);
    return { wire, node, buyer: await Buyer.arrive(node) };
  }));
  const staff = await first.signIn();
  const ended = { succeeded: 0, refunded: 0 };
  let frozen = 0, bought = 0;
  const tooLate = () => others.reduce((sum, { node }) => sum + readFileSync(join(node.data, 'topup.log'), 'utf8').split('"too_late"').length - 1, 0);
  const hasEnded = ({ order }) => ['succeeded', 'refunded', 'manual'].includes(order.state);

  for (let round = 0; round < kRounds; ++round) {
    const stayedBefore = tooLate();
    const orders = [];
    const thaws = new Map();
    let allPlaced;
    // They stand still for as long as the first needs: until it has asked, believed and given the money back.
    const takenOver = new Promise((done) => { allPlaced = done; }).then(() => until('the first takes the jobs over and ends them', async () => {
      await sleep(300);
      for (const id of orders) if (!hasEnded(await staff.order(id))) return false;
      return true;
    }, 20_000));
    for (const { wire, node } of others) {
      wire.onMarked = () => {
        if (!thaws.has(node)) {
          node.child.kill('SIGSTOP');
          thaws.set(node, takenOver.finally(() => node.child.kill('SIGCONT')));
        }
        return thaws.get(node);
      };
    }
    // One at a time: the notification of a payment comes to its node too, and one that it misses comes again much later.
    try {
      for (const { node, buyer } of others) {
        for (let placed = 0; !thaws.has(node) && placed < kOrdersEach; ++placed) {
          const { status, text, json } = await buyer.place('13800001234');
          assert.equal(status, 201, text);
          const ticket = await buyer.pay(json.order_id);
          assert.equal(ticket.status, 200, ticket.text);
          await first.payAtSheet(ticket.json.out_trade_no);
          orders.push(json.order_id);
          await until('a node takes the job', async () => thaws.has(node)
            || (await staff.order(json.order_id)).supplier_attempts.some(({ state }) => state !== 'created'), 5_000);
        }
      }
    } finally { allPlaced(); }
    await Promise.all(thaws.values());
    frozen += thaws.size;
    for (const { wire } of others) wire.onMarked = null;
    // What a thawed one would still send it sends at once.
    for (let waited = 0; waited < 500 && tooLate() < stayedBefore + thaws.size; waited += 25) await sleep(25);
    bought += orders.length;
    for (const id of orders) {
      const full = await until(`order ${id} ends`, async () => {
        const now = await staff.order(id);
        return hasEnded(now) ? now : null;
      }, 30_000);
      const theirs = await first.suppliersBook(full.supplier_attempts[0].attempt_id);
      assert.equal(full.supplier_attempts.length, 1);
      assert.equal(theirs.known, full.order.state === 'succeeded', `${id} is ${full.order.state}: ${JSON.stringify(theirs)}`);
      assert.ok(sumsToZero(full));
      ended[full.order.state] += 1;
    }
  }
  const stayed = tooLate();
  console.log(`figure O-06: ${kFrozenAtOnce} nodes frozen ${frozen} times between mark and send, ${stayed} requests stayed, ${ended.refunded} orders`
    + ` given back, ${ended.succeeded} delivered, 0 twice`);
  assert.ok(frozen >= kFreezes - kFrozenAtOnce, 'the nodes were caught between mark and send');
  assert.ok(stayed > 0, 'a request stayed');
  assert.equal(ended.succeeded + ended.refunded, bought);
  assert.ok(ended.refunded > 0);

  for (const { node } of others) assert.equal((await node.stop()).code, 0);
  assert.equal((await first.stop()).code, 0);
  first.cleanup();
  for (const { node, wire } of others) {
    rmSync(node.data, { recursive: true, force: true });
    wire.close();
  }
  await database.stop();
});
