// Whose number it is, abroad (feature X09): a hint from the network that the buyer may overrule, and that never stops a purchase.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { by, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Shop, until } from './support/shop.mjs';

const kPath = '/api/v1/operators/lookup';
let shop;
let browser;
before(async () => {
  shop = await Shop.start({ speed: 100, suppliers: 'reloadly,dtone' }); // the held answer is held for its 20 s
  browser = await openBrowser();
  const staff = await shop.signIn();
  await until('both lists of Thailand', async () => {
    const ways = JSON.stringify(await staff.get('/api/admin/catalog/ways?product_id=th-ais-thb10000'));
    return ways.includes('reloadly') && ways.includes('dtone');
  }, 60_000);
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

const ask = (number) => shop.call('POST', kPath, { body: { account_number: number } });
async function home(options = {}) {
  const page = await openPage(browser, { viewport: phone, ...options });
  page.asked = [];
  page.on('request', (one) => {
    if (one.url().endsWith(kPath)) page.asked.push(one.postDataJSON().account_number);
  });
  await page.goto(`${shop.origin}/`);
  await by(page, 'kind-airtime').waitFor();
  return page;
}
async function type(page, number) {
  await by(page, 'phone-input').fill(number);
  await page.waitForSelector('[data-test="phone-verdict"][data-verdict="valid"]:visible');
}
const choice = (page, is) => page.locator(`[data-test^="operator-"][aria-checked="${is}"]:visible`).first().getAttribute('data-test');
const chosen = (page) => choice(page, true);

test('X09: the shop says whose number it is, honestly when nobody knows, and in time when a supplier is slow', async () => {
  const known = (await ask('+66812345678')).json;
  assert.deepEqual([known.answer, known.country], ['network', 'TH']);
  assert.match(known.operator_id, /^th-/);
  assert.notEqual((await ask('+66812349083')).json.operator_id, known.operator_id, 'it has moved');
  assert.deepEqual((await ask('+66812349081')).json, { answer: 'unknown', country: 'TH', operator_id: '' });
  assert.equal((await ask('+66812349084')).json.answer, 'unknown', 'an operator that is not sold is no answer');
  const from = Date.now();
  assert.equal((await ask('+66812349082')).json.answer, 'not_asked');
  assert.ok(Date.now() - from < 20_000, 'the supplier holds its answer for 20 s, the shop does not wait for it');
  const wrong = await ask('+6681');
  assert.deepEqual([wrong.status, wrong.json.reason], [422, 'account_number_invalid']);
  const text = (await shop.call('GET', '/metrics')).text;
  assert.match(text, /number_lookups_total\{supplier="(reloadly|dtone)",outcome="network"\} [1-9]/);
});

test('X09: a number abroad preselects its operator in the browser; a choice by hand stands', async () => {
  const { operator_id: wanted } = (await ask('+66812345678')).json;
  const page = await home();
  await type(page, '+66 81 234 5678');
  await by(page, 'operator-hint').waitFor();
  assert.equal(await by(page, 'operator-hint').innerText(), '按网络查询预选，请核对。');
  assert.equal(await chosen(page), `operator-${wanted}`);
  await picture(page, 'operator-lookup-01-preselected');

  const other = await choice(page, false);
  await by(page, other).click();
  await page.locator('[data-test="operator-hint"]').waitFor({ state: 'hidden' });
  await by(page, 'operator-change').click();
  assert.equal(await chosen(page), other);
  await type(page, '+66 81 234 5679');
  assert.equal(await chosen(page), other, 'what was chosen by hand stands for a number that is corrected');
  await by(page, 'phone-input').fill('');
  await type(page, '+66 81 234 9083');
  await by(page, 'operator-hint').waitFor();
  assert.equal(await chosen(page), `operator-${(await ask('+66812349083')).json.operator_id}`, 'another number, another hint');
  assert.deepEqual(page.asked, ['+66812345678', '+66812349083'], 'each is asked about once');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('X09: without an answer the list is there as ever, and nothing is said', async () => {
  const page = await home({ locale: 'en-US' });
  await page.route(`**${kPath}`, (route) => route.fulfill({ status: 503, contentType: 'application/problem+json',
    body: JSON.stringify({ reason: 'overloaded', status: 503, trace_id: 'abcdef' }) }));
  await type(page, '+66 81 234 5678');
  await until('the page has asked', async () => page.asked.length === 1);
  await by(page, 'operator-th-ais').click();
  await by(page, 'face-10000').click();
  assert.equal(await page.locator('[data-test="operator-hint"]:visible').count(), 0);
  assert.equal(await by(page, 'go-confirm').isEnabled(), true);
  await page.context().close();
});

test('X09: no line of the log has a number that was looked up', () => {
  const log = readFileSync(join(shop.data, 'topup.log'), 'utf8');
  assert.match(log, /"outbound"/, 'a slow look-up has left its line');
  assert.ok(!/8123(4567|4900|4908)/.test(log));
});
