// Several nodes of one shop on one PostgreSQL. The outside parties are played by another shop's rehearsal, which no test kills.
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './children.mjs';
import { freePort } from './postgres.mjs';
import { Proxy } from './proxy.mjs';
import { credentialsOf } from './real_world.mjs';
import { Shop, binary, until } from './shop.mjs';

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

/** The sections of a configuration that has the parties which `shop` plays; their secrets are kept in `folder`. */
export function partiesOf(shop, folder) {
  const keep = (name, text) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const { serial, keyFile, wechat_pay: wechat, reloadly, sms } = credentialsOf(shop);
  return `
[wechat_pay]
origin = "${shop.wechat}"
mchid = "${wechat.mchid}"
appid = "${wechat.appid}"
serial_no = "${serial}"
private_key_file = "${keyFile}"
apiv3_key_file = "${keep('apiv3', wechat.apiv3_key)}"
public_key_id = "${wechat.public_key_id}"
public_key_file = "${keep('platform.pem', wechat.public_key)}"
[reloadly]
auth_origin = "${reloadly.auth_origin}"
origin = "${shop.reloadly}"
client_id = "${reloadly.client_id}"
client_secret_file = "${keep('client_secret', reloadly.client_secret)}"
webhook_secret_file = "${keep('webhook_secret', reloadly.webhook_secret)}"
[sms]
origin = "${shop.sms}"
key_file = "${keep('sms_key', sms.key)}"
template = "sign_in_code"
`;
}

/** One node: `topup serve` with a data folder of its own. It comes back at the same port. */
export class Node extends Shop {
  static async make(name, { world, keys, settings, publicOrigin }) {
    const node = new Node();
    Object.assign(node, { options: {}, ownsData: true, name, port: await freePort(), wechat: world.wechat, reloadly: world.reloadly });
    node.data = mkdtempSync(join(tmpdir(), `topup-node-${name}-`));
    node.origin = `http://127.0.0.1:${node.port}`;
    if (keys) copyFileSync(keys, join(node.data, 'topup.keys'));
    node.file = join(node.data, 'node.toml');
    writeFileSync(node.file, `[server]\npublic_origin = "${publicOrigin ?? node.origin}"\ntrusted_proxies = ["127.0.0.1"]\n`
      + `${settings}${partiesOf(world, node.data)}`);
    return node;
  }
  async run() {
    this.said = '';
    this.child = startChild(binary, ['serve', '--config', this.file, '--port', String(this.port), '--data', this.data,
      '--log-file', join(this.data, 'topup.log')], { stdio: ['ignore', 'pipe', 'pipe'] });
    const { child } = this;
    running.add(child);
    for (const handle of [child, child.stdout, child.stderr]) handle.unref();
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { this.said += bytes; });
    let gone = null;
    this.exited = new Promise((done) => child.once('exit', (code, signal) => {
      running.delete(child);
      gone = { code, signal };
      done(gone);
    }));
    await until(`node ${this.name} is ready`, async () => {
      if (gone) throw new Error(`node ${this.name} ended: ${JSON.stringify(gone)}\n${this.said}`);
      return this.isReady();
    }, 20_000);
    this.password = this.said.match(/password\s+(\S+)/)?.[1] ?? this.password;
  }
  async isReady() {
    try { return (await this.call('GET', '/readyz')).status === 200; } catch { return false; }
  }
  get keys() { return join(this.data, 'topup.keys'); }
  cleanup() { rmSync(this.data, { recursive: true, force: true }); }
}

export class Cluster {
  /** @param options {{databaseUrl: string, nodes?: number, settings?: string}} */
  static async start({ databaseUrl, nodes = 3, settings = '' }) {
    const cluster = new Cluster();
    // The outside is no part of what is proved: it need not survive a power cut.
    cluster.world = await Shop.start({ data: mkdtempSync(existsSync('/dev/shm') ? '/dev/shm/topup-world-' : '/tmp/topup-world-') });
    cluster.world.ownsData = true;
    cluster.proxy = await Proxy.reserve();
    cluster.nodes = [];
    for (let i = 0; i < nodes; ++i) {
      cluster.nodes.push(await Node.make(`n${i + 1}`, {
        world: cluster.world, keys: cluster.nodes[0]?.keys, publicOrigin: cluster.proxy.origin,
        settings: `[store]\nurl = "${databaseUrl}"\n[staff]\ntotp_required = false\n`
          + `[catalog]\napprove_new = true\nrates = ["USD 7.20"]\n${settings}`,
      }));
      if (i === 0) await cluster.nodes[0].run();  // it makes the shop and its keys
    }
    await Promise.all(cluster.nodes.slice(1).map((node) => node.run()));
    await cluster.proxy.run(cluster.nodes);
    return cluster;
  }
  /** The shop as the world sees it. */
  get shop() {
    const shop = new Shop();
    Object.assign(shop, { origin: this.proxy.origin, wechat: this.world.wechat, reloadly: this.world.reloadly,
      data: this.nodes[0].data, password: this.nodes[0].password });
    return shop;
  }
  logs() { return this.nodes.flatMap((node) => (existsSync(join(node.data, 'topup.log')) ? node.log() : [])); }
  async stop() {
    this.proxy.end();
    const ends = await Promise.all([...this.nodes, this.world].map((node) => node.stop()));
    for (const node of [...this.nodes, this.world]) node.cleanup();
    return ends.map(({ code }) => code);
  }
}

/** The shop as somebody at `address` reaches it. */
export function from(shop, address) {
  const there = Object.assign(Object.create(Object.getPrototypeOf(shop)), shop);
  there.call = (method, path, { headers = {}, ...rest } = {}) => (
    Shop.prototype.call.call(shop, method, path, { ...rest, headers: { 'x-forwarded-for': address, ...headers } }));
  return there;
}
