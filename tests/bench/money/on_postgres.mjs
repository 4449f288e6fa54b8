// The same load on PostgreSQL: the shop beside express/shop_pg.mjs, each with a database of its own on one server.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Postgres } from '../../e2e/support/postgres.mjs';
import { figure, median } from '../figures.mjs';
import { Bench } from './load.mjs';
import { binary, started } from './shops.mjs';

const peer = fileURLToPath(new URL('../express/shop_pg.mjs', import.meta.url));
const kMost = { ours: 10_000, tuned: 6_000 };  // notifications for one round: more than it can take
const kPeerName = 'Express + pg, tuned';

/** @returns notifications and orders a second on PostgreSQL, beside the peer's */
export async function postgresFigures(folder, keys, rounds) {
  const database = await Postgres.start();
  const shops = [];
  try {
    const urlOf = (name) => {
      execFileSync('psql', ['-q', '-d', database.url, '-c', `CREATE DATABASE ${name}`], { stdio: ['ignore', 'ignore', 'inherit'] });
      return database.url.replace(/\/postgres$/, `/${name}`);
    };
    shops.push(await started('ours', binary, ['serve', join(folder, 'on postgres'), keys.file, String(kMost.ours * rounds), urlOf('ours')]));
    shops.push(await started('tuned', process.execPath, [peer, urlOf('peer'), keys.file]));
    const bench = new Bench(folder, keys, kMost);
    for (let round = 0; round < rounds; ++round) {
      for (const shop of shops) await bench.notices(shop);
      for (const shop of shops) await bench.orders(shop, `pg${round}`);
    }
    return ['notify', 'create', 'get'].map((what) => {
      const rates = (name) => bench.seen[what][name].map((one) => one.perSecond);
      const theirs = median(rates('tuned'));
      return figure(`money.postgres_${what}`, rates('ours'), 'requests/s', 2, { atMost: false, peer: kPeerName, peerValue: theirs,
        ratio: median(rates('ours')) / theirs });
    });
  } finally {
    for (const shop of shops) { shop.child.removeAllListeners('exit'); shop.child.kill('SIGKILL'); }
    await database.stop();
  }
}
