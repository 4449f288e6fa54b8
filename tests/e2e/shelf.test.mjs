// Beside the price rules: exchange rates by hand, how products are shown, drafts that wait on the server, one station at a
// time: at the console's pages and past them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { by, openBrowser, phone, picture } from './support/browser.mjs';
import { Colleague, leave } from './support/colleagues.mjs';
import { Shop, until } from './support/shop.mjs';

let shop;
let browser;
let owner;
let dora; // finance director: prices
let cat; // catalogue

before(async () => {
  shop = await Shop.start({});
  browser = await openBrowser();
  owner = await Colleague.owner(shop);
  dora = await owner.hire('dora', ['finance_director']);
  cat = await owner.hire('cat', ['catalog']);
});
after(async () => {
  await browser?.close();
  const how = await shop?.stop();
  shop?.cleanup();
  assert.equal(how?.code, 0);
});

test('a rate is set by hand with its source and validity; a slip is refused; who may not sees no button', async () => {
  const { rates, most_drift_bp: drift } = await dora.get('/api/admin/rates');
  const usd = rates.find((one) => one.currency === 'USD');
  assert.equal(usd.source, 'configuration');
  assert.equal(drift, 1_000);
  const page = await dora.open(browser, '/suppliers');
  await by(page, 'rate-set-USD').click();
  await by(page, 'rate-value').fill(String(Number(usd.rate) * 10));
  await by(page, 'rate-source').fill('bank board');
  assert.equal(await by(page, 'rate-go').isDisabled(), true, 'no rate without a reason');
  await by(page, 'rate-reason').fill('weekly look');
  await by(page, 'rate-go').click();
  await by(page, 'rate-refused').waitFor();
  assert.equal((await dora.get('/api/admin/rates')).rates.find((one) => one.currency === 'USD').source, 'configuration');
  const wanted = (Number(usd.rate) * 1.05).toFixed(4);
  await by(page, 'rate-value').fill(wanted);
  await picture(page, 'shelf-rates');
  await by(page, 'rate-go').click();
  await by(page, 'rate-told').waitFor();
  const now = (await dora.get('/api/admin/rates')).rates.find((one) => one.currency === 'USD');
  assert.equal(Number(now.rate), Number(wanted));
  assert.deepEqual([now.source, now.reason, now.is_stale, now.history.length], ['bank board', 'weekly look', false, 1]);
  assert.ok(now.valid_until_ms > Date.now() + 6 * 86_400_000);
  await page.setViewportSize(phone);
  await picture(page, 'shelf-rates-phone');
  await leave(page);

  await cat.isRefused(['POST', '/api/admin/rates', { currency: 'USD', rate: wanted, valid_days: 1, source: 'x', reason: 'x' }]);
  const theirs = await cat.open(browser, '/suppliers');
  await by(theirs, 'rate-USD').waitFor();
  assert.equal(await theirs.locator('[data-test="rate-set-USD"]').count(), 0);
  await leave(theirs);
  for (const [body, field] of [[{ currency: 'ZZZ' }, 'currency'], [{ rate: '1e3' }, 'rate'], [{ valid_days: 93 }, 'valid_days'], [{ rate: '-7' }, 'rate']]) {
    const got = await dora.call('POST', '/api/admin/rates', { currency: 'USD', rate: wanted, valid_days: 7, source: 'x', reason: 'x', ...body });
    assert.equal(got.status, 400, `${field}: ${got.text}`);
  }
});

test('labels, place and other names of a product are set at its row and reach every page', async () => {
  const id = 'cn-mobile-10000';
  const page = await cat.open(browser, '/products');
  await by(page, 'goods-search').fill(id);
  await by(page, `note-${id}`).click();
  await by(page, 'note-form').waitFor();
  await by(page, 'label-hot').check();
  await by(page, 'label-value').check();
  assert.equal(await by(page, 'label-new').isDisabled(), true, 'two labels and no more');
  await by(page, 'note-place').fill('1');
  await by(page, 'note-aliases').fill('一百\nhundred\n一百\n');
  await picture(page, 'shelf-note');
  await by(page, 'note-save').click();
  await by(page, 'note-form').waitFor({ state: 'hidden' });
  assert.match(await page.locator(`[data-test="product-${id}"]`).innerText(), /热门 · 超值/);
  await leave(page);
  const got = await shop.call('GET', '/api/v1/product-notes');
  assert.deepEqual(got.json.products, [{ product_id: id, labels: ['hot', 'value'], place: 1, aliases: ['一百', 'hundred'] }]);
  const again = await shop.call('GET', '/api/v1/product-notes', { headers: { 'if-none-match': got.headers.get('etag') } });
  assert.equal(again.status, 304);
  const note = { product_id: id, labels: [], place: 0, aliases: [] };
  assert.equal((await cat.call('POST', '/api/admin/catalog/notes', { ...note, product_id: 'nobody-sells-this' })).json.reason, 'product_unknown');
  assert.equal((await cat.call('POST', '/api/admin/catalog/notes', { ...note, labels: ['free'] })).json.reason, 'out_of_range');
  await dora.isRefused(['POST', '/api/admin/catalog/notes', note]);
  assert.equal((await cat.call('POST', '/api/admin/catalog/notes', note)).json.changed, true);
  assert.deepEqual((await shop.call('GET', '/api/v1/product-notes')).json.products, []);
});

test('a draft of the rules waits on the server for its author, and is gone once published', async () => {
  const page = await dora.open(browser, '/price-rules');
  await by(page, 'rule-add').waitFor();
  let letThrough;
  const held = new Promise((done) => { letThrough = done; });
  await page.route('**/api/admin/price-rules', async (route) => { await held; await route.continue(); });
  await page.reload();
  await page.locator('h1').waitFor();
  assert.equal(await by(page, 'rule-add').count(), 0, 'nothing can be added to rules that are still on their way');
  letThrough();
  await by(page, 'rule-add').click();
  await page.locator('.brand a').first().click();
  await page.waitForURL('**/admin/');
  await page.goBack();
  await by(page, 'draft-save').click();
  await by(page, 'draft-told').waitFor();
  const { draft } = await dora.get('/api/admin/price-rules/draft');
  const published = await dora.get('/api/admin/price-rules');
  assert.equal(draft.rules.length, published.rules.length + 1);
  assert.equal(draft.version, published.version);
  assert.equal((await owner.get('/api/admin/price-rules/draft')).draft, null, 'nobody sees another\'s');
  await cat.isRefused(['GET', '/api/admin/price-rules/draft'], ['PUT', '/api/admin/price-rules/draft', { version: 0, rules: [] }],
    ['DELETE', '/api/admin/price-rules/draft']);

  const set = await owner.get('/api/admin/price-rules');
  const other = await owner.call('POST', '/api/admin/price-rules/publish', { version: set.version, reason: 'meanwhile',
    rules: set.rules.map((rule) => (rule.id === 'default' ? { ...rule, rate_bp: 10_500 } : rule)) });
  assert.equal(other.status, 200, other.text);
  await page.reload();
  await by(page, 'draft-take').waitFor();
  assert.match(await by(page, 'draft-bar').innerText(), /发布前请对照/, 'another version was published meanwhile');
  await picture(page, 'shelf-draft');
  await by(page, 'draft-take').click();
  await by(page, 'publish').waitFor();
  await by(page, 'draft-discard').click();
  await until('the draft is gone', async () => (await dora.get('/api/admin/price-rules/draft')).draft === null);
  await leave(page);
});

test('one station is edited at its row, by the checks of a file', async () => {
  const { stations } = await owner.get('/api/admin/stations');
  const one = stations[0];
  const page = await cat.open(browser, '/stations');
  await by(page, `station-edit-${one.station_id}`).click();
  await by(page, 'station-hours').fill('whenever');
  await by(page, 'station-save').click();
  await page.locator('[data-test="station-form"] [role="alert"]').first().waitFor();
  assert.equal(await by(page, 'station-hours').getAttribute('aria-invalid'), 'true');
  await picture(page, 'shelf-station');
  await by(page, 'station-hours').fill('06:30-22:00');
  await by(page, 'station-gasoline_92').fill('7.77');
  await by(page, 'station-save').click();
  await by(page, 'station-form').waitFor({ state: 'hidden' });
  const after = (await owner.get('/api/admin/stations')).stations.find((row) => row.station_id === one.station_id);
  assert.deepEqual([after.open_minute, after.close_minute, after.prices.gasoline_92.minor], [390, 1320, 777]);
  assert.deepEqual([after.name, after.lat_e7, after.lng_e7, after.flags], [one.name, one.lat_e7, one.lng_e7, one.flags], 'the rest stayed');
  await leave(page);
});
