// The home page laid out in the console as buyers get it: blocks, themes, pictures, versions and the way back (F081, F082), who
// may do it, what is refused, and that nothing but this server's own pages can frame any of it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Shop, until } from './support/shop.mjs';

const kHostile = `<img src=x onerror="window.ran=1"><script>window.ran=1</script>{{7*7}}javascript:alert(1)`;
const kPng = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
let shop;
let browser;
let owner;

async function signIn(name, password) {
  const got = await shop.call('POST', '/api/admin/session', { body: { name, password } });
  assert.equal(got.status, 200, got.text);
  const person = { cookie: got.headers.get('set-cookie').split(';')[0] };
  person.call = (method, path, body) =>
    shop.call(method, path, { body, headers: { cookie: person.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  return person;
}
async function hire(name, roles) {
  const added = await owner.call('POST', '/api/admin/staff', { name, roles });
  const person = await signIn(name, added.json.password);
  const changed = await person.call('POST', '/api/admin/session/password', { old_password: added.json.password, new_password: 'tidies up after lunch 7' });
  person.cookie = changed.headers.get('set-cookie').split(';')[0];
  return person;
}

const block = (kind, more = {}, id = kind) => ({ id, kind, hidden: false, from_ms: 0, until_ms: 0, ...more });
const said = (zh, en = '') => ({ zh, en });
const kPlain = ['recipient', 'recents', 'amounts', 'promise'];
const pageOf = (blocks, theme = 'ink') => ({ schema: 1, theme, blocks });
const withBlocks = (...more) => pageOf([...more, ...kPlain.map((kind) => block(kind))]);
const desk = async () => (await owner.call('GET', '/api/admin/decoration')).json;
const save = async (page, who = owner) => who.call('POST', '/api/admin/decoration/versions', { based_on: (await desk()).newest_version, note: '', page });
const show = async (version) => owner.call('POST', '/api/admin/decoration/publication', { version, seen: (await desk()).shown_version });
async function published(page) {
  const saved = await save(page);
  assert.equal(saved.status, 201, saved.text);
  const done = await show(saved.json.version);
  assert.equal(done.status, 200, done.text);
  return saved.json.version;
}
const orderOf = (page) => page.locator('[data-block]').evaluateAll((all) => all.map((one) => one.getAttribute('data-block')));

before(async () => {
  shop = await Shop.start({});
  owner = await signIn('owner', shop.password);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

test('F081: without a published page home is as it comes, in its order', async () => {
  assert.deepEqual((await shop.call('GET', '/api/v1/decoration')).json, { schema: 1, version: 0, theme: 'ink', blocks: [] });
  assert.deepEqual((await shop.call('GET', '/api/v1/shop')).json.decoration, { version: 0, theme: 'ink' });
  const page = await openPage(browser);
  await page.goto(`${shop.origin}/`);
  await by(page, 'face-10000').waitFor();
  assert.deepEqual(await orderOf(page), kPlain);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('F081: what is no page is refused: unknown kinds, addresses, markup of links, pictures nobody has, a page nobody can buy on', async () => {
  const reason = async (page) => (await save(page)).json.reason;
  const banner = (picture, link = '') => withBlocks(block('banner', { items: [{ picture, title: said(''), link }] }));
  assert.equal(await reason(withBlocks(block('iframe'))), 'page_malformed');
  assert.equal(await reason(withBlocks(block('notice', { text: said('去'), link: 'javascript:alert(1)' }))), 'page_malformed');
  assert.equal(await reason(withBlocks(block('notice', { text: said('去'), link: 'https://example.com' }))), 'page_malformed');
  assert.equal(await reason(withBlocks(block('text', { title: said(''), body: said('文'), style: 'x' }))), 'page_malformed');
  assert.equal(await reason(withBlocks(block('coupons'), block('coupons', {}, 'second'))), 'page_malformed');
  assert.equal(await reason(pageOf(kPlain.map((kind) => block(kind)), 'neon')), 'page_malformed');
  assert.equal(await reason(banner('../../etc/passwd')), 'page_malformed');
  assert.equal(await reason(banner('0123456789abcdef0123456789abcdef')), 'picture_not_found');
  assert.equal(await reason(pageOf([block('amounts')])), 'page_block_needed');
  assert.equal(await reason(pageOf([block('amounts'), block('recipient', { hidden: true })])), 'page_block_needed');
  assert.equal((await desk()).newest_version, 0, 'nothing of it was kept');
});

test('F082: every theme of the pages is known to the server, and the first page that is sent already says which is worn', async () => {
  const { readFileSync } = await import('node:fs');
  const names = [...readFileSync(new URL('../../web/api/themes.ts', import.meta.url), 'utf8').matchAll(/^  (\w+): \{ brand/gm)].map(([, name]) => name);
  assert.deepEqual([...(await desk()).themes].sort(), names.sort());
  await published(pageOf(kPlain.map((kind) => block(kind)), 'harbour'));
  const html = await shop.call('GET', '/');
  assert.match(html.text, /<html data-look="harbour"/);
  const again = await shop.call('GET', '/', { headers: { 'if-none-match': html.headers.get('etag') } });
  assert.equal(again.status, 304);
  const page = await openPage(browser);
  await page.addInitScript(() => {
    window.seen = [];
    new MutationObserver(() => {
      const button = document.querySelector('[data-test="go-confirm"]');
      if (button) window.seen.push(getComputedStyle(document.documentElement).getPropertyValue('--brand').trim());
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(`${shop.origin}/`);
  await by(page, 'face-10000').waitFor();
  assert.deepEqual([...new Set(await page.evaluate(() => window.seen))], ['#0b57a4'], 'never another colour before it');
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--brand').trim()), '#8cc4ff');
  await page.emulateMedia({ colorScheme: 'light' });
  await published(pageOf(kPlain.map((kind) => block(kind)), 'plum'));
  await until('an open page changes its theme by itself', () =>
    page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--brand').trim() === '#6d3a8c'), 20_000);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('F081: pictures are what their bytes say, are kept once, and one in use stays', async () => {
  const add = (bytes, title = '图') => owner.call('POST', '/api/admin/pictures', { title, bytes });
  const text = (value) => Buffer.from(value).toString('base64');
  assert.equal((await add(text('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'))).json.reason, 'picture_kind_unknown');
  assert.equal((await add(text('GIF89a<script>alert(1)</script>'))).json.reason, 'picture_kind_unknown');
  const flood = Buffer.from(kPng, 'base64');
  flood.writeUInt32BE(60_000, 16);
  assert.equal((await add(flood.toString('base64'))).json.reason, 'picture_too_large');
  assert.equal((await add(Buffer.alloc(200_001).toString('base64'))).status, 422);
  const added = await add(kPng);
  assert.equal(added.status, 201, added.text);
  assert.equal((await add(kPng)).json.picture, added.json.picture, 'the same bytes are the same picture');
  const got = await fetch(`${shop.origin}/static/pictures/${added.json.picture}`);
  assert.equal(got.headers.get('content-type'), 'image/png');
  assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
  assert.match(got.headers.get('cache-control'), /immutable/);
  assert.match(got.headers.get('content-security-policy'), /default-src 'none'; sandbox/);
  assert.equal(Buffer.from(await got.arrayBuffer()).toString('base64'), kPng);
  const spare = await add(Buffer.concat([Buffer.from(kPng, 'base64'), Buffer.from('x')]).toString('base64'), '备用');
  await published(withBlocks(block('banner', { items: [{ picture: added.json.picture, title: said(''), link: '' }] })));
  assert.equal((await owner.call('POST', `/api/admin/pictures/${added.json.picture}/removal`)).json.reason, 'picture_in_use');
  const left = await owner.call('POST', `/api/admin/pictures/${spare.json.picture}/removal`);
  assert.deepEqual(left.json.pictures.map((one) => one.picture), [added.json.picture]);
});

test('A-11, F081: hostile words on a banner, a notice and a text are words; the page works, also without a network', async () => {
  const { pictures } = (await owner.call('GET', '/api/admin/pictures')).json;
  await published(withBlocks(
    block('banner', { items: [{ picture: pictures[0].picture, title: said(kHostile), link: 'help' }, { picture: 'sun', title: said('充话费'), link: 'airtime' }] }),
    block('notice', { text: said(kHostile), link: 'orders' }),
    block('text', { title: said(kHostile), body: said(`# ${kHostile}\n- ${kHostile}`) }),
    block('entries', { items: [{ link: 'orders', title: said('') }, { link: 'help', title: said('求助') }] }),
    block('products', { title: said('热门'), items: [{ product: 'cn-mobile-10000', operator: 'cn-mobile' }, { product: 'gone', operator: 'cn-mobile' }] }),
    block('countries', { title: said('国家'), items: ['CN', 'ZZ'] }),
    block('contact'),
    block('text', { title: said(''), body: said('还没到') , from_ms: Date.now() + 3_600_000 }, 'later'),
    block('text', { title: said(''), body: said('藏起来') , hidden: true }, 'hidden'),
  ));
  const answer = (await shop.call('GET', '/api/v1/decoration')).text;
  assert.ok(!answer.includes('藏起来'), 'what is hidden stays at the desk');
  const page = await openPage(browser, { expected: [/ERR_INTERNET_DISCONNECTED|Failed to load resource/] });
  await page.goto(`${shop.origin}/`);
  await by(page, 'block-banner').waitFor();
  await by(page, 'block-notice').waitFor();
  assert.ok((await by(page, 'block-notice').innerText()).includes('<script>'));
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.locator('[data-block] script, [data-block] img[onerror]').count(), 0);
  assert.ok(!(await page.locator('body').innerText()).includes('还没到'));
  await by(page, 'pick-CN').waitFor();
  assert.equal(await page.locator('[data-test="pick-gone"], [data-test="pick-ZZ"]').count(), 0, 'what is not sold is left out');
  await by(page, 'pick-cn-mobile-10000').click();
  await by(page, 'face-10000').waitFor();
  assert.equal(await by(page, 'face-10000').getAttribute('aria-checked'), 'true');
  await picture(page, 'decoration-client-390');
  await by(page, 'entry-help').click();
  await page.waitForURL(/help/);
  await page.goBack();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.reload();
  await by(page, 'block-banner').waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll('[data-test="block-banner"] img')].every((one) => one.complete));
  await page.context().setOffline(true);
  await page.reload();
  await by(page, 'block-banner').waitFor();
  await page.waitForFunction(() => document.querySelector('[data-test="block-banner"] img')?.naturalWidth > 0);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('F081: a kind of block that is newer than the page is left out, and a page of another schema leaves home as it comes', async () => {
  const page = await openPage(browser);
  const answer = { schema: 1, version: 900, theme: 'ink', blocks: [block('hologram', { rays: 3 }), ...kPlain.map((kind) => block(kind))] };
  let served = answer;
  await page.route('**/api/v1/decoration', (route) => route.fulfill({ json: served }));
  await page.goto(`${shop.origin}/`);
  await until('the page is laid out', async () => (await orderOf(page)).includes('hologram'));
  assert.equal(await page.locator('[data-block="hologram"] *').count(), 0);
  await by(page, 'face-10000').waitFor();
  await page.evaluate(() => localStorage.clear());
  served = { ...answer, schema: 2 };
  await page.reload();
  await by(page, 'face-10000').waitFor();
  assert.deepEqual(await orderOf(page), kPlain);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});

test('F081: whoever may only read reads; whoever saves on top of something unseen is told; going back is one step and audited', async () => {
  const auditor = await hire('auditor', ['auditor']);
  assert.equal((await auditor.call('GET', '/api/admin/decoration')).status, 200);
  for (const [path, body] of [
    ['/api/admin/decoration/versions', { based_on: 0, page: withBlocks() }],
    ['/api/admin/decoration/publication', { version: 0, seen: 0 }],
    ['/api/admin/pictures', { title: 'x', bytes: kPng }],
    ['/api/admin/pictures/0123456789abcdef0123456789abcdef/removal', undefined],
  ]) {
    const got = await auditor.call('POST', path, body);
    assert.deepEqual([got.status, got.json.reason], [403, 'permission_missing'], path);
  }
  assert.equal((await owner.call('POST', '/api/admin/decoration/versions', { based_on: 0, page: withBlocks() })).json.reason, 'page_changed');
  assert.equal((await owner.call('POST', '/api/admin/decoration/publication', { version: 1, seen: 999 })).json.reason, 'page_changed');
  const before = (await desk()).shown_version;
  assert.equal((await show(1)).status, 200);
  assert.equal((await shop.call('GET', '/api/v1/decoration')).json.version, 1);
  assert.equal((await show(0)).status, 200);
  assert.deepEqual((await shop.call('GET', '/api/v1/decoration')).json.blocks, []);
  assert.equal((await show(before)).status, 200);
  const { rows } = (await owner.call('GET', '/api/admin/audit?action=decoration.published')).json;
  assert.ok(rows.some((row) => row.detail === `0 to ${before}` && row.before === '0' && row.after === String(before)), JSON.stringify(rows[0]));
});

test('F081: only /preview may be framed, and only by this server; another site\'s frame of it stays empty', async () => {
  for (const path of ['/', '/index.html', '/admin/', '/admin/decoration']) {
    const got = await shop.call('GET', path);
    assert.equal(got.headers.get('x-frame-options'), 'DENY', path);
    assert.match(got.headers.get('content-security-policy'), /frame-ancestors 'none'/, path);
  }
  const preview = await shop.call('GET', '/preview');
  assert.equal(preview.headers.get('x-frame-options'), 'SAMEORIGIN');
  assert.match(preview.headers.get('content-security-policy'), /frame-ancestors 'self'/);
  const policy = (got) => got.headers.get('content-security-policy').replace(/frame-ancestors '\w+'/, '');
  assert.equal(policy(preview), policy(await shop.call('GET', '/')), 'nothing else is wider');

  const thief = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<iframe id="f" src="${shop.origin}/preview"></iframe>`);
  });
  await new Promise((done) => thief.listen(0, '127.0.0.1', done));
  const page = await openPage(browser, { expected: [/frame/i, /refused/i] });
  await page.goto(`http://127.0.0.1:${thief.address().port}/`);
  const frame = page.frames().find((one) => one !== page.mainFrame());
  await until('the browser refused the frame', () => frame.url().startsWith('chrome-error:'));
  await page.context().close();
  thief.close();
});

test('F081, F082: in the console blocks are moved, added and set up beside the real page, published, and taken back', { timeout: 120_000 }, async () => {
  const page = await openPage(browser, { viewport: desktop, expected: [/status of 401/] });
  await page.goto(`${shop.origin}/admin/decoration`);
  await by(page, 'login-name').fill('owner');
  await by(page, 'login-password').fill(shop.password);
  await by(page, 'login-submit').click();
  await by(page, 'open-0').click();
  await until('the plain page is the draft', async () => (await page.locator('[data-test="block"]').count()) === 4);
  const frame = page.frameLocator('[data-test="preview"]');
  await page.locator('[data-test="preview"][data-ready="true"]').waitFor();
  const previewed = () => frame.locator('[data-block]').evaluateAll((all) => all.map((one) => one.getAttribute('data-block')));
  await until('the preview shows the draft', async () => (await previewed()).join() === kPlain.join());

  const row = (kind) => page.locator(`[data-test="block"][data-kind="${kind}"]`);
  await row('amounts').locator('[data-test="block-up"]').focus();
  await page.keyboard.press('Enter');
  await until('moved by the keyboard', async () => (await previewed()).join() === 'recipient,amounts,recents,promise');
  assert.equal(await page.evaluate(() => document.activeElement?.closest('[data-kind]')?.getAttribute('data-kind')), 'amounts', 'and the focus went along');
  await row('promise').dragTo(row('recipient'));
  await until('dragged', async () => (await previewed())[0] === 'promise');
  await by(page, 'add-banner').click();
  await by(page, 'banner-title-0-zh').fill('春节充值');
  await by(page, 'picture-0-hills').click();
  await frame.locator('[data-test="block-banner"]', { hasText: '春节充值' }).waitFor();
  await by(page, 'theme-of-shop-brick').click();
  await until('the theme is previewed', () => frame.locator('html').evaluate((html) => getComputedStyle(html).getPropertyValue('--brand').trim() === '#86421f'));
  await row('recents').locator('[data-test="block-hide"]').click();
  await until('hidden', async () => !(await previewed()).includes('recents'));
  await frame.locator('[data-test="face-10000"]').click();
  assert.equal(await frame.locator('[data-test="face-10000"]').getAttribute('aria-checked'), 'false', 'nothing is pressed in a preview');
  await until('a press selects its block', async () => (await row('amounts').getAttribute('class')).includes('on'));
  await row('banner').locator('[data-test="block-pick"]').click();
  await picture(page, 'decoration-1440');
  await by(page, 'preview-en').click();
  await by(page, 'preview-dark').click();
  await frame.locator('html[lang="en"][data-theme="dark"]').waitFor();

  const before = (await desk()).shown_version;
  await by(page, 'note').fill('spring');
  await by(page, 'publish').click();
  await until('buyers get it', async () => (await shop.call('GET', '/api/v1/decoration')).json.version > before);
  const live = (await shop.call('GET', '/api/v1/decoration')).json;
  assert.deepEqual(live.blocks.map((one) => one.kind), ['banner', 'promise', 'recipient', 'amounts']);
  assert.equal(live.theme, 'brick');
  await by(page, `publish-${before}`).click();
  await until('taken back', async () => (await shop.call('GET', '/api/v1/decoration')).json.version === before);
  assert.equal(await page.evaluate(() => localStorage.getItem('topup.decoration')), null, 'the preview keeps nothing on this device');

  for (const [name, viewport, colorScheme] of [['decoration-390', phone, 'light'], ['decoration-1440-dark-en', desktop, 'dark']]) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    if (colorScheme === 'dark') await by(page, 'language').click();
    await picture(page, name);
  }
  await page.setViewportSize(desktop);
  await page.goto(`${shop.origin}/admin/me`);
  await by(page, 'my-theme-lagoon').click();
  const brand = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--brand').trim());
  assert.equal(await brand(), '#7fd3dd');
  await page.reload();
  await by(page, 'my-theme-lagoon').waitFor();
  assert.equal(await brand(), '#7fd3dd', 'a theme of one\'s own stays');
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});
