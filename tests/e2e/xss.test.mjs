// whatever somebody writes into any field, nobody's page runs it. One shop holds the whole set in every field that a
// person can write; every page of the client and of the console is opened on it. Then the same pages once more, with every
// string of every answer replaced by the whole set: what suppliers, channels and other people's browsers might say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { by, desktop, openBrowser, openPage, phone } from './support/browser.mjs';
import { Shop, sleep } from './support/shop.mjs';
import { everything, payloads, sets } from './support/xss_payloads.mjs';
import { inPage, probe } from './support/xss_probe.mjs';
import { Hostile } from './support/xss_shop.mjs';

const source = (path) => readFileSync(new URL(`../../web/${path}`, import.meta.url), 'utf8');
const clientPages = [...source('client/src/pages.json').matchAll(/"path": "([^"]+)"/g)].map(([, path]) => path);
const consolePages = [...source('admin/src/pages.ts').matchAll(/path: '([^']*)'/g)].map(([, path]) => path);
// What pages compare and compute with: a page that gets these wrong shows nothing at all, and so proves nothing.
const kMachine = /(?:^|_)(?:id|ids|at|ms|minor|bp|hash|hex|fingerprint|token|cursor|currency|state|kind|level|way|form|type|country|iso2|day|version|color|permission|permissions|roles|role|deeds|actions|allowed|deed|action|scope|party|outcome|resolution|template|account|key|topics|flags|channel|scene|scenes|checksum|url|secret|line|format|issuer|document|result)$/;
// Fields that take no such text at all, and why.
const kRefused = {
  'setting.lowest_version': ['out_of_range'],
  'setting.order_delivered_mini': ['out_of_range'],
  'setting.sms_template': ['out_of_range'],
  'rule.id': ['out_of_range'],
  'blacklist.subject': ['subject_malformed'],
  'login.name': ['credentials_wrong'],
  'coupon.code': ['coupon_code_unknown'],
};
const kShown = [
  'content.title', 'content.body', 'setting', 'product.name', 'rule.reason', 'pin.name', 'offer.name', 'campaign.name', 'station.name',
  'station.city', 'refund.wish', 'refund.reason', 'order.note', 'customer.note', 'customer.frozen', 'blacklist.reason', 'line.reason',
  'staff.name', 'r',
];

let shop;
let browser;
let hostile;
let made;
before(async () => {
  shop = await Shop.start({ speed: 100 });
  browser = await openBrowser();
  hostile = await new Hostile(shop).begin();
  await hostile.words();
  await hostile.goods();
  made = await hostile.orders();
  await hostile.offers();
  await hostile.people();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

async function buyersPage(options = {}) {
  const page = await probe(await openPage(browser, { viewport: phone, expected: [], ...options }));
  const recipients = payloads.map(({ text }, at) => ({ id: `r${at}`, name: `⟦r⟧ ${text}`, kind: 'airtime', country: 'CN', operator_id: 'cmcc',
    number: `1380000${String(1000 + at)}`, product_id: 'cn-mobile-10000', amount_minor: 0, used_at_ms: 1 }));
  await page.addInitScript(([session, names]) => {
    localStorage.setItem('topup.session', session);
    localStorage.setItem('topup.recipients', names);
  }, [JSON.stringify({ known: true, token: hostile.buyer.token, user_id: made.user }), JSON.stringify(recipients)]);
  return page;
}

async function staffsPage(options = {}) {
  const page = await probe(await openPage(browser, { viewport: desktop, expected: [], ...options }));
  const [name, value] = hostile.staff.cookie.split('=');
  await page.context().addCookies([{ name, value, url: shop.origin }]);
  return page;
}

const clientAddresses = () => [...new Set([
  ...clientPages, `pages/order/order?id=${made.delivered}`, `pages/order/order?id=${made.refused}`, 'pages/agreement/agreement?document=terms',
  'pages/help/help', 'pages/station/station?id=hostile-0', `pages/help/help?order=${made.wish}`,
])].map((path) => `/#/${path}`);
const consoleAddresses = () => [
  ...consolePages.map((path) => path.replace(':run', 'reloadly.2026-01-01')), `orders?order=${made.delivered}`, `orders?order=${made.wish}`,
  `customers?user=${made.user}`, 'blacklist?ended=1', 'offers?tab=campaign', 'books?tab=journals', 'refunds?tab=all', 'queue?group=mine',
].map((path) => `/admin/${path}`);

/** Until nothing has been on its way for two looks in a row; a page that polls has its first answers by then. */
async function settled(page) {
  for (let quiet = 0; quiet < 2;) {
    await sleep(60);
    // Whatever the page is busy with, it has done when it answers this.
    await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => setTimeout(done, 0)); }));
    quiet = page.waiting() === 0 ? quiet + 1 : 0;
  }
}

/** Goes to each address as a person would, by the page's own router, and looks when nothing more is on its way. */
async function visit(page, addresses) {
  page.setDefaultTimeout(60_000);
  await page.goto(`${shop.origin}${addresses[0]}`);
  for (const address of addresses) {
    await page.evaluate((to) => {
      history.pushState(null, '', to);
      dispatchEvent(new PopStateEvent('popstate', { state: null }));
    }, address);
    await settled(page);
    const drawn = page.waitForFunction(() => document.body.textContent.trim() !== '');
    await drawn.catch(() => assert.fail(`${address} stays empty: ${page.complaints().slice(-5)}`));
    await page.look(address);
  }
}

/** Every string of an answer that is a text and not a machine's word becomes the whole set. */
function tainted(value, key, count) {
  if (typeof value === 'string') {
    if (kMachine.test(key) || value === '') return value;
    count.all += 1;
    return everything(`⟦${key}⟧`, ['', 'javascript:__ran()//', 'data:text/html,<script>__ran()</script>', '//canary.invalid/'][count.all % 4]);
  }
  if (Array.isArray(value)) return value.slice(0, 6).map((one) => tainted(one, key, count));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, tainted(one, name, count)]));
}

async function taint(page) {
  const count = { all: 0 };
  await page.route('**/api/**', async (route) => {
    const response = await route.fetch().catch(() => null);
    if (response === null) return route.abort();
    if (!/json/.test(response.headers()['content-type'] ?? '')) return route.fulfill({ response });
    return route.fulfill({ response, json: tainted(await response.json(), '', count) });
  });
  return count;
}

test('A-11: the set is large, and in a careless page nearly all of it works: the probe sees every class of it', async () => {
  assert.ok(payloads.length >= 120, `${payloads.length}`);
  assert.equal(new Set(payloads.map(({ text }) => text)).size, payloads.length);
  const careless = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end('<!doctype html><title>careless</title><body></body>');
  });
  await new Promise((done) => careless.listen(0, '127.0.0.1', done));
  const page = await openPage(browser, { expected: [] });
  await page.route(/canary\.invalid/, (route) => route.abort());
  await page.goto(`http://127.0.0.1:${careless.address().port}/`);
  // Attributes first: what leaves them early comes to life there; what swallows the rest of a document comes last.
  const caught = await page.evaluate(async ([list, watch, brought]) => {
    const careless = (text) => `<a href="${text}">x</a><input value="${text}"><p title='${text}'>x</p>`
      + `<script>var x = "${text}";</script><script>var y = '${text}';</script><script>var z = \`${text}\`;</script><img alt=${text}><div>${text}</div>`;
    const frames = list.map((text) => {
      const frame = document.createElement('iframe');
      frame.srcdoc = `<!doctype html><script>(${watch})();</script><body>${careless(text)}</body>`;
      document.body.append(frame);
      return frame;
    });
    // Some keep their frame loading for ever, others lead it elsewhere; what counts is that the text was read to its end.
    const isRead = ({ contentWindow: inside }) => {
      try {
        return inside.__ran !== undefined && inside.document.readyState !== 'loading';
      } catch {
        return true;
      }
    };
    for (const end = Date.now() + 60_000; Date.now() < end && !frames.every(isRead);) await new Promise((done) => { setTimeout(done, 50); });
    await new Promise((done) => { setTimeout(done, 200); });
    return frames.map(({ contentWindow: inside }, at) => {
      // A frame that was led elsewhere is not ours any more: that, too, is a payload at work.
      try {
        const own = new Set(['a script: <script>var x = ', 'a script: <script>var y = ', 'a script: <script>var z = ', 'a script: <script>(']);
        const extra = new inside.Function('host', `return (${brought})(host)`)('canary.invalid');
        return (inside.__seen ?? []).length > 0 || extra.some((what) => ![...own].some((start) => what.startsWith(start)));
      } catch {
        return true;
      }
    });
  }, [payloads.map(({ text }) => text), inPage.watch.toString(), inPage.brought.toString()]);
  careless.close();
  await page.context().close();
  const works = payloads.filter((_, at) => caught[at]);
  const per = Object.fromEntries(sets.map((set) => [set, works.filter((one) => one.set === set).length]));
  const inert = ['templates', 'formulas'];
  for (const set of sets) assert.ok(inert.includes(set) || per[set] > 0, `${set}: ${JSON.stringify(per)}`);
  assert.ok(works.length >= 100, `${works.length} of ${payloads.length}: ${JSON.stringify(per)}`);
});

test('A-11: every field holds the set, and no page of the client or of the console runs any of it', async () => {
  for (const [field, taken] of Object.entries(hostile.taken)) {
    const refused = [...(hostile.refused[field] ?? [])];
    if (kRefused[field] === undefined) assert.ok(taken > 0, `${field} takes texts: ${refused}`);
    else assert.deepEqual([taken, refused], [0, kRefused[field]], field);
  }
  const pages = await Promise.all([buyersPage(), staffsPage()]);
  await Promise.all([visit(pages[0], clientAddresses()), visit(pages[1], consoleAddresses())]);
  const shown = new Set(pages.flatMap((page) => [...page.shown]));
  assert.deepEqual(kShown.filter((mark) => !shown.has(mark)), [], 'each field is really on a page');
  assert.deepEqual(pages.flatMap((page) => page.found), []);
  await Promise.all(pages.map((page) => page.context().close()));
});

test('A-11: with the set in every text of every answer, no page of the client or of the console runs any of it', async () => {
  const pages = await Promise.all([buyersPage(), staffsPage()]);
  const counts = await Promise.all(pages.map(taint));
  await Promise.all([visit(pages[0], clientAddresses()), visit(pages[1], consoleAddresses())]);
  const least = { texts: [100, 300], words: [5, 15] };
  for (const at of [0, 1]) {
    assert.ok(counts[at].all >= least.texts[at], `${counts[at].all} texts were replaced`);
    assert.ok(pages[at].shown.size >= least.words[at], `shown: ${[...pages[at].shown].join(' ')}`);
  }
  console.log(`figure A-11: the set in ${counts[0].all + counts[1].all} texts of answers, 0 ran`);
  assert.deepEqual(pages.flatMap((page) => page.found), []);
  await Promise.all(pages.map((page) => page.context().close()));
});

/** RFC 4180. */
function cells(csv) {
  const found = [''];
  let quoted = false;
  for (const [at, char] of [...csv].entries()) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && (char === ',' || char === '\n')) found.push('');
    if (char !== '"' || csv[at - 1] === '"') found[found.length - 1] += char;
  }
  return found.map((cell) => cell.replace(/^[,\n]/, ''));
}

test('A-11: no cell of any export is a formula', async () => {
  const files = [
    ['POST', '/api/admin/orders/export', {}], ['POST', '/api/admin/ledger/export', {}], ['POST', '/api/admin/blacklist/export', { reason: 'a look' }],
    ['GET', '/api/admin/audit/export'], ['GET', '/api/admin/stations/export'], ['GET', '/api/admin/exchanges/export'],
  ];
  for (const [method, path, body] of files) {
    const got = await hostile.desk(method, path, body);
    assert.equal(got.status, 200, `${path}: ${got.text.slice(0, 200)}`);
    const csv = (got.json?.csv ?? got.text).replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
    const all = cells(csv);
    assert.ok(all.length > 20, `${path} has rows`);
    assert.deepEqual(all.filter((cell) => /^[=+@\t\r-]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell)), [], path);
  }
});
