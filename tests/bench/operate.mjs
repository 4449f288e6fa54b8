// A shop of many orders (TOPUP_BENCH_ORDERS, a million): how soon it is ready, how long a backup and a restore take.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Buyer, Shop, binary, sleep } from '../e2e/support/shop.mjs';
import { figure } from './figures.mjs';
import { isQuick } from './form.mjs';

const orders = Number(process.env.TOPUP_BENCH_ORDERS ?? (isQuick ? 2_000 : 1_000_000));
const maker = join(resolve(dirname(fileURLToPath(import.meta.url)), '../..'), 'build/release/topup_shop_maker');

const runs = promisify(execFile);
const kLeastWrites = 100;  // of the 200 that are meant

/** Not spawnSync: the writes beside it come from this process. */
async function timed(program, ...words) {
  const began = performance.now();
  await runs(program, words);
  return Math.round(performance.now() - began);
}

/** About 200 writes a second until told to stop. */
function write(shop) {
  const work = { stop: false, count: 0 };
  work.done = (async () => {
    const buyers = await Promise.all(Array.from({ length: 4 }, () => Buyer.arrive(shop)));
    let next = performance.now();
    while (!work.stop) {
      const answers = await Promise.all(buyers.map(() => shop.call('POST', '/api/v1/sessions').catch(() => ({ status: 0 }))));
      work.count += answers.filter(({ status }) => status < 300 && status > 0).length;
      next += 20;
      await sleep(Math.max(0, next - performance.now()));
    }
  })();
  return work;
}

export async function run() {
  if (!existsSync(maker)) execFileSync('cmake', ['--build', dirname(maker), '--target', 'topup_shop_maker'], { stdio: 'ignore' });
  const place = mkdtempSync(join(process.env.TOPUP_BENCH_DIR ?? tmpdir(), 'topup-bench-'));
  try {
    const data = join(place, 'shop');
    mkdirSync(data, { mode: 0o700 });
    // The key comes with a first start; the orders come after it.
    const first = await Shop.start({ data });
    await first.stop();
    const made = await timed(maker, data, String(orders));
    const began = performance.now();
    const shop = await Shop.start({ data, config: '[limits]\npercent = 0\n' });  // one client stands for many
    const ready = Math.round(performance.now() - began);
    const work = write(shop);
    const backup = await timed(binary, 'backup', join(place, 'backups'), '--data', data);
    work.stop = true;
    await work.done;
    const writes = Math.round(work.count / (backup / 1000));
    if (!isQuick && writes < kLeastWrites) throw new Error(`only ${writes} writes a second beside the backup`);
    await shop.stop();
    const [name] = readdirSync(join(place, 'backups')).filter((found) => found.startsWith('topup-'));
    const path = join(place, 'backups', name);
    const restore = await timed(binary, 'restore', path, '--data', join(place, 'restored'));
    const megabytes = Math.round(statSync(join(path, 'topup.sqlite')).size / 2 ** 20);
    const untold = (id, value, unit) => ({ ...figure(id, [value], unit, 0), goal: null, met: true });
    return [
      untold('operate.orders', orders, 'orders'),
      untold('operate.database_mb', megabytes, 'MB'),
      untold('operate.making_ms', made, 'ms'),
      untold('operate.writes_beside_backup', writes, 'writes/s'),
      figure('operate.start_ms', [ready], 'ms', 1_000),
      figure('operate.backup_beside_writes_ms', [backup], 'ms', 60_000),
      figure('operate.restore_ms', [restore], 'ms', 120_000),
    ];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
