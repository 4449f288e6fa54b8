// F080: the people a buyer tops up are the same on two devices of one who has signed in, within seconds, whoever changes what;
// and a returning buyer needs three taps.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
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

const kAway = { expected: [/Failed to load resource/, /ERR_INTERNET_DISCONNECTED/, /ERR_FAILED/] };
const stored = (page, key) => page.evaluate((name) => JSON.parse(localStorage.getItem(`topup.${name}`) ?? 'null'), key);
const rowOf = (page, name) => page.waitForSelector(`[data-test="recipient-row"][data-name="${name}"]:visible`);
const gone = (page) => page.waitForFunction(() => document.querySelectorAll('[data-test="recipient-row"]').length === 0);

function buyerOf(token) {
  const buyer = new Buyer();
  return Object.assign(buyer, { shop, token });
}
/** A session of this person's own, as WeChat vouches for one. */
async function sessionOf(person) {
  const answer = await fetch(`${shop.platform}/control/login`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ person }),
  });
  const { code } = await answer.json();
  return (await shop.call('POST', '/api/v1/sign-in/wechat-mini', { body: { code } })).json;
}
async function deviceOf(person, options = {}) {
  const session = { known: true, ...(await sessionOf(person)) };
  await buyerOf(session.token).call('POST', '/api/v1/me/consents', { body: { document: 'privacy', version: '1' } });
  const page = await openPage(browser, { ...kAway, ...options });
  await page.addInitScript((text) => {
    if (!sessionStorage.getItem('signed in')) localStorage.setItem('topup.session', text);
    sessionStorage.setItem('signed in', 'yes');
  }, JSON.stringify(session));
  await page.goto(`${shop.origin}/`);
  await by(page, 'face-10000').waitFor();
  return page;
}
const people = (page) => page.goto(`${shop.origin}/#/pages/recipients/recipients`);
async function rename(page, name) {
  await by(page, 'recipient-rename').click();
  await by(page, 'recipient-name').fill(name);
  await by(page, 'recipient-save').click();
}

/** Buys for a number, until it has arrived. */
async function buy(page, number) {
  await by(page, 'phone-input').fill(number);
  await by(page, 'face-10000').click();
  await by(page, 'go-confirm').click();
  await by(page, 'pay-button').click();
  await page.waitForURL(`${shop.wechat}/**`);
  await page.locator('#pay').click();
  await page.waitForURL(`${shop.origin}/**`);
  await page.waitForSelector('[data-test="order-state"][data-state="succeeded"]:visible');
}

/** What the shop hands out to anybody who asks for this buyer's list. */
async function shopKnows(page) {
  const { token } = await stored(page, 'session');
  const answer = await buyerOf(token).call('POST', '/api/v1/sync/recipients', { body: { device: 'test-device-0001', since: 0, items: [] } });
  assert.equal(answer.status, 200, answer.text);
  return answer.text;
}

test('F080: topped up on the phone, named on the desktop, deleted on the phone: both say the same, and each deed survives being offline', async () => {
  const one = await deviceOf('people-one');
  const two = await deviceOf('people-one', { viewport: desktop, colorScheme: 'dark' });
  await people(two);
  await gone(two);
  await buy(one, '13800001234');
  await rowOf(two, '');
  await rename(two, '妈妈');
  await people(one);
  await rowOf(one, '妈妈');
  await picture(one, 'recipients-phone-zh-1-shared');
  await picture(two, 'recipients-desktop-zh-dark-1-shared');

  // Both name her while neither hears of the other.
  await one.context().setOffline(true);
  await rename(one, 'Mum');
  await rename(two, '老妈');
  await rowOf(one, 'Mum');
  await until('the shop has the name', async () => (await shopKnows(two)).includes('老妈'));
  await one.context().setOffline(false);
  for (const page of [one, two]) await by(page, 'recipient-names').waitFor();
  await picture(one, 'recipients-phone-zh-2-names');
  await one.locator('[data-test="recipient-name-choice"][data-value="老妈"]:visible').click();
  for (const page of [one, two]) await rowOf(page, '老妈');

  // Deleted here while there is something new there: gone on both, and at the shop.
  await two.context().setOffline(true);
  await rename(two, 'Mother');
  await by(one, 'recipient-delete').click();
  await gone(one);
  await until('the shop has forgotten', async () => !(await shopKnows(one)).includes('13800001234'));
  await two.context().setOffline(false);
  await gone(two);
  // Her name came with the other device's push; what is left of her there goes with its next.
  await until('the shop has forgotten for good', async () => !(await shopKnows(two)).includes('13800001234'));
  assert.deepEqual([...one.complaints(), ...two.complaints()], []);
  await one.context().close();
  await two.context().close();
});

test('who has not signed in keeps numbers on this device; who takes the consent back takes them from the shop and the other device', async () => {
  const guest = await openPage(browser);
  await guest.goto(`${shop.origin}/`);
  const asked = [];
  guest.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await buy(guest, '13800002345');
  await people(guest);
  await rowOf(guest, '');
  assert.match(await guest.locator('.only:visible').innerText(), /只留在这台设备上/);
  await picture(guest, 'recipients-phone-zh-3-only-here');
  assert.ok(!asked.includes('/api/v1/sync/recipients'));
  await guest.context().close();

  const one = await deviceOf('people-two');
  const two = await deviceOf('people-two', { locale: 'en-US' });
  await buy(one, '13800003456');
  await people(two);
  await rowOf(two, '');
  await picture(two, 'recipients-phone-en-4-shared');
  await one.goto(`${shop.origin}/#/pages/privacy/privacy`);
  await by(one, 'withdraw').click();
  await by(one, 'withdraw-yes').click();
  await by(one, 'me-head').waitFor();
  assert.equal(await stored(one, 'recipients'), null);
  await gone(two);
  assert.ok(!(await shopKnows(two)).includes('13800003456'));
  assert.deepEqual([...one.complaints(), ...two.complaints()], []);
  await one.context().close();
  await two.context().close();
});

for (const [name, options] of Object.entries({ 'phone-zh': { viewport: phone }, 'phone-en-dark': { viewport: phone, locale: 'en-US', colorScheme: 'dark' } })) {
  test(`a returning buyer pays in three taps: number, amount, pay (${name})`, async () => {
    const page = await openPage(browser, options);
    await page.goto(`${shop.origin}/`);
    await by(page, 'face-10000').waitFor();
    await buy(page, '13800004567');
    await page.goto(`${shop.origin}/`);
    await page.reload();
    await by(page, 'recent').waitFor();
    // Every touch of the screen counts, whatever it hits.
    await page.evaluate(() => {
      sessionStorage.taps = 0;
      addEventListener('pointerdown', () => (sessionStorage.taps = Number(sessionStorage.taps) + 1), { capture: true });
    });
    await by(page, 'recent').click();
    await by(page, 'face-5000').click();
    await by(page, 'pay-button').waitFor();
    await picture(page, `recipients-${name}-5-three-taps`);
    assert.equal(await by(page, 'payable').getAttribute('data-minor'), '4975');
    await by(page, 'pay-button').click();
    await page.waitForURL(`${shop.wechat}/**`);
    await page.locator('#pay').click();
    await page.waitForURL(`${shop.origin}/**`);
    await page.waitForSelector('[data-test="order-state"][data-state="succeeded"]:visible');
    assert.equal(await page.evaluate(() => sessionStorage.taps), '3');
    const { order } = await staff.order(new URL(page.url()).hash.match(/id=([0-9A-Z]+)/)[1]);
    assert.deepEqual([order.face.minor, order.account_masked], [5000, '138****4567']);
    assert.deepEqual(page.complaints(), []);
    await page.context().close();
  });
}
