// Members of staff of one shop in a test: hired by the owner, each with a session of their own, at its pages and beside them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { by, desktop, openPage } from './browser.mjs';

export class Colleague {
  static async signIn(shop, name, password) {
    const one = Object.assign(new Colleague(), { shop, name, password });
    const answer = await one.call('POST', '/api/admin/session', { name, password });
    assert.equal(answer.status, 200, answer.text);
    return one;
  }
  static owner(shop) { return Colleague.signIn(shop, 'owner', shop.password); }

  async call(method, path, body) {
    const headers = { origin: this.shop.origin, 'idempotency-key': randomUUID(), ...(this.cookie ? { cookie: this.cookie } : {}) };
    const got = await this.shop.call(method, path, { headers, body });
    const set = got.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0];
    return got;
  }
  async get(path) {
    const got = await this.call('GET', path);
    assert.equal(got.status, 200, `${path}: ${got.text}`);
    return got.json;
  }
  /** By the owner: somebody with these roles, who has a password of their own. */
  async hire(name, roles) {
    const password = 'tidies up after lunch 7';
    const added = (await this.call('POST', '/api/admin/staff', { name, roles: [] })).json;
    const given = await this.call('PUT', `/api/admin/staff/${added.staff_id}/roles`, { roles });
    assert.ok(given.status === 200 || given.status === 202, given.text);
    const first = await Colleague.signIn(this.shop, name, added.password);
    const changed = await first.call('POST', '/api/admin/session/password', { old_password: added.password, new_password: password });
    assert.equal(changed.status, 200, changed.text);
    const one = await Colleague.signIn(this.shop, name, password);
    one.id = added.staff_id;
    return one;
  }
  /** At a page of the console, signed in there. */
  async open(browser, path, options = {}) {
    const page = await openPage(browser, { viewport: desktop, expected: [/status of (401|403|409|422|429)/], ...options });
    await page.goto(`${this.shop.origin}/admin${path}`);
    await by(page, 'login-password').fill(this.password);
    await by(page, 'login-name').fill(this.name);
    await page.keyboard.press('Enter');
    await by(page, 'menu').or(by(page, 'me')).first().waitFor();
    return page;
  }
  /** Each must answer 403 with the reason that the route's permission is missing. */
  async isRefused(...wishes) {
    for (const [method, path, body] of wishes) {
      const got = await this.call(method, path, body);
      assert.equal(got.status, 403, `${this.name}: ${method} ${path}: ${got.text}`);
      assert.equal(got.json.reason, 'permission_missing', path);
    }
  }
}

export async function leave(page) {
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
}
