// The commands as an operator meets them: help, exit codes, the configuration, the doctor.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startChild } from './support/children.mjs';
import { run, scratch } from './support/commands.mjs';
import { Shop, until } from './support/shop.mjs';

test('each command says what it is for, an example and its exit codes; wrong use ends with 2', async () => {
  const { out } = await run(['--help']);
  const names = [...out.split('Subcommands:')[1].matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name);
  for (const name of ['serve', 'rehearse', 'migrate', 'doctor', 'backup', 'restore', 'verify', 'move', 'routes', 'config',
    'version']) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  for (const name of names) {
    const help = await run([name, '--help']);
    assert.equal(help.code, 0, name);
    if (/SUBCOMMAND/.test(help.out)) continue;  // a group: those below it say it
    assert.match(help.out, /^Example:\n {2}topup /m, name);
    assert.match(help.out, /^Exit codes:\n {2}0 {2}done\n {2}1 {2}/m, name);
    assert.equal((await run([name, '--no-such-option'])).code, 2, name);
  }
  assert.equal((await run([])).code, 2);
  assert.equal((await run(['nonsense'])).code, 2);
  const version = await run(['version']);
  assert.match(version.out, /^topup \d+\.\d+\.\d+\n$/);
  assert.equal((await run(['--version'])).out, version.out);
});

test('every mistake of a configuration is told at once, and a right one ends with 0', async () => {
  const file = join(scratch(), 'shop.toml');
  writeFileSync(file, '[server]\nport = 99999\nprot = 1\n[backup]\nkeep = 0\n');
  const wrong = await run(['config', '--config', file]);
  assert.equal(wrong.code, 1);
  for (const part of ['[server] port must lie between', '[server] prot is not a key', '[backup] keep must lie between']) {
    assert.ok(wrong.err.includes(part), wrong.err);
  }
  writeFileSync(file, (await run(['config', '--example'])).out);
  assert.equal((await run(['config', '--config', file])).code, 0);
  assert.match((await run(['config', '--explain'])).out, /TOPUP_BACKUP_EVERY_HOURS/);
});

test('A-16: the doctor finds an open folder and an open key, and each finding says what to do', async () => {
  const shop = await Shop.start({});
  const doctor = async () => JSON.parse((await run(['doctor', '--data', shop.data, '--json'])).out);
  const of = ({ findings }, check) => findings.filter((finding) => finding.check === check);
  const healthy = await doctor();
  assert.equal(healthy.act, false, JSON.stringify(healthy, null, 1));
  for (const check of ['config', 'data_folder', 'keys', 'disk', 'engine', 'schema', 'pages', 'audit', 'orders']) {
    assert.equal(of(healthy, check)[0]?.health, 'ok', `${check}: ${JSON.stringify(healthy)}`);
  }
  chmodSync(shop.data, 0o755);
  chmodSync(join(shop.data, 'topup.keys'), 0o644);
  const open = await doctor();
  assert.equal(open.act, true);
  assert.match(of(open, 'data_folder')[0].remedy, /chmod go-rwx/);
  assert.match(of(open, 'keys')[0].what, /open to other users/);
  assert.ok(open.findings.every(({ health, remedy }) => health === 'ok' || remedy.length > 5));
  await shop.stop();
  shop.cleanup();
});

test('verify and the doctor name what somebody changed by hand', async () => {
  const shop = await Shop.start({});
  await shop.stop();
  execFileSync('sqlite3', [join(shop.data, 'topup.sqlite'),
    'DROP TRIGGER audit_keep; UPDATE audit_log SET actor = \'nobody\' WHERE seq = 1;']);
  const verdict = await run(['verify', '--data', shop.data]);
  assert.equal(verdict.code, 1);
  assert.match(verdict.out, /audit chain breaks at row 1/);
  const doctor = await run(['doctor', '--data', shop.data]);
  assert.equal(doctor.code, 1);
  assert.match(doctor.out, /ACT {3}audit/);
  const backup = await run(['backup', scratch(), '--data', shop.data]);
  assert.equal(backup.code, 1);
  assert.match(backup.err, /the copy does not hold/);
  shop.cleanup();
});

test('D-13: a file that another program keeps out of WAL mode is refused at start, in words', async () => {
  const shop = await Shop.start({});
  await shop.stop();
  const holder = startChild('sqlite3', [join(shop.data, 'topup.sqlite')], { stdio: ['pipe', 'pipe', 'inherit'] });
  holder.stdin.write('PRAGMA journal_mode=DELETE;\nBEGIN;\nSELECT COUNT(*) FROM orders;\n');
  await until('it reads', () => new Promise((done) => holder.stdout.once('data', done)));
  const refused = await run(['migrate', '--data', shop.data]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /journal_mode/);
  holder.stdin.end('COMMIT;\n');
  await new Promise((done) => holder.once('exit', done));
  assert.equal((await run(['migrate', '--data', shop.data])).code, 0);
  shop.cleanup();
});
