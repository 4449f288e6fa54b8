// HAProxy in front of several nodes, as an operator would set it up: on loopback, in the foreground, gone with the test.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './children.mjs';
import { freePort } from './postgres.mjs';
import { until } from './shop.mjs';

const running = new Set();
process.on('exit', () => { for (const proxy of running) proxy.end(); });

/** Each node's name and port. A request goes to the next node; one that is not ready gets none, and its connections end. */
const settings = (port, nodes) => `
global
  maxconn 1000
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  retries 2
  option redispatch 1
frontend shop
  bind 127.0.0.1:${port}
  option forwardfor
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /readyz
  default-server check inter 250ms fall 2 rise 1 on-marked-down shutdown-sessions
${nodes.map((node) => `  server ${node.name} 127.0.0.1:${node.port}\n`).join('')}`;

export class Proxy {
  static async reserve() {
    const proxy = new Proxy();
    proxy.port = await freePort();
    proxy.origin = `http://127.0.0.1:${proxy.port}`;
    proxy.folder = mkdtempSync(join(tmpdir(), 'topup-proxy-'));
    return proxy;
  }
  async run(nodes) {
    const file = join(this.folder, 'haproxy.cfg');
    writeFileSync(file, settings(this.port, nodes));
    this.said = '';
    this.child = startChild('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this);
    let gone = null;
    this.child.once('exit', (code) => { gone = { code }; });
    this.child.once('error', (why) => { gone = why; });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (bytes) => { this.said += bytes; });
      stream.unref();
    }
    this.child.unref();
    await until('the proxy reaches a node', async () => {
      if (gone) throw new Error(`haproxy ended: ${JSON.stringify(gone)} ${this.said}`);
      try { return (await fetch(`${this.origin}/readyz`)).status === 200; } catch { return false; }
    });
  }
  end() {
    running.delete(this);
    this.child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
