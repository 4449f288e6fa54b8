// Every page of the mini-program, as WeChat compiles and draws it: WeChat's compilers for templates and style sheets and its
// component framework come with miniprogram-simulate. Its own loader runs scripts with all of Node's powers and holds one page
// per process; here the scripts run in the locked engine of mini_app.mjs and all pages are drawn one after the other.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { MiniApp, Phone } from './support/mini_app.mjs';
import { built, miniPackage } from './support/mini_package.mjs';
import { compileStyles, kTags } from './support/mini_view.mjs';
import { Buyer, Shop } from './support/shop.mjs';

/** What a page cannot do without, given the order of the buyer who opens it. */
const kQueries = {
  'pages/order/order': ({ order }) => ({ id: order }),
  'pages/help/help': ({ order }) => ({ order }),
  'pages/agreement/agreement': () => ({ document: 'privacy' }),
  'pages/sign_in/sign_in': () => ({ purpose: 'bind' }),
  'pages/station/station': () => ({ id: 'no-such-station' }),
};
/** Kept on the phone, so that a page that goes on from another has something to go on with. */
const kKept = {
  'topup.checkout': { product_id: 'cn-mobile-10000', operator_id: 'cn-mobile', country: 'CN', kind: 'airtime', amount_minor: 0,
    account: '13800001234', account_again: '', key: 'k'.repeat(24), sent_fingerprint: '', order_id: '' },
};
const kChinese = /[\u4e00-\u9fff]/;
/** Names that are Chinese in both languages: those of the language itself. */
const kChineseNames = /(^| )中( |$)|中文/g;

const told = JSON.parse(readFileSync(join(built, 'app.json'), 'utf8'));
const pages = [...told.pages, ...(told.subPackages ?? told.subpackages ?? []).flatMap(({ root, pages: own }) => own.map((page) => `${root}/${page}`))];
const files = readdirSync(built, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  .map((entry) => relative(built, join(entry.parentPath ?? entry.path, entry.name)));
const ending = (end) => files.filter((file) => extname(file) === end);
const read = (file) => readFileSync(join(built, file), 'utf8');

let shop;
let root;
let order;
let app;
const phones = {};
before(async () => {
  shop = await Shop.start({ speed: 100 });
  root = await miniPackage(shop.origin);
  for (const [name, language] of [['zh', 'zh_CN'], ['en', 'en']]) phones[name] = new Phone({ person: 'page reader', language });
  const first = await MiniApp.open({ shop, root, phone: phones.zh });
  await first.see('a session', () => phones.zh.storage.has('topup.session'));
  await first.see('prices', (page) => page.find('face-10000'));
  first.close();
  for (const [key, value] of Object.entries(kKept)) phones.zh.storage.set(key, JSON.stringify(value));
  for (const [key, value] of phones.zh.storage) phones.en.storage.set(key, value);
  const buyer = new Buyer();
  buyer.shop = shop;
  buyer.token = JSON.parse(phones.zh.storage.get('topup.session')).token;
  order = (await buyer.place('13800001234')).json.order_id;
});
afterEach(() => app?.close());
after(async () => {
  assert.equal((await shop.stop()).code, 0);
  shop.cleanup();
});

for (const path of pages) {
  for (const language of ['zh', 'en']) {
    test(`${path} is drawn in ${language}, in its own words and without a complaint`, async () => {
      app = await MiniApp.open({ shop, root, phone: phones[language], path, query: kQueries[path]?.({ order }) ?? {} });
      await app.see('words', (page) => page.text().length > 10);
      await app.see('nothing is waited for', (page) => !page.waits());
      assert.equal(app.path, path, 'it stays where it was opened');
      const text = app.page.text();
      assert.doesNotMatch(text, /undefined|NaN|\[object|\{\{|Infinity/, text);
      assert.doesNotMatch(text, /(^|\s)[a-z]+\.[a-z]+_?[a-z_]*(\s|$)/, `a word without its text: ${text}`);
      if (language === 'zh') assert.match(text, kChinese);
      else assert.doesNotMatch(text.replace(kChineseNames, ''), kChinese, 'English says it in English');
      assert.deepEqual(app.problems, []);
    });
  }
}

test('templates name nothing but WeChat\'s own elements and the components they use', () => {
  for (const file of ending('.wxml')) {
    const used = Object.keys(JSON.parse(read(file.replace(/\.wxml$/, '.json'))).usingComponents ?? {});
    const tags = new Set([...read(file).matchAll(/<([a-z][\w-]*)/g)].map(([, tag]) => tag));
    for (const tag of tags) assert.ok(kTags.includes(tag) || used.includes(tag), `${file}: <${tag}>`);
  }
});

test('style sheets are ones that WeChat compiles', () => {
  assert.equal(compileStyles(built, ending('.wxss')), '');
});

test('every picture that is named lies in the package', () => {
  for (const file of [...ending('.wxml'), ...ending('.js'), ...ending('.json')]) {
    for (const [, picture] of read(file).matchAll(/["'`](\/static\/[\w./-]+\.(?:svg|png|jpg|webp))["'`]/g)) {
      assert.ok(existsSync(join(built, picture)), `${file}: ${picture}`);
    }
  }
});
