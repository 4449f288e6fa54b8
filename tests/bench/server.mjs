// The server alone: how soon it is ready, what it holds while idle, and plain reads through door, router and worker.
import { readFileSync } from 'node:fs';
import { Shop, sleep } from '../e2e/support/shop.mjs';
import { figure, median } from './figures.mjs';

const rssMb = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;

async function readsPerSecond(origin, seconds) {
  const end = performance.now() + seconds * 1000;
  let answered = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (performance.now() < end) {
      await (await fetch(`${origin}/healthz`)).arrayBuffer();
      ++answered;
    }
  }));
  return Math.round(answered / seconds);
}

export async function run() {
  const ready = [];
  const first = await Shop.start({});
  for (let i = 0; i < 5; ++i) {
    await first.stop();
    const began = performance.now();
    await first.run();
    ready.push(Math.round(performance.now() - began));
  }
  await sleep(2_000);
  const idle = Math.round(rssMb(first.child.pid) * 10) / 10;
  const reads = [];
  for (let i = 0; i < 3; ++i) reads.push(await readsPerSecond(first.origin, 2));
  const loaded = Math.round(rssMb(first.child.pid) * 10) / 10;
  await first.stop();
  first.cleanup();
  return [
    figure('server.start_to_ready_existing_ms', ready, 'ms', 15_000),
    figure('server.rss_idle_mb', [idle], 'MB', 40),
    figure('server.rss_after_reads_mb', [loaded], 'MB', 64),
    { ...figure('server.healthz_by_one_node_client', reads, 'requests/s', 0, { atMost: false }), goal: null, met: median(reads) > 0 },
  ];
}
