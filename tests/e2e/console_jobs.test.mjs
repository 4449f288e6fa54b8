// A job that was given up: seen in the console, tried again or discarded with a reason, both in the audit trail.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Buyer, Shop, until } from './support/shop.mjs';

const kWhy = 'unavailable: store_unavailable (disk full)';

/** As twelve failures in a row would leave them. */
function giveUp(shop, subjects) {
  const write = `import sqlite3,sys
db = sqlite3.connect(sys.argv[1])
for subject in sys.argv[2:]:
  db.execute("UPDATE outbox SET state='dead', attempts=14, last_error=?, last_tried_at_ms=created_at_ms+60000, run_at_ms=created_at_ms+60000 WHERE subject=?", ("${kWhy}", subject))
db.commit()`;
  execFileSync('python3', ['-c', write, join(shop.data, 'topup.sqlite'), ...subjects]);
}

test('a job that was given up is shown with why, tried again, or discarded with a reason', { timeout: 120_000 }, async () => {
  const shop = await Shop.start({});
  const buyer = await Buyer.arrive(shop);
  const orders = [];
  for (let i = 0; i < 3; ++i) orders.push((await buyer.place('13800001234')).json.order_id);
  await shop.stop();
  giveUp(shop, orders.slice(0, 2));
  await shop.run();

  const staff = await shop.signIn();
  const dead = (await staff.get('/api/admin/jobs?state=dead')).jobs;
  assert.deepEqual(dead.map((job) => job.subject).sort(), orders.slice(0, 2).sort());
  assert.equal(dead[0].attempts, 14);
  assert.equal(dead[0].last_failure, kWhy);
  assert.match(dead[0].trace_id, /^[0-9a-f]{32}$/);
  assert.ok((await staff.get('/api/admin/jobs?state=waiting')).jobs.some((job) => job.subject === orders[2]));
  const own = (await staff.order(orders[0])).jobs;
  assert.deepEqual(own.map(({ kind, state }) => [kind, state]), [['order_expire', 'dead']]);

  const post = (path, body, headers = { cookie: staff.cookie, origin: shop.origin }) => shop.call('POST', path, { body, headers });
  const at = (job, deed) => `/api/admin/jobs/${encodeURIComponent(job)}/${deed}`;
  assert.equal((await shop.call('GET', '/api/admin/jobs')).status, 401);
  assert.equal((await post(at(dead[0].job_id, 'retry'), undefined, {})).status, 401);
  assert.equal((await staff.get('/api/admin/jobs?state=dead')).jobs.length, 2);
  assert.equal((await post(at('order_expire:nobody', 'retry'))).json.reason, 'job_not_found');
  assert.equal((await post(at(`order_expire:${orders[2]}`, 'retry'))).json.reason, 'job_not_dead');
  assert.equal((await post(at(dead[0].job_id, 'discard'), { reason: '  ' })).json.reason, 'reason_missing');
  assert.equal((await post(at(dead[0].job_id, 'discard'), {})).status, 400);

  const browser = await openBrowser();
  const page = await openPage(browser, { viewport: desktop, expected: [/status of 401/] });
  await page.goto(`${shop.origin}/admin/jobs`);
  await page.locator('input[type=password]').waitFor();
  await page.locator('input').first().fill('owner');
  await page.locator('input[type=password]').fill(shop.password);
  await page.keyboard.press('Enter');
  await by(page, 'jobs-dead').waitFor();
  const row = (order) => page.locator(`[data-test="job-order_expire:${order}"]`);
  await row(orders[0]).waitFor();
  assert.match(await row(orders[0]).innerText(), /disk full/);
  await picture(page, 'console-jobs-dead');

  await row(orders[0]).locator('[data-test="job-retry"]').click();
  await row(orders[0]).locator('[data-test="job-sure"]').click();
  await row(orders[0]).waitFor({ state: 'detached' });
  await row(orders[1]).locator('[data-test="job-discard"]').click();
  await row(orders[1]).locator('[data-test="job-reason"]').fill('placed twice by mistake');
  await page.setViewportSize(phone);
  await picture(page, 'console-jobs-discard-phone');
  await page.setViewportSize(desktop);
  await row(orders[1]).locator('[data-test="job-sure"]').click();
  await by(page, 'jobs-empty').waitFor();
  await picture(page, 'console-jobs-empty');
  await by(page, 'jobs-waiting').click();
  await row(orders[2]).waitFor();
  await picture(page, 'console-jobs-waiting');
  assert.deepEqual(page.complaints(), []);
  await browser.close();

  // Not yet due to be closed, the retried job ends well by waiting on.
  await until('the retried job has ended or waits', async () => (await staff.get('/api/admin/jobs?state=dead')).jobs.length === 0);
  const trail = execFileSync('python3', ['-c', `import sqlite3,sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT action, subject, detail, actor FROM audit_log WHERE action LIKE 'job.%' ORDER BY seq"): print('|'.join(row))`,
  join(shop.data, 'topup.sqlite')], { encoding: 'utf8' }).trim().split('\n');
  assert.equal(trail.length, 2);
  assert.ok(trail[0].startsWith(`job.retry|order_expire:${orders[0]}|${kWhy}|staff:`), trail[0]);
  assert.ok(trail[1].startsWith(`job.discard|order_expire:${orders[1]}|placed twice by mistake|staff:`), trail[1]);
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});
