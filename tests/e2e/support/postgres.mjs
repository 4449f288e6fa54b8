// A PostgreSQL of the test's own: made by initdb in a folder that goes away, on a free port of loopback.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { until } from './shop.mjs';

const home = '/usr/lib/postgresql';
const version = existsSync(home) ? readdirSync(home).sort().at(-1) : undefined;
const program = (name) => join(home, String(version), 'bin', name);

// It refuses to run as root.
function otherUser() {
  if (process.getuid() !== 0) return {};
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

const finished = (child) => new Promise((done, fail) => {
  child.once('error', fail);
  child.once('close', (code) => (code === 0 ? done() : fail(new Error(`${child.spawnfile} ended with ${code}`))));
});

function hasEnded(pid) {  // also when nobody has waited for it yet
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].startsWith('Z');
  } catch { return true; }
}

const running = new Set();
process.on('exit', () => {
  for (const database of running) {
    database.child.kill('SIGKILL');
    rmSync(database.folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

export class Postgres {
  static async start() {
    const database = new Postgres();
    // A short path: the name of a unix socket has about 100 characters.
    database.folder = mkdtempSync(existsSync('/dev/shm') ? '/dev/shm/topup-pg-' : '/tmp/topup-pg-');
    database.user = otherUser();
    if (database.user.uid) chownSync(database.folder, database.user.uid, database.user.gid);
    execFileSync(program('initdb'), ['-D', join(database.folder, 'data'), '-U', 'topup', '-A', 'trust', '--locale=C',
      '--encoding=UTF8', '--no-sync'], { ...database.user, cwd: '/', stdio: 'ignore' });
    database.port = await freePort();
    await database.run();
    return database;
  }
  /** A streaming standby of `primary`, from now on the one that each of its commits waits for. */
  static async standby(primary, port) {
    const database = new Postgres();
    database.folder = mkdtempSync(existsSync('/dev/shm') ? '/dev/shm/topup-pg-' : '/tmp/topup-pg-');
    database.user = primary.user;
    if (database.user.uid) chownSync(database.folder, database.user.uid, database.user.gid);
    await finished(spawn(program('pg_basebackup'), ['-D', join(database.folder, 'data'), '-R', '-X', 'stream', '-c', 'fast',
      '--no-sync', '-d', `host=127.0.0.1 port=${primary.port} user=topup application_name=standby`], { ...database.user, cwd: '/',
      stdio: 'ignore' }));
    database.port = port ?? await freePort();
    await database.run();
    await primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (standby)'");
    await primary.sql('SELECT pg_reload_conf()');
    await until('the standby is in step', async () => (await primary.sql(
      "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")) === '1', 20_000);
    return database;
  }
  /** From a standby to the one that takes writes. It waits for nobody until it has a standby of its own. */
  async promote() {
    await finished(spawn(program('pg_ctl'), ['promote', '-D', join(this.folder, 'data'), '-w'],
      { ...this.user, cwd: '/', stdio: 'ignore' }));
  }
  async sql(text) {
    const child = spawn(program('psql'), ['-XAtq', '-d', this.url, '-c', text], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (bytes) => { said += bytes; });
    await finished(child);
    return said.trim();
  }
  get url() { return `postgres://topup@127.0.0.1:${this.port}/postgres`; }
  async run() {
    this.child = spawn(program('postgres'), ['-D', join(this.folder, 'data'), '-k', this.folder,
      '-c', 'listen_addresses=127.0.0.1', '-c', `port=${this.port}`], { ...this.user, cwd: '/', stdio: 'ignore' });
    this.child.unref();
    running.add(this);
    this.ended = new Promise((done) => this.child.once('exit', done));
    await until('PostgreSQL answers', () => {
      try {
        execFileSync(program('pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(this.port)]);
        return true;
      } catch { return false; }
    }, 20_000);
  }
  /** As a power cut: the postmaster and all its children, without good-bye. */
  async kill() {
    const { pid } = this.child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    this.child.ref();
    this.child.kill('SIGKILL');
    for (const child of children) {
      try { process.kill(Number(child), 'SIGKILL'); } catch { /* it has just ended by itself */ }
    }
    await this.ended;
    running.delete(this);
    await until('its children ended', () => children.every(hasEnded));
    rmSync(join(this.folder, 'data/postmaster.pid'), { force: true });
  }
  async stop() {
    if (running.has(this)) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
