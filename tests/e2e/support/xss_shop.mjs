// A shop in which every field that a person can write holds the set of xss_payloads.mjs, cut to what the field takes.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Buyer, until } from './shop.mjs';
import { payloads, texts } from './xss_payloads.mjs';

const kProduct = 'cn-mobile-10000';
const kProducts = 40;

export class Hostile {
  constructor(shop) {
    this.shop = shop;
    this.taken = {};
    this.refused = {};
  }

  async begin() {
    this.staff = await this.shop.signIn();
    this.buyer = await Buyer.arrive(this.shop);
    return this;
  }

  desk(method, path, body) {
    return this.shop.call(method, path, {
      body, headers: { cookie: this.staff.cookie, origin: this.shop.origin, 'idempotency-key': randomUUID() },
    });
  }

  /** Writes each of `list` with `write`, which answers with the response; counts what the shop takes and refuses. */
  async put(field, list, write) {
    this.taken[field] ??= 0;
    for (const [at, text] of list.entries()) {
      const got = await write(text, at);
      if (got.status < 300) this.taken[field] += 1;
      else {
        assert.ok(got.status >= 400 && got.status < 500, `${field}: ${got.status} ${got.text}`);
        (this.refused[field] ??= new Set()).add(got.json?.reason);
      }
    }
  }

  async words() {
    for (const [document, kind] of [['storm', 'announcement'], ['help_refund', 'help'], ['contacts', 'contacts'], ['terms', 'agreement']]) {
      const seen = await this.desk('GET', `/api/admin/content/${document}`);
      const [title] = texts('⟦content.title⟧', 290, { plain: true });
      const body = texts('⟦content.body⟧', 20_000)[0];
      await this.put('content', [body, body.replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, ' ')], (text) => this.desk(
        'POST', `/api/admin/content/${document}/versions`, {
          based_on: seen.json?.versions?.[0].version ?? 0, kind, title_zh: title, title_en: title, body_zh: text, body_en: text,
          ...(kind === 'help' ? { topics: 'general succeeded', place: 1 } : {}),
        }));
      const now = (await this.desk('GET', `/api/admin/content/${document}`)).json;
      const shown = await this.desk('POST', `/api/admin/content/${document}/publication`, {
        version: now.versions[0].version, seen: now.shown_version ?? 0 });
      assert.equal(shown.status, 200, shown.text);
    }
    for (const key of ['service.notice_zh', 'service.notice_en', 'client.lowest_version', 'messages.order_delivered_mini', 'messages.sms_template']) {
      await this.put(`setting.${key.replace(/^.*\./, '')}`, texts('⟦setting⟧', 590, { plain: true }).slice(0, 3), async (text) => {
        const { version } = (await this.desk('GET', '/api/admin/settings')).json;
        return this.desk('PUT', '/api/admin/settings', { version, changes: { [key]: text } });
      });
    }
  }

  async goods() {
    const list = (await this.desk('GET', '/api/admin/catalog/products?limit=100')).json.products.map((one) => one.product_id);
    const ids = [kProduct, ...list.filter((id) => id !== kProduct)].slice(0, kProducts);
    const names = texts('⟦product.name⟧', 120, { plain: true });
    await this.put('product.name', ids, (id, at) => this.desk('POST', '/api/admin/catalog/products', {
      edits: [{ product_id: id, name_zh: names[(2 * at) % names.length], name_en: names[(2 * at + 1) % names.length] }],
    }));
    const reasons = texts('⟦rule.reason⟧', 195, { plain: true });
    for (const [at, reason] of reasons.slice(0, 6).entries()) {
      const set = (await this.desk('GET', '/api/admin/price-rules')).json;
      await this.put('rule.reason', [reason], (text) => this.desk('POST', '/api/admin/price-rules/publish', {
        version: set.version, reason: text,
        rules: [...set.rules.filter((rule) => !rule.id.startsWith('x')), { id: `x${at}`, form: 'fixed_price', price_minor: 100,
          product_id: ids[1], allow_below_cost: true, below_cost_reason: text }],
      }));
    }
    const version = (await this.desk('GET', '/api/admin/price-rules')).json;
    await this.put('rule.id', texts('⟦rule.id⟧', 64, { plain: true }).slice(0, 5), (id) => this.desk(
      'POST', '/api/admin/price-rules/publish', {
        version: version.version, reason: 'x', rules: [...version.rules, { id, form: 'fixed_price', price_minor: 9950, product_id: kProduct }] }));
    await this.put('pin.name', texts('⟦pin.name⟧', 64, { plain: true }).slice(0, 8), (name, at) => this.desk('POST', '/api/admin/pins', {
      sku: `hostile-${at}`, country: 'CN', operator: name.slice(0, 40), name, face: { minor: 1000, currency: 'CNY' },
      pins: [{ code: `CODE-${at}-0001`, serial: `S${at}` }] }));
    await this.put('listing.note', texts('⟦listing.note⟧', 195, { plain: true }).slice(0, 4), (note) => this.desk(
      'POST', '/api/admin/catalog/decisions', { supplier: 'reloadly', decision: 'approve', all: true, note }));
  }

  async offers() {
    const names = texts('⟦offer.name⟧', 60, { plain: true });
    await this.put('offer.name', names.slice(0, 12), (name, at) => this.desk('POST', '/api/admin/marketing/offers', {
      kind: ['coupon', 'promotion', 'level'][at % 3], id: `hostile-${at}`, version: 0, on: true,
      terms: { name_zh: name, name_en: name, ...(at % 3 === 0 ? { form: 'amount', value: 100, least_spend_minor: 100 } : {}),
        ...(at % 3 === 1 ? { form: 'amount', value: 1 } : {}), ...(at % 3 === 2 ? { growth_from: at, discount_bp: 1 } : {}) },
    }));
    const made = [];
    await this.put('campaign.name', texts('⟦campaign.name⟧', 60, { plain: true }).slice(0, 8), async (name, at) => {
      const got = await this.desk('POST', '/api/admin/marketing/campaigns', { version: 0, campaign: {
        template_id: 'hostile-0', way: 'open', name, budget: 100, per_user: 5, valid_days: 30, on: true } });
      if (got.status === 200) made.push(got.json.campaign_id);
      return got;
    });
    await until('the book has them', async () => (await this.shop.call('GET', '/api/v1/shop')).json.offers.coupons);
    if (made.length > 0) {
      const got = await this.buyer.call('POST', '/api/v1/coupons', { headers: { 'idempotency-key': randomUUID() }, body: { campaign_id: made[0] } });
      assert.equal(got.status, 201, got.text);
    }
    const head = 'id,name,brand,issuer,city,address,lat,lng,gasoline_92,gasoline_95,gasoline_98,diesel_0,hours,flags\n';
    const cell = (text) => `"${text.replaceAll('"', '""')}"`;
    const places = texts('⟦station.name⟧', 120, { plain: true });
    await this.put('station.name', places.slice(0, 40), (name, at) => this.desk('POST', '/api/admin/stations/imports', {
      csv: `${head}hostile-${at},${cell(name)},${at % 2 ? 'shell' : cell(name.slice(0, 30))},none,${at % 3 ? '上海市' : cell(name.replace('name', 'city').slice(0, 30))},${cell(name)},31.${100 + at},121.4,7.80,,,,00:00-24:00,\n`,
      system: 'wgs84', replace: false, apply: true }));
  }

  async orders() {
    const { buyer } = this;
    const ids = {};
    for (const [name, number] of [['delivered', '13800001234'], ['stuck', '13800009005'], ['refused', '13800139001'], ['wish', '13800005678']]) {
      ids[name] = (await buyer.buy(number)).id;
    }
    await buyer.reaches(ids.delivered, 'succeeded');
    await buyer.reaches(ids.wish, 'succeeded');
    await buyer.reaches(ids.stuck, 'unknown');
    const reason = (mark, at = 0) => texts(mark, 195, { plain: true }).slice(at, at + 1);
    await this.put('refund.wish', reason('⟦refund.wish⟧'), (text) => buyer.call('POST', `/api/v1/orders/${ids.wish}/refund-requests`, { body: { reason: text } }));
    await this.put('order.note', texts('⟦order.note⟧', 900, { plain: true }), (text) => this.desk('POST', `/api/admin/orders/${ids.delivered}/notes`, { text }));
    await this.put('refund.reason', reason('⟦refund.reason⟧', 1), (text) => this.desk('POST', `/api/admin/orders/${ids.delivered}/refunds`, { reason: text }));
    await this.put('ledger.reason', texts('⟦ledger.reason⟧', 195, { plain: true }).slice(0, 3), (text) => this.desk('POST', '/api/admin/ledger/entries', {
      kind: 'supplier_topup', reason: text, amount: { minor: 1000, currency: 'CNY' }, supplier: 'reloadly', received: { minor: 1000, currency: 'CNY' } }));
    const user = (await this.desk('GET', `/api/admin/customers?q=${ids.delivered}`)).json.customers[0].user_id;
    await this.put('customer.note', texts('⟦customer.note⟧', 990, { plain: true }), (text) => this.desk('POST', `/api/admin/customers/${user}/notes`, { text }));
    await this.put('customer.frozen', texts('⟦customer.frozen⟧', 390, { plain: true }).slice(0, 1), (text) => this.desk('POST', `/api/admin/customers/${user}/freeze`, { reason: text }));
    await this.put('blacklist.reason', texts('⟦blacklist.reason⟧', 390, { plain: true }), (text, at) => this.desk('POST', '/api/admin/blacklist', {
      kind: 'phone', subject: `1390013${String(8000 + at)}`, reason: text }));
    await this.put('blacklist.subject', texts('⟦blacklist.subject⟧', 64, { plain: true }).slice(0, 10), (text) => this.desk('POST', '/api/admin/blacklist', {
      kind: 'device', subject: text, reason: 'x' }));
    return { ...ids, user };
  }

  async people() {
    await this.put('staff.name', texts('⟦staff.name⟧', 60, { plain: true }).slice(0, 5), (name) => this.desk('POST', '/api/admin/staff', { name, roles: [] }));
    await this.put('login.name', payloads.slice(0, 3).map(({ text }) => `⟦login.name⟧ ${text}`), async (name) => {
      const got = await this.shop.call('POST', '/api/admin/session', { body: { name, password: 'x' } });
      return got;
    });
    await this.put('line.reason', texts('⟦line.reason⟧', 195, { plain: true }).slice(0, 4), (reason, at) => this.desk(
      'POST', '/api/admin/suppliers/lines', { line: 'reloadly', open: at % 2 === 1, reason }));
    const raw = payloads[17].text;
    await this.shop.call('POST', '/api/v1/sessions', { headers: { 'user-agent': raw } });
    await this.put('coupon.code', payloads.slice(0, 3).map(({ text }) => text), (code) => this.buyer.call('POST', '/api/v1/coupons', {
      headers: { 'idempotency-key': randomUUID() }, body: { code: code.slice(0, 64) } }));
    const sync = await this.buyer.call('POST', '/api/v1/sync/drafts', { body: { device: 'a', items: texts('⟦draft⟧', 60, { plain: true }).slice(0, 10).map((note, at) => (
      { id: `d${at}`, client_revision: 1, base: {}, mine: { name: note, note, kind: 'airtime', country: 'CN', number: '13800001234', product_id: kProduct } })) } });
    this.taken.draft = sync.status === 200 && sync.json.refused.length === 0 ? 1 : 0;
    this.refused.draft = sync.text.slice(0, 300);
  }
}
