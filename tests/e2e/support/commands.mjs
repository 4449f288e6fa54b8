// Commands of the program that end by themselves.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from './children.mjs';
import { binary } from './shop.mjs';

const folders = [];
process.on('exit', () => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }); });

/** A folder that goes away with the test run. */
export function scratch() {
  folders.push(mkdtempSync(join(tmpdir(), 'topup-operate-')));
  return folders.at(-1);
}

let preloaded;
function besideTheLibrary(...settings) {
  if (preloaded === undefined) {
    preloaded = join(scratch(), 'failing_disk.so');
    execFileSync('g++', ['-std=c++20', '-O1', '-shared', '-fPIC', '-o', preloaded,
      join(dirname(fileURLToPath(import.meta.url)), 'failing_disk.cpp')]);
  }
  return ['env', `LD_PRELOAD=${preloaded}`, ...settings];
}

/** What runs the program so that the nth call on a file whose path contains `file` kills it, is slow ('slow:MICROSECONDS') or
 *  fails with an error's number, from there on. The calls: pwrite64, fdatasync, fsync, rename. */
export const meeting = (call, nth, fate = 'kill', file = '') => besideTheLibrary(`TOPUP_DISK_CALL=${call}`,
  `TOPUP_DISK_AT=${nth}`, `TOPUP_DISK_FATE=${fate}`, `TOPUP_DISK_FILE=${file}`);
export const EIO = 5;

/** What runs the program while its clock is so many seconds ahead of ours. */
export const atAnotherTime = (seconds) => besideTheLibrary(`TOPUP_CLOCK_SHIFT=${seconds}`);

/** The same for programs that run while it moves: what runs them, how it is set, and the time they see. */
export function movingClock() {
  const file = join(scratch(), 'ahead');
  const ahead = Buffer.alloc(8);
  const set = (seconds) => { ahead.writeBigInt64LE(BigInt(seconds)); writeFileSync(file, ahead, { flag: existsSync(file) ? 'r+' : 'w' }); };
  set(0);
  return {
    under: besideTheLibrary(`TOPUP_CLOCK_FILE=${file}`),
    set,
    forward: (seconds) => set(Number(ahead.readBigInt64LE()) + seconds),
    now: () => Date.now() + Number(ahead.readBigInt64LE()) * 1_000,
  };
}

/** The same by a tracer, for calls that stay inside of the C library: ('write', 'signal=KILL:when=3'). */
export const injecting = (call, what) => ['strace', '-D', '-f', '-qq', '-o', '/dev/null',
  '-e', `trace=${call}`, '-e', `inject=${call}:${what}`];

/** Runs `each` for all items, a few side by side: most of a command's time is waiting. */
export async function inLanes(items, each, lanes = 4) {
  const left = [...items];
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (left.length > 0) await each(left.shift());
  }));
}

/** Starts a command; `done` resolves with {code, signal, out, err}. */
export function start(args, { under = [], env = {} } = {}) {
  const [program, ...words] = [...under, binary, ...args];
  const child = startChild(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const said = { out: '', err: '' };
  child.stdout.on('data', (bytes) => { said.out += bytes; });
  child.stderr.on('data', (bytes) => { said.err += bytes; });
  child.done = new Promise((done) => child.once('close', (code, signal) => done({ code, signal, ...said })));
  return child;
}
export const run = (args, options) => start(args, options).done;
