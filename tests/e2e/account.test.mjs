// A buyer's account in a real browser: signing in, devices, one's own data, leaving, and the words of the shop.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, picture } from './support/browser.mjs';
import { Colleague } from './support/colleagues.mjs';
import { Buyer, Shop, until } from './support/shop.mjs';

let shop;
let staff;
let browser;
before(async () => {
  shop = await Shop.start({ speed: 100 });
  staff = await shop.signIn();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

const kExpected = { expected: [/status of 40[149]/, /status of 42[29]/] };
const open = (page, path) => page.goto(`${shop.origin}/#/pages/${path}`);
const post = async (url, body) => {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return response.json();
};
const inbox = async () => (await (await fetch(`${shop.sms}/inbox`)).json()).messages;
const codeFor = (phone) => until('the code arrives', async () => (
  (await inbox()).find((message) => message.to === `+86${phone}`)?.params.code));
const stored = (page, key) => page.evaluate((name) => JSON.parse(localStorage.getItem(`topup.${name}`) ?? 'null'), key);

function withToken(token) {
  const buyer = new Buyer();
  buyer.shop = shop;
  buyer.token = token;
  return buyer;
}
const buyerOf = async (page) => withToken((await stored(page, 'session')).token);

/** Somebody who is known to the shop by WeChat and by this number, without a short message. */
async function known(person, phone) {
  const login = async () => {
    const { code } = await post(`${shop.platform}/control/login`, { person });
    return (await shop.call('POST', '/api/v1/sign-in/wechat-mini', { body: { code } })).json;
  };
  let session = await login();
  if (phone) {
    const { code } = await post(`${shop.platform}/control/phone`, { phone });
    session = (await withToken(session.token).call('POST', '/api/v1/me/phone/wechat', { body: { code } })).json;
  }
  return { login, session, buyer: withToken(session.token) };
}

/** A page on which this session is at home. */
async function pageOf(session, options = {}) {
  const page = await openPage(browser, { ...kExpected, ...options });
  await page.goto(`${shop.origin}/`);
  await page.evaluate((text) => localStorage.setItem('topup.session', text), JSON.stringify({ known: true, ...session }));
  await page.reload();
  return page;
}

async function asStaff(method, path, body) {
  const response = await shop.call(method, path, {
    body, headers: { cookie: staff.cookie, origin: shop.origin, 'idempotency-key': randomUUID() },
  });
  assert.ok(response.status < 300, response.text);
  return response.json;
}
/** Saves a text as the newest version and shows it. */
async function publish(document, text) {
  const seen = await shop.call('GET', `/api/admin/content/${document}`, { headers: { cookie: staff.cookie } });
  const basedOn = seen.json.versions?.[0].version ?? 0;
  const { version } = await asStaff('POST', `/api/admin/content/${document}/versions`, { based_on: basedOn, ...text });
  return asStaff('POST', `/api/admin/content/${document}/publication`, { version, seen: seen.json.shown_version ?? 0 });
}

const submit = async (page, code) => {
  await by(page, 'sign-in-code').fill(code);
  await by(page, 'sign-in-submit').click();
};
// Every wait that the button ever told, in seconds: a wrong one stands there for half a second only.
const noteWaits = (page) => page.evaluate(() => {
  window.waitsTold = [];
  new MutationObserver(() => {
    const told = document.querySelector('[data-test="ask-code"]')?.textContent.match(/\d+(?= 秒)/);
    if (told) window.waitsTold.push(Number(told[0]));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
});
const waitsTold = (page) => page.evaluate(() => window.waitsTold);
const askCode = async (page, phone) => {
  await open(page, 'sign_in/sign_in');
  await noteWaits(page);
  await by(page, 'sign-in-phone').fill(phone);
  await by(page, 'ask-code').click();
};

test('X02: nothing leaves the page before the agreements; then a code signs in, and a wrong one is told at its field', async () => {
  const page = await openPage(browser, { ...kExpected, agreed: false });
  await open(page, 'me/me');
  await by(page, 'sign-in').click();
  await by(page, 'sign-in-phone').fill('138 0000 3101');
  await by(page, 'ask-code').click();
  await by(page, 'privacy-sheet').waitFor();
  await picture(page, 'account-gate');
  await by(page, 'gate-decline').click();
  assert.equal((await inbox()).filter((message) => message.to === '+8613800003101').length, 0);
  assert.equal(await by(page, 'sign-in-phone').inputValue(), '138 0000 3101', 'what was typed stays');

  await by(page, 'ask-code').click();
  await by(page, 'gate-agree').click();
  const code = await codeFor('13800003101');
  await until('the wait is shown', async () => /\d+ 秒/.test(await by(page, 'ask-code').textContent()));
  assert.equal(await by(page, 'ask-code').isDisabled(), true);
  await submit(page, code === '000000' ? '000001' : '000000');
  await until('the field says so', async () => /验证码不对/.test(await by(page, 'sign-in-code-says').textContent()));
  assert.equal(await by(page, 'sign-in-code').getAttribute('aria-invalid'), 'true');
  await picture(page, 'account-wrong-code');
  await submit(page, code);
  await until('the head knows', async () => (await by(page, 'me-name').textContent().catch(() => '')) === '138****3101');
  await picture(page, 'account-me');
  const me = (await (await buyerOf(page)).call('GET', '/api/v1/me')).json;
  assert.equal(me.level, 'phone');
  assert.deepEqual(me.consents.map((one) => `${one.document} ${one.version}`).sort(), ['privacy 1', 'terms 1']);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('a second code too soon is refused at the number, with the wait that the shop names', async () => {
  const first = await openPage(browser, kExpected);
  await askCode(first, '13800003102');
  await codeFor('13800003102');
  await until('the wait is told', async () => (await waitsTold(first)).length > 0);
  assert.ok(Math.max(...await waitsTold(first)) <= 60, `a minute is never told as more: ${await waitsTold(first)}`);
  const page = await openPage(browser, kExpected);
  await askCode(page, '+86 138-0000-3102');
  await until('refused at the field', async () => /太频繁/.test(await by(page, 'sign-in-phone-says').textContent()));
  await until('the wait is told', async () => (await waitsTold(page)).length > 0);
  const waits = await waitsTold(page);
  assert.ok(Math.min(...waits) > 20 && Math.max(...waits) <= 60, `${waits}`);
  await picture(page, 'account-too-often');
  await first.context().close();
  await page.context().close();
});

test('F050: a guest who signs in to an account of before is asked, and brings the orders along', async () => {
  const owner = await known('account-merge', '13800003103');
  const guest = await Buyer.arrive(shop);
  const order = (await guest.place('13900003003')).json;
  const page = await pageOf({ token: guest.token, user_id: '', expires_at_ms: Date.now() + 1e9, known: false });
  await askCode(page, '13800003103');
  await submit(page, await codeFor('13800003103'));
  await by(page, 'merge-sheet').waitFor();
  await picture(page, 'account-merge');
  assert.equal((await owner.buyer.call('GET', '/api/v1/orders')).json.orders.length, 0, 'nothing moves without consent');
  await by(page, 'merge-yes').click();
  await until('it is one account', async () => (await owner.buyer.call('GET', '/api/v1/orders')).json.orders.length === 1);
  await page.waitForURL((url) => !url.hash.includes('sign_in')); // it goes back by itself
  await open(page, 'orders/orders');
  await by(page, 'order-row').waitFor();
  assert.equal((await owner.buyer.call('GET', '/api/v1/orders')).json.orders[0].order_id, order.order_id);
  await page.context().close();
});

test('F050: whoever goes on while two accounts become one finds the orders, and is not fetched back', async () => {
  await known('account-merge-slow', '13800003106');
  const guest = await Buyer.arrive(shop);
  await guest.place('13900003006');
  const page = await pageOf({ token: guest.token, user_id: '', expires_at_ms: Date.now() + 1e9, known: false });
  await askCode(page, '13800003106');
  await submit(page, await codeFor('13800003106'));
  await by(page, 'merge-sheet').waitFor();
  let release;
  const released = new Promise((go) => (release = go));
  let isMerged = false;
  await page.route('**/api/v1/me/merge', async (route) => {
    const response = await route.fetch();
    isMerged = true;
    await released;
    await route.fulfill({ response });
  });
  const listed = page.waitForResponse((response) => response.url().includes('/api/v1/orders') && response.status() === 401);
  await by(page, 'merge-yes').click();
  await until('the shop has merged', async () => isMerged);
  await open(page, 'orders/orders');
  await listed; // the guest's session is over at the shop, and the page has not been given the other one yet
  release();
  await by(page, 'order-row').waitFor();
  assert.match(page.url(), /orders\/orders/);
  assert.equal(await by(page, 'notice').count(), 0, 'nobody was signed out');
  await page.context().close();
});

test('F048, F055: devices and the trail are listed, another device is signed out, an identity is unbound', async () => {
  const owner = await known('account-devices', '13800003104');
  const elsewhere = await owner.login();
  const page = await pageOf(await owner.login());
  await open(page, 'security/security');
  await by(page, 'session').waitFor();
  assert.equal(await page.locator('[data-test="identity"]').count(), 2);
  assert.equal(await page.locator('[data-test="session"][data-current="true"]').count(), 1);
  assert.ok(await page.locator('[data-test="sign-in-row"]').count() >= 3);
  await picture(page, 'account-security');
  await by(page, 'end-others').click();
  await until('the others are gone', async () => (await withToken(elsewhere.token).call('GET', '/api/v1/me')).status === 401);
  await page.waitForFunction(() => document.querySelectorAll('[data-test="session"]').length === 1);
  await by(page, 'unbind').click();
  await by(page, 'unbind-yes').click();
  await page.waitForFunction(() => document.querySelectorAll('[data-test="identity"]').length === 1);
  assert.equal(await page.locator('[data-test="unbind"]').count(), 0, 'the last way in stays');
  await open(page, 'me/me');
  await by(page, 'sign-out').click();
  await until('a guest again', async () => (await by(page, 'me-head').getAttribute('data-level')) === 'guest');
  await page.context().close();
});

test('F047: inside WeChat one tap signs in, by way of WeChat and back', async () => {
  await post(`${shop.platform}/control/person`, { person: 'account-oa' });
  const userAgent = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120 Mobile MicroMessenger/8.0.47';
  const page = await openPage(browser, { ...kExpected, userAgent });
  await open(page, 'sign_in/sign_in');
  await by(page, 'sign-in-wechat').click();
  await until('the session is that of somebody', async () => (await stored(page, 'session').catch(() => null))?.known === true);
  assert.equal((await (await buyerOf(page)).call('GET', '/api/v1/me')).json.identities[0].kind, 'wechat_oa');
  await open(page, 'me/me');
  await until('the head knows', async () => (await by(page, 'me-head').getAttribute('data-level').catch(() => '')) === 'wechat');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('a session that ended elsewhere is told, and what was typed is still there', async () => {
  const owner = await known('account-ended');
  const page = await pageOf(owner.session);
  await by(page, 'phone-input').fill('13800001234');
  const current = (await owner.buyer.call('GET', '/api/v1/me/sessions')).json.sessions.find((one) => one.is_current);
  await owner.buyer.call('DELETE', `/api/v1/me/sessions/${current.session_id}`);
  await by(page, 'tab-orders').click();
  await until('the notice says so', async () => /登录已过期/.test(await by(page, 'notice').textContent().catch(() => '')));
  await picture(page, 'account-session-ended');
  await by(page, 'tab-home').click();
  assert.match(await by(page, 'phone-input').inputValue(), /138 0000 1234/);
  await page.context().close();
});

test('F134: the download holds one\'s own data whole, and nothing of anybody else', async () => {
  const other = await known('account-stranger', '13800003905');
  const foreign = (await other.buyer.place('13900003905')).json;
  const owner = await known('account-export', '13800003105');
  const own = (await owner.buyer.place('13900003005')).json;
  const page = await pageOf(owner.session);
  await open(page, 'privacy/privacy');
  const [file] = await Promise.all([page.waitForEvent('download'), by(page, 'export').click()]);
  const text = readFileSync(await file.path(), 'utf8');
  const data = JSON.parse(text);
  assert.equal(data.format, 'topup-personal-data-1');
  assert.equal(data.orders.list[0].order_id, own.order_id);
  assert.equal(data.orders.list[0].account, '+8613900003005');
  assert.ok(data.account.identities.some((one) => one.value === '+8613800003105'));
  assert.ok(data.account.sign_ins.length > 0);
  for (const theirs of ['13800003905', '13900003905', foreign.order_id, other.session.user_id]) {
    assert.ok(!text.includes(theirs), theirs);
  }
  for (const secret of [owner.session.token, 'account_sealed', 'v1.']) assert.ok(!text.includes(secret), secret);
  await page.context().close();
});

test('F134: one tap takes everything back, here and at the shop', async () => {
  const owner = await known('account-withdraw');
  for (const document of ['privacy', 'terms', 'location', 'messages']) {
    const given = await owner.buyer.call('POST', '/api/v1/me/consents', { body: { document, version: '1' } });
    assert.equal(given.status, 200, given.text);
  }
  const page = await pageOf(owner.session);
  await page.evaluate(() => localStorage.setItem('topup.recipients',
    JSON.stringify([{ number: '13900003006', operator_id: 'cn-mobile', product_id: 'cn-mobile-10000' }])));
  await open(page, 'privacy/privacy');
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll('[data-test="consent"]').length === 4);
  await picture(page, 'account-privacy');
  await by(page, 'withdraw').click();
  await picture(page, 'account-withdraw');
  await by(page, 'withdraw-yes').click();
  await by(page, 'me-head').waitFor();
  const { consents } = (await owner.buyer.call('GET', '/api/v1/me')).json;
  assert.ok(consents.every((one) => one.withdrawn_at_ms > 0), JSON.stringify(consents));
  assert.equal(await stored(page, 'session'), null);
  assert.equal(await stored(page, 'agreed'), null);
  assert.deepEqual(await stored(page, 'recipients') ?? [], []);
  await page.context().close();
});

test('F136: an account is deleted after two questions, never while an order is open, and its number is gone', async () => {
  const owner = await known('account-erase', '13800003107');
  const order = (await owner.buyer.place('13900003007')).json;
  const page = await pageOf(owner.session, { viewport: desktop, locale: 'en-GB' });
  await open(page, 'privacy/privacy');
  await by(page, 'erase').click();
  await by(page, 'obstacle').waitFor();
  assert.equal(await by(page, 'obstacle').getAttribute('data-reason'), 'orders_open');
  assert.equal(await page.locator('[data-test="erase-next"]').count(), 0);
  await picture(page, 'account-erase-not-now');
  await by(page, 'erase-no').click();
  await owner.buyer.call('POST', `/api/v1/orders/${order.order_id}/cancel`, { body: {} });

  await by(page, 'erase').click();
  await by(page, 'erase-next').click();
  await picture(page, 'account-erase-twice');
  await by(page, 'erase-yes').click();
  await by(page, 'me-head').waitFor();
  assert.equal((await owner.buyer.call('GET', '/api/v1/me')).status, 401);
  const kept = await staff.order(order.order_id);
  assert.equal(kept.order.account_masked ?? kept.order.order?.account_masked, '');
  assert.ok(!JSON.stringify(kept).includes('3007'));
  assert.notEqual((await owner.login()).user_id, owner.session.user_id, 'whoever comes back is a new person');
  await page.context().close();
});

test('a hostile announcement is text, fits the page, and is put away for this version only', async () => {
  const title = `<img src=x onerror=alert(1)> \u202e${'很长'.repeat(40)}`;
  const body = `# <script>alert(2)</script>\n- [link](javascript:alert(3))\n${'x'.repeat(3000)}`;
  const announcement = { kind: 'announcement', title_zh: title, title_en: '', body_zh: body };
  await publish('storm', announcement);
  const page = await openPage(browser);
  page.on('dialog', () => assert.fail('a script ran'));
  const appears = async () => {
    await until('it is shown', async () => {
      await page.goto(`${shop.origin}/`);
      await page.reload();
      return by(page, 'announcement').waitFor({ timeout: 3_000 }).then(() => true, () => false);
    });
  };
  await appears();
  const shown = await by(page, 'announcement').textContent();
  assert.match(shown, /<img src=x onerror=alert\(1\)>/);
  assert.ok(!shown.includes('\u202e'), 'nothing turns the reading direction');
  await by(page, 'announcement-more').click();
  assert.match(await by(page, 'announcement').textContent(), /<script>alert\(2\)<\/script>/);
  assert.equal(await page.locator('[data-test="announcement"] img, [data-test="announcement"] script, [data-test="announcement"] a').count(), 0);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await picture(page, 'account-hostile-announcement');
  await by(page, 'announcement-close').click();
  await page.reload();
  await by(page, 'phone-input').waitFor();
  assert.equal(await page.locator('[data-test="announcement"]').count(), 0);
  await publish('storm', { ...announcement, title_zh: '第二版' });
  await appears();
  assert.match(await by(page, 'announcement').textContent(), /第二版/);
  assert.deepEqual(page.complaints(), []);
  await asStaff('POST', '/api/admin/content/storm/publication', { version: 0, seen: 2 });
  await page.context().close();
});

test('help knows the order it was opened from, and a guest finds an order by its number', async () => {
  const owner = await known('account-help');
  const order = (await owner.buyer.place('13900003009')).json;
  const page = await pageOf(owner.session);
  await open(page, `order/order?id=${order.order_id}`);
  await by(page, 'order-help').click();
  await by(page, 'help-order').waitFor();
  assert.match(await by(page, 'help-order').textContent(), /139\*\*\*\*3009/);
  await by(page, 'help-article').waitFor();
  assert.equal(await by(page, 'help-article').getAttribute('data-document'), 'help_payment');
  await picture(page, 'account-help-order');

  const guest = await openPage(browser, { ...kExpected, viewport: desktop });
  await open(guest, 'find/find');
  await by(guest, 'find-order').fill(order.order_id.toLowerCase());
  await by(guest, 'find-tail').fill('0000');
  await by(guest, 'find-go').click();
  await by(guest, 'problem').waitFor();
  await by(guest, 'find-tail').fill('3009');
  await by(guest, 'find-go').click();
  await by(guest, 'found-order').waitFor();
  await picture(guest, 'account-found');
  await page.context().close();
  await guest.context().close();
});

test('F092: a new version of an agreement is asked about once more, and the old one stays readable', async () => {
  const page = await openPage(browser);
  const go = async () => {
    await page.goto(`${shop.origin}/`);
    await page.reload();
    await by(page, 'phone-input').fill('13800001234');
    await by(page, 'face-10000').click();
    await by(page, 'go-confirm').click();
  };
  await go();
  await by(page, 'payable').waitFor();
  await publish('privacy', { kind: 'agreement', place: 20, title_zh: '隐私政策', title_en: 'Privacy policy', body_zh: '新的一版', body_en: 'A new one' });
  await until('the shop names the new version', async () => (await shop.call('GET', '/api/v1/shop')).json.agreements.privacy === 2);
  await go();
  await by(page, 'privacy-sheet').waitFor();
  await by(page, 'gate-privacy').click();
  await until('the new version', async () => (await by(page, 'agreement').getAttribute('data-version').catch(() => '')) === '2');
  await page.goBack();
  await by(page, 'gate-agree').click();
  await by(page, 'payable').waitFor();
  await open(page, 'agreement/agreement?document=privacy&version=1');
  await until('the old version', async () => (await by(page, 'agreement').getAttribute('data-version').catch(() => '')) === '1');
  const late = await known('account-late');
  const given = await late.buyer.call('POST', '/api/v1/me/consents', { body: { document: 'privacy', version: '1' } });
  assert.equal(given.json.reason, 'agreement_changed');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('whoever has chosen no language reads that of the shop, from the second visit on at once; a choice goes before it', async () => {
  const owner = await Colleague.owner(shop);
  const { shop: facts } = await owner.get('/api/admin/setup');
  const speak = async (language) => {
    const got = await owner.call('PUT', '/api/admin/setup/shop', { name: facts.name || 'Corner shop', time_zone: facts.time_zone, language });
    assert.equal(got.status, 200, got.text);
  };
  const spoken = (page, lang) => page.waitForFunction((wanted) => document.documentElement.lang === wanted, lang);
  await speak('en');
  const page = await openPage(browser, { locale: 'zh-CN' });
  await page.goto(`${shop.origin}/`);
  await spoken(page, 'en');
  await page.getByText('Who are you topping up?').first().waitFor();
  await picture(page, 'account-language-of-the-shop');
  await page.route('**/api/v1/shop', (route) => route.abort());
  await page.reload();
  await by(page, 'phone-input').waitFor();
  await spoken(page, 'en');
  await page.unroute('**/api/v1/shop');
  await open(page, 'settings/settings');
  await by(page, 'language-zh').click();
  await page.reload();
  await by(page, 'language-zh').waitFor();
  await page.waitForLoadState('networkidle');
  await spoken(page, 'zh-CN');
  await speak('auto');
  const other = await openPage(browser, { locale: 'en-GB' });
  await other.goto(`${shop.origin}/`);
  await spoken(other, 'en');
  await other.context().close();
  await page.context().close();
});

test('theme, large text and language are this device\'s choice, and outlive a reload', async () => {
  const page = await openPage(browser, { viewport: desktop });
  await open(page, 'settings/settings');
  await by(page, 'theme-dark').click();
  await by(page, 'text-large').click();
  await by(page, 'language-en').click();
  await page.reload();
  await by(page, 'theme-dark').waitFor();
  const facts = await page.evaluate(() => ({
    paper: getComputedStyle(document.documentElement).getPropertyValue('--paper').trim(),
    text: getComputedStyle(document.documentElement).getPropertyValue('--text').trim(),
    lang: document.documentElement.lang,
  }));
  assert.deepEqual(facts, { paper: '#171a1e', text: '17px', lang: 'en' });
  await picture(page, 'account-settings-dark-large');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});
