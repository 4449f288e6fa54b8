// Staff over real HTTP, in a real browser and at the machine: accounts, the second factor, step-up, consent.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Shop, binary } from './support/shop.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

function appCode(secret, laterSteps = 0) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((digit) => digits.indexOf(digit).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + laterSteps));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

class Person {
  constructor(shop) { this.shop = shop; }
  static async signIn(shop, name, password, code) {
    const person = new Person(shop);
    person.answer = await person.call('POST', '/api/admin/session', code ? { name, password, code } : { name, password });
    return person;
  }
  async call(method, path, body) {
    const headers = { origin: this.shop.origin, ...(this.cookie ? { cookie: this.cookie } : {}) };
    const got = await this.shop.call(method, path, { headers, body });
    const set = got.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0];
    return got;
  }
}

const run = (...args) => {
  const done = spawnSync(binary, args, { encoding: 'utf8' });
  return { code: done.status, out: done.stdout, err: done.stderr };
};

let shop;
let owner;
before(async () => {
  shop = await Shop.start({});
  owner = await Person.signIn(shop, 'owner', shop.password);
});
after(async () => {
  await shop.stop();
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

test('a rehearsal asks nobody for an app, and the helper of every other test signs in as before', async () => {
  const staff = await shop.signIn();
  const who = await staff.get('/api/admin/session');
  assert.equal(who.must_enrol, false);
  assert.deepEqual(who.roles, ['owner']);
  assert.ok(who.permissions.includes('refund.approve'));
});

test('each permission and role that the shop knows has words in both languages', async () => {
  const { roles } = (await owner.call('GET', '/api/admin/roles')).json;
  const words = new Set([...roles.flatMap((role) => role.permissions), 'session.own', 'session.secure']);
  assert.ok(words.size > 25);
  for (const language of ['zh', 'en']) {
    const text = readFileSync(join(root, `web/admin/src/i18n/staff.${language}.ts`), 'utf8');
    for (const { role } of roles) assert.match(text, new RegExp(`^    ${role}: '`, 'm'), role);
    for (const word of words) {
      const [group, name] = word.split('.');
      assert.match(text, new RegExp(`^    ${group}: \\{[^}]*\\b${name}: '`, 'm'), `${word} in ${language}`);
    }
  }
});

test('a new colleague gets a password once, changes it, and has what the roles allow from then on', async () => {
  const added = await owner.call('POST', '/api/admin/staff', { name: 'li.wei', roles: ['support', 'risk'] });
  assert.equal(added.status, 201);
  const li = await Person.signIn(shop, 'li.wei', added.json.password);
  assert.equal(li.answer.json.must_change_password, true);
  assert.equal((await li.call('GET', '/api/admin/orders')).json.reason, 'password_change_needed');
  const old = li.cookie;
  const changed = await li.call('POST', '/api/admin/session/password',
    { old_password: added.json.password, new_password: 'a long enough one 7' });
  assert.equal(changed.status, 200);
  assert.notEqual(li.cookie, old);
  assert.equal((await shop.call('GET', '/api/admin/session', { headers: { cookie: old } })).status, 401);
  assert.equal((await li.call('GET', '/api/admin/orders')).status, 200);
  assert.equal((await li.call('GET', '/api/admin/staff')).json.reason, 'permission_missing');
  const may = (await owner.call('GET', `/api/admin/staff/${added.json.staff_id}/permissions`)).json.permissions;
  assert.deepEqual(may.find((one) => one.permission === 'personal_data.read').from_roles.sort(), ['risk', 'support']);

  const conflict = await owner.call('PUT', `/api/admin/staff/${added.json.staff_id}/roles`, { roles: ['finance', 'finance_director'] });
  assert.equal(conflict.status, 422);
  assert.equal(conflict.json.reason, 'roles_conflict');
  assert.equal(conflict.json.detail, 'finance finance_director');
  await owner.call('POST', `/api/admin/staff/${added.json.staff_id}/disable`);
  assert.equal((await li.call('GET', '/api/admin/orders')).status, 401);
});

test('a role with power waits for a second person, who agrees to what was seen', async () => {
  const guard = (await owner.call('POST', '/api/admin/staff', { name: 'guard', roles: [] })).json;
  const given = await owner.call('PUT', `/api/admin/staff/${guard.staff_id}/roles`, { roles: ['security_admin'] });
  assert.equal(given.status, 200, 'the only owner has nobody to ask');
  const second = await Person.signIn(shop, 'guard', guard.password);
  await second.call('POST', '/api/admin/session/password', { old_password: guard.password, new_password: 'keeps the door shut 42' });
  const target = (await owner.call('POST', '/api/admin/staff', { name: 'zhao', roles: ['read_only'] })).json;
  const asked = await owner.call('PUT', `/api/admin/staff/${target.staff_id}/roles`, { roles: ['finance_director'] });
  assert.equal(asked.status, 202);
  const path = `/api/admin/approvals/${asked.json.approval_id}/approve`;
  const { body_hash } = (await second.call('GET', '/api/admin/approvals')).json.approvals[0];
  assert.equal((await owner.call('POST', path, { body_hash })).json.reason, 'approval_own');
  assert.equal((await second.call('POST', path, { body_hash: '0'.repeat(64) })).json.reason, 'approval_changed');
  assert.equal((await second.call('POST', path, { body_hash })).json.state, 'approved');
  assert.equal((await second.call('POST', path, { body_hash })).json.reason, 'approval_settled');
  assert.deepEqual((await owner.call('GET', `/api/admin/staff/${target.staff_id}/permissions`)).json.roles, ['finance_director']);
});

test('A-07: a name that nobody has is locked out like one that somebody has', async () => {
  for (let i = 0; i < 5; ++i) {
    assert.equal((await Person.signIn(shop, 'no such person', 'x')).answer.json.reason, 'credentials_wrong');
  }
  const locked = (await Person.signIn(shop, 'no such person', 'x')).answer;
  assert.equal(locked.status, 429);
  assert.equal(locked.json.reason, 'locked_out');
});

test('at the machine: refused in words while the shop holds its file; a locked-out owner gets in afterwards', async () => {
  const own = await Shop.start({ config: '[staff]\ntotp_required = true\n' });
  const busy = run('user', 'list', '--data', own.data);
  assert.equal(busy.code, 1);
  assert.match(busy.err, /Stop the shop first/);
  const first = await Person.signIn(own, 'owner', own.password);
  assert.equal(first.answer.json.must_enrol, true);
  assert.equal((await first.call('GET', '/api/admin/staff')).json.reason, 'totp_enrolment_needed');
  const { secret } = (await first.call('POST', '/api/admin/session/totp')).json;
  const enrolled = await first.call('POST', '/api/admin/session/totp/confirm', { code: appCode(secret) });
  assert.equal(enrolled.json.recovery_codes.length, 10);
  assert.equal((await first.call('GET', '/api/admin/staff')).status, 200);
  assert.equal((await Person.signIn(own, 'owner', own.password)).answer.json.reason, 'totp_needed');
  const used = await Person.signIn(own, 'owner', own.password, appCode(secret));
  assert.equal(used.answer.json.reason, 'totp_wrong', 'a step counts once, also the one that confirmed');
  assert.equal((await Person.signIn(own, 'owner', own.password, appCode(secret, 1))).answer.status, 200);
  assert.equal((await Person.signIn(own, 'owner', own.password, enrolled.json.recovery_codes[0])).answer.status, 200);
  await own.stop();

  assert.match(run('user', 'list', '--data', own.data).out, /owner\s+enabled\s+on\s+owner/);
  const reset = run('user', 'reset-password', 'owner', '--data', own.data);
  assert.equal(reset.code, 0);
  assert.equal(run('user', 'reset-totp', 'owner', '--data', own.data).code, 0);
  const last = run('user', 'disable', 'owner', '--data', own.data);
  assert.equal(last.code, 1);
  assert.match(last.err, /last_owner/);
  assert.match(run('user', 'add', 'wu', '--roles', 'finance,finance_director', '--data', own.data).err, /roles_conflict: finance finance_director/);
  assert.equal(run('user', 'add', 'wu', '--roles', 'finance', '--data', own.data).code, 0);
  assert.equal(run('user', 'roles', 'wu', '--roles', 'support,risk', '--data', own.data).code, 0);
  assert.equal(run('user', 'disable', 'wu', '--data', own.data).code, 0);
  assert.match(run('user', 'list', '--data', own.data).out, /wu\s+disabled\s+-\s+risk support/);
  assert.equal(run('user', 'enable', 'nobody', '--data', own.data).code, 1);
  await own.run();
  const back = await Person.signIn(own, 'owner', reset.out.match(/password\s+(\S+)/)[1]);
  assert.equal(back.answer.json.must_change_password, true);
  assert.equal(back.answer.json.has_totp, false);
  await own.stop();
  own.cleanup();
});

test('in the browser: first sign-in, own password, app by QR, then staff, and pages that are not for one', async () => {
  const own = await Shop.start({ config: '[staff]\ntotp_required = true\n' });
  const browser = await openBrowser();
  const expected = [/Failed to load resource.*(401|403|422)/];
  try {
    const page = await openPage(browser, { viewport: desktop, expected });
    await page.goto(`${own.origin}/admin/`);
    await by(page, 'login-name').fill('owner');
    await by(page, 'login-password').fill(own.password);
    await by(page, 'login-submit').click();
    await by(page, 'must-enrol').waitFor();
    assert.match(page.url(), /\/admin\/me$/);
    await page.goto(`${own.origin}/admin/orders`);
    await by(page, 'must-enrol').waitFor();
    await by(page, 'totp-begin').click();
    const secret = (await by(page, 'totp-secret').textContent()).replaceAll(' ', '').trim();
    await picture(page, 'console-enrol-1440');
    await by(page, 'totp-code').fill(appCode(secret));
    await by(page, 'totp-confirm').click();
    await by(page, 'recovery-codes').waitFor();
    const spares = (await by(page, 'recovery-codes').innerText()).trim().split(/\s+/).filter((word) => word.includes('-'));
    assert.equal(spares.length, 10);
    await picture(page, 'console-recovery-1440');
    await by(page, 'codes-kept').click();

    await page.goto(`${own.origin}/admin/staff`);
    await by(page, 'staff-add').click();
    await by(page, 'staff-name').fill('李伟');
    await by(page, 'role-finance').check();
    await by(page, 'role-finance_director').check();
    await by(page, 'role-conflict').waitFor();
    await by(page, 'role-finance_director').uncheck();
    await by(page, 'role-finance').uncheck();
    await by(page, 'role-catalog').check();
    await by(page, 'staff-create').click();
    const password = (await by(page, 'new-staff-password').textContent()).trim().match(/[\w-]{20}/)[0];
    await page.locator('[data-test="staff-row"]', { hasText: '李伟' }).getByRole('button').first().click();
    await picture(page, 'console-staff-1440');
    // A session that is no longer fresh: the server's own words, then the same deed after the proof.
    let stale = true;
    await page.route('**/disable', (route) => (stale
      ? route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ reason: 'step_up_needed' }) })
      : route.continue()));
    await by(page, 'staff-disable').click();
    await by(page, 'sure').click();
    await by(page, 'step-up-proof').fill('000000');
    await picture(page, 'console-step-up-1440');
    await by(page, 'step-up-go').click();
    await page.getByText('验证码不对').first().waitFor();
    stale = false;
    await by(page, 'step-up-proof').fill(spares[1]);
    await by(page, 'step-up-go').click();
    await by(page, 'staff-said').waitFor();
    await by(page, 'staff-enable').click();
    await by(page, 'sure').click();
    await by(page, 'staff-disable').waitFor();
    assert.deepEqual(page.complaints(), []);

    const small = await openPage(browser, { viewport: phone, expected });
    await small.goto(`${own.origin}/admin/`);
    await by(small, 'login-name').fill('owner');
    await by(small, 'login-password').fill(own.password);
    await by(small, 'login-submit').click();
    await by(small, 'login-code').fill(spares[0].toLowerCase());
    await picture(small, 'console-sign-in-390');
    await by(small, 'login-submit').click();
    await small.waitForURL(/\/admin\/$/);
    await small.goto(`${own.origin}/admin/staff`);
    await by(small, 'staff-row').waitFor();
    await by(small, 'staff-add').click();
    await small.locator('[data-test="staff-row"]', { hasText: '李伟' }).getByRole('button').first().click();
    await picture(small, 'console-staff-390');
    await small.goto(`${own.origin}/admin/me`);
    await by(small, 'session-row').waitFor();
    await picture(small, 'console-me-390');
    await small.getByRole('button', { name: 'English' }).click();
    await small.getByText('Signed-in devices').waitFor();
    await picture(small, 'console-me-en-390');
    assert.deepEqual(small.complaints(), []);

    const colleague = await openPage(browser, { viewport: phone, expected });
    await colleague.goto(`${own.origin}/admin/`);
    await by(colleague, 'login-name').fill('李伟');
    await by(colleague, 'login-password').fill(password);
    await by(colleague, 'login-submit').click();
    await by(colleague, 'must-change').waitFor();
    await picture(colleague, 'console-must-change-390');
    await by(colleague, 'old-password').fill(password);
    await by(colleague, 'new-password').fill('sells what is listed 1');
    await by(colleague, 'repeat-password').fill('sells what is listed 1');
    await by(colleague, 'change-password').click();
    await by(colleague, 'password-changed').waitFor();
    await colleague.goto(`${own.origin}/admin/staff`);
    await by(colleague, 'forbidden').waitFor();
    await picture(colleague, 'console-forbidden-390');
    assert.deepEqual(colleague.complaints(), []);
  } finally {
    await browser.close();
    await own.stop();
    own.cleanup();
  }
});
