// The money path beside what a shop would pick instead (express/shop.mjs) and beside its floors, in one run and in turns:
// creating an order with the signature its page needs, hearing a payment notification, showing an order.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure, median } from './figures.mjs';
import { isQuick } from './form.mjs';
import { journeysPerSecond } from './money/journey.mjs';
import { Bench, kNotices } from './money/load.mjs';
import { postgresFigures } from './money/on_postgres.mjs';
import { binary, makeKeys, started } from './money/shops.mjs';

const express = fileURLToPath(new URL('express/shop.mjs', import.meta.url));
const kRounds = isQuick ? 1 : 3;
const kFloorSeconds = isQuick ? 1 : 4;
const kJourneySeconds = isQuick ? 1 : 4;

// Memory under load: what a start needed once, such as 32 MB to hash the first password, is forgotten before it.
const forgetPeak = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5');
const rssMb = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)[1]) / 1024;

class Figures extends Bench {
  rate(what, name) { return this.seen[what][name].map((one) => one.perSecond); }
  time(what, name, at) { return this.seen[what][name].map((one) => one[at]); }
  against(id, what, peer, goal, unit = 'requests/s') {
    const names = { plain: 'Express + better-sqlite3, plain', tuned: 'the same, tuned' };
    const theirs = median(this.rate(what, peer));
    return figure(id, this.rate(what, 'ours'), unit, goal, { atMost: false, peer: names[peer], peerValue: theirs,
      ratio: median(this.rate(what, 'ours')) / theirs });
  }
  slower(id, what, at, goal) {
    const theirs = median(this.time(what, 'plain', at));
    return figure(id, this.time(what, 'ours', at), 'ms', goal, { peer: 'Express, plain', peerValue: theirs,
      ratio: median(this.time(what, 'ours', at)) / theirs });
  }
}

const floorOf = (kind, folder, file) => Number(execFileSync(binary,
  ['floor', kind, join(folder, `floor ${kind}`), file, String(kFloorSeconds)], { encoding: 'utf8' }));

function figuresOf(bench, floors, memory) {
  const ofFloor = (id, what, goal) => figure(id, bench.rate(what, 'ours'), 'requests/s', goal, { atMost: false,
    peer: 'the same cryptography and commits, no HTTP', peerValue: floors[what], ratio: median(bench.rate(what, 'ours')) / floors[what] });
  return [
    bench.against('money.notify_vs_plain', 'notify', 'plain', 6), bench.against('money.notify_vs_tuned', 'notify', 'tuned', 3),
    ofFloor('money.notify_of_floor', 'notify', 0.3),
    bench.against('money.create_vs_plain', 'create', 'plain', 3.5), bench.against('money.create_vs_tuned', 'create', 'tuned', 1.5),
    ofFloor('money.create_of_floor', 'create', 0.7),
    bench.against('money.get_vs_plain', 'get', 'plain', 3),
    bench.slower('money.create_one_p50_ms', 'create_one', 'p50', 0.5),
    bench.slower('money.create_p99_ms', 'create', 'p99', 0.25), bench.slower('money.notify_p99_ms', 'notify', 'p99', 0.25),
    figure('money.memory_mb', [memory.ours], 'MB', 0.25, { peer: 'Express, plain', peerValue: memory.plain, ratio: memory.ours / memory.plain }),
  ];
}

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'topup bench '));
  const keys = makeKeys(folder);
  const floors = { create: floorOf('create', folder, keys.file), notify: floorOf('notify', folder, keys.file) };
  const shops = [
    await started('ours', binary, ['serve', join(folder, 'ours'), keys.file, String(kNotices.ours * kRounds)]),
    await started('plain', process.execPath, [express, 'plain', join(folder, 'plain.sqlite'), keys.file]),
    await started('tuned', process.execPath, [express, 'tuned', join(folder, 'tuned.sqlite'), keys.file]),
  ];
  const bench = new Figures(folder, keys);
  try {
    for (const shop of shops) forgetPeak(shop.child.pid);
    for (let round = 0; round < kRounds; ++round) {
      for (const shop of shops) await bench.notices(shop);
      for (const shop of shops) await bench.orders(shop, round);
    }
    const memory = Object.fromEntries(shops.map((shop) => [shop.name, rssMb(shop.child.pid)]));
    for (const shop of shops) { shop.child.removeAllListeners('exit'); shop.stop(); }
    const journeys = await journeysPerSecond(kRounds, kJourneySeconds);
    return [...figuresOf(bench, floors, memory), figure('money.journeys', journeys, 'journeys/s', 500, { atMost: false }),
      ...await postgresFigures(folder, keys, kRounds)];
  } finally {
    for (const shop of shops) { shop.child.removeAllListeners('exit'); shop.stop(); }
    rmSync(folder, { recursive: true, force: true });
  }
}
