// Backups of the working shop with the real program: made under load, killed, restored, taken to and from PostgreSQL.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inLanes, injecting, meeting, run, scratch, start } from './support/commands.mjs';
import { Postgres } from './support/postgres.mjs';
import { Buyer, Shop, sleep, until } from './support/shop.mjs';

const backupsIn = (folder) => (existsSync(folder)
  ? readdirSync(folder).filter((name) => name.startsWith('topup-')).sort().map((name) => join(folder, name)) : []);

/** Places orders until told to stop; `placed` grows with each that was answered. */
function keepPlacing(buyer) {
  const work = { placed: [], stop: false };
  work.done = (async () => {
    while (!work.stop) {
      const answer = await buyer.place('13800001234').catch(() => ({ status: 0 }));
      if (answer.status !== 201) { await sleep(5); continue; }
      work.placed.push(answer.json.order_id);
      await buyer.call('POST', `/api/v1/orders/${answer.json.order_id}/cancel`);
    }
  })();
  return work;
}

test('D-11: a backup beside the working shop holds every answered order, and its restore goes on selling',
  { timeout: 120_000 }, async () => {
    const place = scratch();
    const shop = await Shop.start({});
    const buyer = await Buyer.arrive(shop);
    const work = keepPlacing(buyer);
    await until('some orders', () => work.placed.length >= 5);
    const before = [...work.placed];
    const made = await run(['backup', place, '--data', shop.data, '--with-keys', '--keep', '2']);
    assert.equal(made.code, 0, made.err);
    assert.match(made.err, /holds the key/);
    const [path] = backupsIn(place);
    assert.ok(made.out.startsWith(path));
    work.stop = true;
    await work.done;

    const restored = join(scratch(), 'shop');
    const brought = await run(['restore', path, '--data', restored]);
    assert.equal(brought.code, 0, brought.err);
    assert.match((await run(['verify', '--data', restored])).out, /the books hold/);
    const { password } = shop;
    assert.equal((await shop.stop()).code, 0);
    shop.cleanup();

    const again = await Shop.start({ data: restored });
    assert.equal(again.password, undefined, 'a restored shop has its owner already');
    again.password = password;
    const staff = await again.signIn();
    for (const id of before) assert.equal((await staff.order(id)).order_id ?? id, id);
    const newcomer = await Buyer.arrive(again);
    const { id } = await newcomer.buy('13800001234');
    await newcomer.reaches(id, 'succeeded');
    // It is a shop now: nothing is restored over it.
    const refused = await run(['restore', path, '--data', restored]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /not empty/);
    assert.equal((await again.stop()).code, 0);
  });

test('D-11: a backup or a restore killed at any moment leaves nothing that has the name of one', { timeout: 120_000 }, async () => {
  const place = scratch();
  const shop = await Shop.start({});
  const buyer = await Buyer.arrive(shop);
  await buyer.place('13800001234');
  // At each write or sync of the copy, of the manifest, and right before the last rename.
  let killed = 0;
  for (const [call, count] of [['pwrite64', 12], ['fsync', 5], ['rename', 1], ['write', 3]]) {
    for (let nth = 1; nth <= count; ++nth) {
      const under = call === 'write' ? injecting(call, `signal=KILL:when=${nth}`) : meeting(call, nth);
      const whole = backupsIn(place).length;
      const ended = await run(['backup', place, '--data', shop.data], { under });
      const now = backupsIn(place);
      if (ended.code === 0) {  // it makes fewer such calls
        assert.equal(now.length, whole + 1);
        break;
      }
      assert.equal(ended.signal, 'SIGKILL', ended.err);
      ++killed;
      for (const path of now) {
        assert.ok(existsSync(join(path, 'manifest.json')), `${call} ${nth}: what has the name is whole`);
        assert.equal(readFileSync(join(path, 'manifest.json'), 'utf8').endsWith('}\n'), true);
      }
    }
  }
  assert.ok(killed >= 10, `${killed} kills`);
  assert.equal((await run(['backup', place, '--data', shop.data])).code, 0);
  assert.deepEqual(readdirSync(place).filter((name) => name.startsWith('.topup-partial')), [], 'leftovers go away');
  for (const path of backupsIn(place)) {
    assert.equal((await run(['restore', path, '--data', join(scratch(), 'shop')])).code, 0);
  }
  // A restore that was killed has a shop only after its last step; until then the next one begins anew.
  const withKeys = scratch();
  assert.equal((await run(['backup', withKeys, '--data', shop.data, '--with-keys'])).code, 0);
  const [kept] = backupsIn(withKeys);
  const points = [1, 2, 3, 4, 5].map((nth) => ['fsync', nth]).concat([1, 2, 3].map((nth) => ['rename', nth]));
  let unfinished = 0;
  await inLanes(points, async ([call, nth]) => {
    const folder = join(scratch(), 'shop');
    const ended = await run(['restore', kept, '--data', folder], { under: meeting(call, nth) });
    if (ended.code === 0) return;  // it makes fewer such calls
    assert.equal(ended.signal, 'SIGKILL', ended.err);
    ++unfinished;
    const isShop = existsSync(join(folder, 'topup.sqlite'));
    const again = await run(['restore', kept, '--data', folder]);
    assert.equal(again.code === 0, !isShop, `${call} ${nth}: ${again.err}`);
    if (isShop) assert.match(again.err, /not empty/, `${call} ${nth}`);
    assert.match((await run(['verify', '--data', folder])).out, /the books hold/, `${call} ${nth}`);
  });
  console.log(`figure D-11: a backup killed ${killed} times and a restore ${unfinished} times, none taken for a whole one`);
  assert.ok(unfinished >= 4, `${unfinished} kills of a restore`);
  assert.equal((await shop.call('GET', '/readyz')).status, 200);
  await shop.stop();
  shop.cleanup();
});

test('D-10: topup migrate killed at any write of the disk is resumed', { timeout: 120_000 }, async () => {
  const points = [];
  for (let nth = 2; nth <= 400; nth += 7) points.push(['pwrite64', nth]);
  for (let nth = 2; nth <= 40; ++nth) points.push(['fdatasync', nth]);
  let kills = 0, whole = 0;
  await inLanes(points, async ([call, nth]) => {
    const folder = join(scratch(), 'shop');
    mkdirSync(folder, { mode: 0o700 });
    const ended = await run(['migrate', '--data', folder], { under: meeting(call, nth) });
    if (ended.code === 0) { ++whole; return; }  // it makes fewer such calls
    assert.equal(ended.signal, 'SIGKILL', ended.err);
    ++kills;
    assert.equal((await run(['migrate', '--data', folder])).code, 0, `${call} ${nth}`);
    const after = await run(['migrate', '--data', folder, '--dry-run']);
    assert.match(after.out, /nothing to do/);
    rmSync(folder, { recursive: true });
  });
  console.log(`figure D-10: topup migrate killed at ${kills} system calls, each resumed`);
  assert.ok(kills >= 40, `${kills} kills, ${whole} whole`);
});

test('the running shop makes its own backups and says when', { timeout: 60_000 }, async () => {
  const place = scratch();
  const shop = await Shop.start({ config: `[backup]\nfolder = "${place}"\nkeep = 3\n` });
  await until('a backup', () => backupsIn(place).length === 1, 20_000);
  await until('the figure', async () => /backup_last_good_seconds 1\.?\d+/.test((await shop.call('GET', '/metrics')).text));
  const doctor = await run(['doctor', '--config', join(shop.data, 'shop.toml'), '--data', shop.data, '--json']);
  const found = JSON.parse(doctor.out).findings.find(({ check }) => check === 'backup');
  assert.equal(found.health, 'ok', doctor.out);
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});

test('D-11: a shop on PostgreSQL is saved while it works, restored as a file, and moved back', { timeout: 120_000 },
  async () => {
    const database = await Postgres.start();
    const config = `[store]\nurl = "${database.url}"\n`;
    const shop = await Shop.start({ config });
    const buyer = await Buyer.arrive(shop);
    const { id } = await buyer.buy('13800001234');
    await buyer.reaches(id, 'succeeded');
    const work = keepPlacing(buyer);
    const place = scratch();
    const made = await run(['backup', place, '--config', join(shop.data, 'shop.toml'), '--data', shop.data]);
    work.stop = true;
    await work.done;
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /from postgres/);
    const doctor = await run(['doctor', '--config', join(shop.data, 'shop.toml'), '--data', shop.data, '--json']);
    const engine = JSON.parse(doctor.out).findings.find(({ check }) => check === 'engine');
    assert.match(engine.what, /fsync on, full_page_writes on, synchronous_commit on/, doctor.out);
    assert.match(made.out, /the key {5}is not in it/);
    const restored = join(scratch(), 'shop');
    const brought = await run(['restore', backupsIn(place)[0], '--data', restored]);
    assert.equal(brought.code, 0, brought.err);
    assert.match(brought.out, /topup move/);
    assert.match((await run(['verify', '--data', restored])).out, /only its own key file opens it/);
    writeFileSync(join(restored, 'topup.keys'), readFileSync(join(shop.data, 'topup.keys')), { mode: 0o600 });
    assert.match((await run(['verify', '--data', restored])).out, /the books hold/);
    const { password } = shop;
    await shop.stop();
    await database.stop();
    shop.cleanup();
    const again = await Shop.start({ data: restored });
    again.password = password;
    assert.equal((await (await again.signIn()).order(id)).supplier_attempts.length, 1);
    await again.stop();
  });

test('a shop without its key is told so by the doctor, and progress goes to standard error', async () => {
  const shop = await Shop.start({});
  const data = shop.data;
  const good = await run(['doctor', '--data', data]);
  assert.match(good.out, /nothing is stuck/);
  assert.match(good.out, /journal_mode wal/);
  await shop.stop();
  const running = start(['doctor', '--data', join(data, 'nowhere')]);
  const none = await running.done;
  assert.equal(none.code, 1);
  assert.match(none.out, /there is no data folder/);
  shop.cleanup();
});
