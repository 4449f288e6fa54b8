// The real binary as `topup serve` runs it, with no outside party: for tests of the door. Speaks to it in raw bytes.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { startChild } from './children.mjs';
import { binary, sleep, until } from './shop.mjs';

export function freePort() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export class Served {
  /** @param {{server?: (served: Served) => string, files?: number}} options `server`: more lines of [server];
   *  `files`: how many descriptors the process may have. */
  static async start(options = {}) {
    const served = new Served();
    served.folder = mkdtempSync(join(tmpdir(), 'topup-door-'));
    served.port = await freePort();
    served.options = options;
    mkdirSync(join(served.folder, 'web'));
    writeFileSync(join(served.folder, 'web/index.html'), '<!doctype html><title>page</title>');
    await served.run();
    return served;
  }

  file(name) { return join(this.folder, name); }

  async run({ waits = true } = {}) {
    const lines = this.options.server?.(this) ?? '';
    writeFileSync(this.file('shop.toml'), `[server]\nport = ${this.port}\ndata_dir = '${this.file('data')}'\n`
      + `client_files = '${this.file('web')}'\nconsole_files = '${this.file('web')}'\n`
      + (lines.includes('public_origin') ? '' : `public_origin = 'https://127.0.0.1:${this.port}'\n`) + lines);
    const limit = this.options.files ? `ulimit -n ${this.options.files}; ` : '';
    this.child = startChild('bash', ['-c', `${limit}exec "$0" "$@"`, binary, 'serve', '--config', this.file('shop.toml'),
      '--log-file', this.file('topup.log')], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.said = '';
    let gone = null;
    // 'close' and not 'exit': all that it said has been read by then.
    this.exited = new Promise((done) => this.child.once('close', (code, signal) => {
      gone = { code, signal };
      done(gone);
    }));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (bytes) => { this.said += bytes; });
    if (!waits) return;
    await until('the shop answers', () => {
      if (gone) throw new Error(`it ended: ${JSON.stringify(gone)}\n${this.said}`);
      return /Ctrl-C stops it/.test(this.said);
    }, 30_000);
  }

  async stop() {
    this.child.kill('SIGTERM');
    const how = await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
    return how;
  }

  log() {
    return readFileSync(this.file('topup.log'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  }
  rssMb() { return Number(readFileSync(`/proc/${this.child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024; }
  descriptors() { return readdirSync(`/proc/${this.child.pid}/fd`).length; }
  cpuMs() {  // clock ticks of 10 ms
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
  /** Ports on which this process listens, by the kernel's own tables. */
  listening() {
    const ours = new Set();
    for (const name of readdirSync(`/proc/${this.child.pid}/fd`)) {
      try { ours.add(readlinkSync(`/proc/${this.child.pid}/fd/${name}`).match(/^socket:\[(\d+)\]$/)?.[1]); } catch { /* closed meanwhile */ }
    }
    return ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/${this.child.pid}/net/${table}`, 'utf8').trim().split('\n').slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((row) => row[3] === '0A' && ours.has(row[9]))
      .map((row) => Number.parseInt(row[1].split(':').pop(), 16)));
  }

  /** A certificate for 127.0.0.1, known by its common name. */
  certificate(name, { days = 30 } = {}) {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days',
      String(days), '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', this.file(`${name}.key`),
      '-out', this.file(`${name}.pem`)], { stdio: 'ignore' });
  }
  /** Puts it in use as certbot does: new files take the old names. */
  use(name, ends = ['key', 'pem']) {
    for (const end of ends) {
      writeFileSync(this.file('fresh'), readFileSync(this.file(`${name}.${end}`)));
      chmodSync(this.file('fresh'), 0o600);
      renameSync(this.file('fresh'), this.file(`in-use.${end}`));
    }
  }
  tlsLines() {
    return `tls_certificate_file = '${this.file('in-use.pem')}'\ntls_key_file = '${this.file('in-use.key')}'\n`;
  }

  /** Sends bytes, gives back all that came until the other side ended or `ms` have passed. */
  raw(bytes, options = {}) { return raw(this.port, bytes, options); }
  get(path, headers = '', options = {}) {
    return this.raw(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${headers}\r\n`, options);
  }
}

export function raw(port, bytes, { ms = 5_000, secure = false } = {}) {
  return new Promise((done) => {
    const socket = secure
      ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => socket.write(bytes, 'latin1'))
      : net.connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    let all = '';
    const end = (error) => {
      clearTimeout(timer);
      socket.destroy();
      done({ all, status: Number(all.slice(9, 12)) || 0, error: error?.code });
    };
    const timer = setTimeout(end, ms);
    socket.on('data', (data) => { all += data.toString('latin1'); });
    socket.on('error', end);
    socket.on('end', () => end());
    socket.on('close', () => end());
  });
}

export { sleep, until };
