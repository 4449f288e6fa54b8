// Announcements, help, contacts, agreements and pictures at the console's desk, as staff writes them and buyers read them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone, picture } from './support/browser.mjs';
import { Shop, until } from './support/shop.mjs';

const kHostile = '<script>window.ran=1</script><img src=x onerror=window.ran=1>';
const kPng = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
let shop;
let browser;
let owner;
let page;

async function signIn(name, password) {
  const got = await shop.call('POST', '/api/admin/session', { body: { name, password } });
  assert.equal(got.status, 200, got.text);
  const person = { cookie: got.headers.get('set-cookie').split(';')[0] };
  person.call = (method, path, body) =>
    shop.call(method, path, { body, headers: { cookie: person.cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  return person;
}
async function enter(browserPage, name, password) {
  await browserPage.goto(`${shop.origin}/admin/content`);
  await by(browserPage, 'login-name').fill(name);
  await by(browserPage, 'login-password').fill(password);
  await by(browserPage, 'login-submit').click();
  await by(browserPage, 'tab-announcement').waitFor();
}
const shown = async (kind) => (await shop.call('GET', `/api/v1/content?kind=${kind}`)).json.documents;
const history = async (document) => (await owner.call('GET', `/api/admin/content/${document}`)).json;

before(async () => {
  shop = await Shop.start({});
  owner = await signIn('owner', shop.password);
  browser = await openBrowser();
  page = await openPage(browser, { viewport: desktop, expected: [/status of 401/] });
  await enter(page, 'owner', shop.password);
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

test('F073, A-11: an announcement is written in two languages, previewed as the buyer sees it, and shown on its pages and no other', async () => {
  await by(page, 'text-new').click();
  await by(page, 'text-name').fill('storm');
  await by(page, 'text-title-zh').fill(`台风 ${kHostile}`);
  await by(page, 'text-title-en').fill('Storm');
  await by(page, 'text-body-zh').fill(`# 影响\n- ${kHostile}\n\n{shop} 照常营业。`);
  await by(page, 'topic-orders').check();
  const frame = page.frameLocator('[data-test="preview"]');
  await frame.locator('[data-test="announcement"]', { hasText: '台风 <script>' }).waitFor();
  await picture(page, 'content-announcement-1440');
  await by(page, 'text-publish').click();
  await by(page, 'text-shown').waitFor();
  const [one] = await shown('announcement');
  assert.deepEqual([one.document, one.version, one.topics], ['storm', 1, ['orders']]);

  const buyer = await openPage(browser);
  await buyer.goto(`${shop.origin}/`);
  await by(buyer, 'face-10000').waitFor();
  assert.equal(await buyer.locator('[data-test="announcement"]').count(), 0, 'not at home');
  await by(buyer, 'tab-orders').click();
  await by(buyer, 'announcement').waitFor();
  await by(buyer, 'announcement-more').click();
  assert.equal(await buyer.evaluate(() => window.ran), undefined);
  assert.equal(await frame.locator('body').evaluate(() => window.ran), undefined);
  assert.deepEqual(buyer.complaints(), []);
  await buyer.context().close();
});

test('F073: an announcement has its time, and is taken down with one press', async () => {
  await by(page, 'text-until').fill('2020-01-01T00:00');
  await by(page, 'text-from').fill('2019-01-01T00:00');
  await by(page, 'text-publish').click();
  await until('it is over', async () => (await shown('announcement')).length === 0);
  assert.equal((await history('storm')).shown_version, 2);
  await by(page, 'text-publish-1').click();
  await until('back', async () => (await shown('announcement')).length === 1);
  await by(page, 'text-withdraw').click();
  await until('down', async () => (await shown('announcement')).length === 0);
  await by(page, 'text-close').click();
  await by(page, 'text-storm').waitFor();
});

test('F092: an agreement gets a new version, what changed is told, buyers read the new one, and going back is one press', async () => {
  await by(page, 'tab-agreement').click();
  await by(page, 'edit-terms').click();
  const frame = page.frameLocator('[data-test="preview"]');
  await frame.locator('[data-test="agreement"]', { hasText: '充值' }).first().waitFor();
  assert.equal(await page.locator('[data-test="text-withdraw"]').count(), 0, 'an agreement is replaced, never taken away');
  const text = await by(page, 'text-body-zh').inputValue();
  await by(page, 'text-body-zh').fill(`${text.trim()}\n- 新加的一条。`);
  await frame.locator('[data-test="agreement"]', { hasText: '新加的一条' }).waitFor();
  await by(page, 'text-save').click();
  await by(page, 'diff-2').click();
  const added = await page.locator('[data-test="text-diff"] .new').allInnerTexts();
  assert.equal(added.length, 1, added.join('\n'));
  assert.match(added[0], /新加的一条/);
  assert.equal((await shop.call('GET', '/api/v1/shop')).json.agreements.terms, 1, 'a draft is nobody\'s business');
  await picture(page, 'content-agreement-1440');
  await by(page, 'text-publish-2').click();
  await until('buyers are asked for it', async () => (await shop.call('GET', '/api/v1/shop')).json.agreements.terms === 2);
  await by(page, 'text-publish-1').click();
  await until('back', async () => (await shop.call('GET', '/api/v1/shop')).json.agreements.terms === 1);
  const { rows } = (await owner.call('GET', '/api/admin/audit?action=content.published')).json;
  assert.ok(rows.some((row) => row.subject === 'terms' && row.detail === '2 to 1'), JSON.stringify(rows.slice(0, 3)));
});

test('whoever saves after somebody else is told so, and loses nothing that was typed', async () => {
  const body = { based_on: 2, kind: 'agreement', place: 10, title_zh: '用户协议', body_zh: '别人写的' };
  assert.equal((await owner.call('POST', '/api/admin/content/terms/versions', body)).status, 201);
  await by(page, 'text-title-en').fill('Terms, mine');
  const said = page.waitForResponse((one) => one.url().endsWith('/versions') && one.status() === 409);
  page.complaints = ((before) => () => before().filter((line) => !/status of 409/.test(line)))(page.complaints);
  await by(page, 'text-save').click();
  await said;
  await by(page, 'text-problem').waitFor();
  assert.equal(await by(page, 'text-title-en').inputValue(), 'Terms, mine');
  page.once('dialog', (dialog) => dialog.accept());
  await by(page, 'text-close').click();
});

test('the preview beside a text never takes the caret from the desk', async () => {
  await by(page, 'tab-announcement').click();
  await by(page, 'edit-storm').click();
  const body = page.frameLocator('[data-test="preview"]').locator('body');
  const stands = () => body.evaluate((now) => !window.isOld && document.getElementById('opening') === null
    && now.querySelector('[data-test="phone-input"]') !== null);
  await until('the preview stands', stands);
  await by(page, 'text-title-en').focus();
  await body.evaluate(() => { window.isOld = true; window.location.reload(); });
  await until('it stands again', () => stands().catch(() => false /* between the two */));
  assert.equal(await page.evaluate(() => document.activeElement.dataset.test), 'text-title-en');
  await by(page, 'text-close').click();
});

test('F087: help is listed by its topics and contacts are edited; both at 390 px, in the dark and in English', async () => {
  await by(page, 'tab-contacts').click();
  await by(page, 'edit-contacts').click();
  await by(page, 'text-body-en').fill('- Hours: always');
  await by(page, 'text-publish').click();
  const problem = page.locator('[data-test="text-problem"]');
  assert.equal(await until('published, or told why not', async () => ((await shown('contacts'))[0].body.en === '- Hours: always' ? 'published'
    : (await problem.count()) > 0 && problem.innerText())), 'published');
  await by(page, 'tab-help').click();
  await by(page, 'edit-help_refund').waitFor();
  await picture(page, 'content-help-1440');
  await page.setViewportSize(phone);
  await page.emulateMedia({ colorScheme: 'dark' });
  await by(page, 'language').click();
  await picture(page, 'content-help-390-dark-en');
  await by(page, 'edit-help_refund').click();
  assert.ok(await by(page, 'topic-failed').isChecked());
  await picture(page, 'content-edit-390-dark-en');
  await by(page, 'language').click();
  await by(page, 'text-close').click();
  await page.setViewportSize(desktop);
  await page.emulateMedia({ colorScheme: 'light' });
});

test('a picture is uploaded and taken away; one too large or of another kind is not', async () => {
  const file = (name, bytes) => { const path = join(shop.data, name); writeFileSync(path, bytes); return path; };
  await by(page, 'tab-pictures').click();
  await by(page, 'picture-file').setInputFiles(file('large.png', Buffer.alloc(200_001)));
  assert.ok(await by(page, 'picture-upload').isDisabled());
  await by(page, 'picture-file').setInputFiles(file('fake.png', '<svg onload="alert(1)"/>'));
  page.complaints = ((before) => () => before().filter((line) => !/status of 422/.test(line)))(page.complaints);
  await by(page, 'picture-upload').click();
  await by(page, 'picture-problem').waitFor();
  await by(page, 'picture-file').setInputFiles(file('dot.png', kPng));
  await by(page, 'picture-title').fill('一点');
  await by(page, 'picture-upload').click();
  await page.locator('[data-test="picture"]', { hasText: '一点' }).waitFor();
  await picture(page, 'content-pictures-1440');
  await by(page, 'picture-remove').click();
  await until('it is gone', async () => (await page.locator('[data-test="picture"]').count()) === 0);
  assert.deepEqual(page.complaints(), []);
});

test('an auditor reads every text and is offered nothing that changes one', async () => {
  const added = await owner.call('POST', '/api/admin/staff', { name: 'auditor', roles: ['auditor'] });
  const person = await signIn('auditor', added.json.password);
  const password = 'tidies up after lunch 7';
  await person.call('POST', '/api/admin/session/password', { old_password: added.json.password, new_password: password });
  const reader = await openPage(browser, { viewport: desktop, expected: [/status of 401/] });
  await enter(reader, 'auditor', password);
  assert.equal(await reader.locator('[data-test="text-new"]').count(), 0);
  await by(reader, 'tab-agreement').click();
  await by(reader, 'edit-terms').click();
  await by(reader, 'text-version-1').waitFor();
  assert.ok(await by(reader, 'text-title-zh').isDisabled());
  assert.equal(await reader.locator('[data-test="text-save"], [data-test^="text-publish"], [data-test^="take-"]').count(), 0);
  await reader.goto(`${shop.origin}/admin/decoration`);
  await by(reader, 'open-0').waitFor();
  assert.equal(await reader.locator('[data-test="save"], [data-test="publish"], [data-test^="add-"], [data-test="block-up"], [data-test^="publish-"]').count(), 0);
  assert.deepEqual(reader.complaints(), []);
  await reader.context().close();
});
