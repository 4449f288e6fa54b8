// A disk that is full or fails, and another program that holds the database, met by the real program.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startChild } from './support/children.mjs';
import { EIO, inLanes, meeting, run, scratch } from './support/commands.mjs';
import { Buyer, Shop, sleep, until } from './support/shop.mjs';


test('D-01: on a full disk nothing is acknowledged, the process lives, and it heals when there is room',
  { timeout: 180_000, skip: process.getuid() !== 0 && 'only root can mount a small disk' }, async () => {
    let kept = 0;
    const sizes = [6, 7, 8, 9, 10, 11, 12, 14, 16, 20].map((mb) => `${mb}m`);
    await inLanes(sizes, async (size) => {
      const disk = scratch();
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', disk]);
      try {
        // What cannot be cancelled stays unpaid; this is not about how many of those one buyer may have.
        const shop = await Shop.start({ data: disk, log: '/dev/null', config: '[orders]\nmax_unpaid_per_user = 1000\n' });
        const buyer = await Buyer.arrive(shop);
        const answered = [(await buyer.place('13800001234')).json.order_id];
        const fingerprint = (await buyer.quote('13800001234')).json.fingerprint;
        const filler = openSync(join(disk, 'filler'), 'w');
        const page = Buffer.alloc(4_096, 1);
        try { for (;;) writeSync(filler, page); } catch (error) { assert.equal(error.code, 'ENOSPC'); }
        let refused = 0;
        // As many as fill the room that the log may still have in its own file.
        for (let i = 0; i < 600 && refused < 5; ++i) {
          const placed = await buyer.place('13800001234', { fingerprint });
          if (placed.status === 201) {
            answered.push(placed.json.order_id);
            await buyer.call('POST', `/api/v1/orders/${placed.json.order_id}/cancel`);
          } else {
            assert.equal(placed.status, 503, placed.text);
            ++refused;
          }
        }
        assert.equal(refused, 5, `the disk of ${size} was full`);
        assert.equal((await shop.call('GET', '/healthz')).status, 200, 'the process lives');
        ftruncateSync(filler, 0);
        closeSync(filler);
        rmSync(join(disk, 'filler'));
        const healed = await until('it heals', async () => {
          const placed = await buyer.place('13800001234', { fingerprint });
          if (placed.status === 201) return placed;
          assert.ok([409, 503].includes(placed.status), placed.text);
          return null;
        });
        answered.push(healed.json.order_id);
        for (const id of answered) assert.equal((await buyer.order(id)).order_id, id);
        await shop.kill();
        assert.match((await run(['verify', '--data', disk])).out, /the books hold/);
        kept += answered.length;
      } finally {
        execFileSync('umount', ['-l', disk]);
      }
    });
    console.log(`figure D-01: ${sizes.length} disks filled under the shop, ${kept} orders answered before, between and after, 0 lost`);
  });

test('D-02: after a failed sync the process stops, and a restart finds all that was answered', { timeout: 120_000 },
  async () => {
    let stops = 0, told = 0;
    for (const nth of [50, 70, 90, 91, 110]) {  // of its syncs of the shop's file; the first are those of the opening
      const shop = await Shop.start({ under: meeting('fdatasync', nth, EIO, 'topup.sqlite') }).catch((error) => {
        assert.match(String(error), /ended: \{"code":(70|1),/, 'it may end before it is ready');
        return null;
      });
      if (!shop) continue;
      const buyer = await Buyer.arrive(shop).catch(() => null);  // null: the disk failed on the very first request
      const answered = [];
      for (let i = 0; buyer !== null && i < 40; ++i) {
        const placed = await buyer.place('13800001234').catch(() => null);
        if (!placed) break;
        if (placed.status === 201) {
          answered.push(placed.json.order_id);
          await buyer.call('POST', `/api/v1/orders/${placed.json.order_id}/cancel`).catch(() => null);
        }
      }
      const ended = await Promise.race([shop.exited, sleep(5_000)]);
      assert.equal(ended?.code, 70, 'it stopped by itself');
      ++stops;
      shop.options.under = [];
      await shop.run();
      for (const id of answered) assert.equal((await buyer.order(id)).order_id, id, 'what was answered is there');
      told += answered.length;
      await shop.stop();
      assert.match((await run(['verify', '--data', shop.data])).out, /the books hold/);
      shop.cleanup();
    }
    assert.ok(stops >= 2, `${stops} stops`);
    assert.ok(told > 0, 'some orders were answered before the disk failed');
    console.log(`figure D-02: the disk failed ${stops} times under the shop, ${told} orders answered before, 0 lost`);
  });

test('D-03: another program that holds the lock delays writes by up to 5 s, then they are refused, then all is well',
  { timeout: 120_000 }, async () => {
    const shop = await Shop.start({});
    const buyer = await Buyer.arrive(shop);
    const { fingerprint } = (await buyer.quote('13800001234')).json;
    const hold = async () => {
      const holder = startChild('sqlite3', [join(shop.data, 'topup.sqlite')], { stdio: ['pipe', 'pipe', 'inherit'] });
      holder.stdin.write(".timeout 10000\nPRAGMA wal_autocheckpoint=0;\nBEGIN IMMEDIATE;\nSELECT 'held';\n");
      // The pragma answers with a row too, before the lock is asked for.
      await new Promise((done) => {
        let said = '';
        holder.stdout.on('data', (bytes) => { if ((said += bytes).includes('held')) done(); });
      });
      const ended = new Promise((done) => holder.once('exit', done));
      return async () => { holder.stdin.end('ROLLBACK;\n'); await ended; };
    };
    const timed = async (ask) => {
      const began = Date.now();
      const answer = await ask();
      return { status: answer.status, ms: Date.now() - began, json: answer.json };
    };
    const place = () => timed(() => buyer.place('13800001234', { fingerprint }));
    const arrive = () => timed(() => shop.call('POST', '/api/v1/sessions'));

    const brief = await hold();
    const waiting = [place(), ...Array.from({ length: 8 }, arrive)];
    await sleep(1_000);
    await brief();
    const waited = await Promise.all(waiting);
    assert.deepEqual(waited.map(({ status }) => status), Array(9).fill(201));
    for (const { ms } of waited) assert.ok(ms >= 500, `it waited ${ms} ms`);

    const long = await hold();
    const refused = [place(), arrive()];
    assert.equal((await shop.call('GET', '/api/v1/shop')).status, 200, 'reading goes on');
    for (const { status, ms, json } of await Promise.all(refused)) {
      assert.equal(status, 503);
      assert.equal(json.reason, 'store_unavailable');
      assert.ok(ms >= 4_000, `refused after ${ms} ms`);
    }
    assert.equal((await shop.call('GET', '/api/v1/shop')).status, 200, 'reading goes on');
    await long();
    const after = await until('it heals', async () => {
      const answer = await place();
      return answer.status === 201 ? answer : null;
    });
    assert.equal((await buyer.order(after.json.order_id)).order_id, after.json.order_id);
    assert.equal((await shop.stop()).code, 0);
    shop.cleanup();
  });
