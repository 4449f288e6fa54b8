// The laid-out home page and its theme in the WeChat mini-program of the same sources (F081, F082).
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { MiniApp, Phone } from './support/mini_app.mjs';
import { miniPackage } from './support/mini_package.mjs';
import { Shop } from './support/shop.mjs';

const block = (kind, more = {}) => ({ id: kind, kind, hidden: false, from_ms: 0, until_ms: 0, ...more });
const said = (zh, en = '') => ({ zh, en });
let shop;
let root;
let app;
before(async () => {
  shop = await Shop.start({ speed: 100 });
  root = await miniPackage(shop.origin);
  const session = await shop.call('POST', '/api/admin/session', { body: { name: 'owner', password: shop.password } });
  const cookie = session.headers.get('set-cookie').split(';')[0];
  const post = (path, body) =>
    shop.call('POST', path, { body, headers: { cookie, origin: shop.origin, 'idempotency-key': randomUUID() } });
  const blocks = [
    block('notice', { text: said('今天照常充值', 'Open today'), link: 'help' }),
    block('banner', { items: [{ picture: 'sun', title: said('早鸟'), link: 'airtime' }] }),
    block('entries', { items: [{ link: 'orders', title: said('') }] }),
    block('products', { title: said('热门'), items: [{ product: 'cn-mobile-10000', operator: 'cn-mobile' }] }),
    ...['amounts', 'recipient'].map((kind) => block(kind)),
  ];
  const saved = await post('/api/admin/decoration/versions', { based_on: 0, page: { schema: 1, theme: 'lagoon', blocks } });
  assert.equal(saved.status, 201, saved.text);
  assert.equal((await post('/api/admin/decoration/publication', { version: 1, seen: 0 })).status, 200);
});
after(async () => {
  app?.close();
  await shop?.stop();
  shop?.cleanup();
});

test('F081, F082: home is laid out as published, in its theme, and a pick is chosen', async () => {
  app = await MiniApp.open({ shop, root, phone: new Phone() });
  await app.see('the notice', (page) => page.find('block-notice'));
  await app.see('the product with its price', (page) => page.find('pick-cn-mobile-10000'));
  const text = app.page.text();
  for (const words of ['今天照常充值', '早鸟', '订单', '热门']) assert.ok(text.includes(words), `${words} in ${text}`);
  const names = app.page.names();
  assert.ok(names.indexOf('block-notice') < names.indexOf('face-10000'), 'above the amounts');
  assert.ok(names.indexOf('face-10000') < names.indexOf('phone-input'), 'the amounts above the number, as laid out');
  assert.ok(app.page.styles().some((style) => style.includes('--brand:#0f5d6b') && style.includes('--radius:12px')), app.page.styles().join('\n'));
  assert.deepEqual(app.problems, []);
});
