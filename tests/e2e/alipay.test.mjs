// Alipay beside WeChat Pay over real HTTP: paid, refunded, closed, forged, and paid twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Buyer, Shop, binary, books, sleep, sumsToZero, until } from './support/shop.mjs';

const quick = `
[orders]
pay_within_ms = 60000
not_found_needed = 3
not_found_gap_ms = 300
first_supplier_query_ms = 300
`;
const alipay = { channel: 'alipay' };
let shop;
let staff;
before(async () => {
  shop = await Shop.start({ config: quick, speed: 5 });
  staff = await shop.signIn();
});
after(async () => {
  const how = await shop.stop();
  assert.equal(how.code, 0, 'SIGTERM ends the shop with 0');
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

async function begun(phone, extra = alipay) {
  const buyer = await Buyer.arrive(shop);
  const order = (await buyer.place(phone)).json;
  const started = await buyer.pay(order.order_id, randomUUID(), extra);
  assert.equal(started.status, 200, started.text);
  return { buyer, id: order.order_id, ticket: started.json };
}

test('F029: an order paid at Alipay\'s cashier is delivered, and the books name the channel', async () => {
  const { buyer, id, ticket } = await begun('13800001234', { ...alipay, return_path: '/#/pages/order/order?id=x' });
  const address = new URL(ticket.h5_url);
  assert.equal(address.origin, shop.alipay);
  assert.equal(address.searchParams.get('method'), 'alipay.trade.wap.pay');
  assert.equal(address.searchParams.get('sign_type'), 'RSA2');
  const content = JSON.parse(address.searchParams.get('biz_content'));
  assert.equal(content.total_amount, '99.50');
  assert.equal(content.out_trade_no, ticket.out_trade_no);
  const paid = await shop.payAtAlipay(ticket.h5_url);
  assert.equal(paid.status, 303);
  const back = new URL(paid.location);
  assert.equal(back.origin, shop.origin);
  assert.equal(back.searchParams.get('total_amount'), '99.50');
  assert.equal(back.hash, '#/pages/order/order?id=x');
  assert.equal((await shop.call('GET', back.pathname + back.search)).status, 200, 'the page opens with what was added');
  await buyer.reaches(id, 'succeeded');
  const full = await staff.order(id);
  assert.ok(books(full).includes('payment asset.channel_clearing.alipay 9950 CNY'));
  assert.ok(sumsToZero(full));
  assert.equal(full.journals.filter((journal) => journal.template === 'payment').length, 1);
});

test('C-01: the same notification three times at once has one effect', async () => {
  await shop.arm('alipay', 'duplicate_notifications');
  const { buyer, id, ticket } = await begun('13800001234');
  await shop.payAtAlipay(ticket.h5_url);
  await buyer.reaches(id, 'succeeded');
  const full = await staff.order(id);
  assert.equal(full.journals.filter((journal) => journal.template === 'payment').length, 1);
  assert.equal(full.supplier_attempts.length, 1);
});

test('C-08: when every notification is lost the query finds the payment', async () => {
  await shop.arm('alipay', 'drop_notifications');
  const { buyer, id, ticket } = await begun('13800001234');
  await shop.payAtAlipay(ticket.h5_url);
  await sleep(200);
  assert.equal((await buyer.order(id)).state, 'paying');
  await buyer.call('POST', `/api/v1/orders/${id}/confirm`);
  await buyer.reaches(id, 'succeeded');
});

test('C-03: a notification with a forged signature changes nothing; the genuine one that follows does', async () => {
  await shop.arm('alipay', 'bad_signature_first');
  const { buyer, id, ticket } = await begun('13800001234');
  await shop.payAtAlipay(ticket.h5_url);
  const order = await buyer.reaches(id, 'succeeded');
  assert.equal(order.events.filter((event) => event.event === 'payment_confirmed').length, 1);
  const refused = shop.log().filter((line) => line.route === '/notify/alipay' && line.reason === 'signature_invalid');
  assert.equal(refused.length, 1, 'one log line for the one that was refused');
});

test('C-06: a wrong sum and another seller\'s money are held for a person, never delivered', async () => {
  for (const [fault, why] of [['wrong_amount', /paid 99\.49/], ['wrong_seller', /another merchant/]]) {
    await shop.arm('alipay', fault);
    const { buyer, id, ticket } = await begun('13800001234');
    await shop.payAtAlipay(ticket.h5_url);
    await buyer.reaches(id, 'review');
    const full = await staff.order(id);
    assert.equal(full.supplier_attempts.length, 0, fault);
    assert.match(full.work_items[0].detail, why, fault);
    assert.ok(sumsToZero(full));
  }
});

test('R-02: a definite refusal by the supplier gives the money back once, whatever the refund\'s answer says', async () => {
  for (const fault of [undefined, 'refund_silent', 'refund_lost', 'refund_slow', 'forged_answer', 'unsigned_answer']) {
    if (fault) await shop.arm('alipay', fault);
    const { buyer, id, ticket } = await begun('13800009001');
    await shop.payAtAlipay(ticket.h5_url);
    const order = await buyer.reaches(id, 'refunded', 30_000);
    assert.equal(order.word, 'failed', fault);
    const full = await staff.order(id);
    assert.equal(full.refunds.length, 1, fault);
    assert.equal(full.refunds[0].amount.minor, 9950);
    assert.ok(books(full).includes('refund asset.channel_clearing.alipay -9950 CNY'), fault);
    assert.equal(full.journals.filter((journal) => journal.template === 'refund').length, 1, fault);
    assert.ok(sumsToZero(full));
  }
});

test('an order that is given up is closed at Alipay, and can no longer be paid there', async () => {
  const { buyer, id, ticket } = await begun('13800001234');
  await shop.payAtAlipay(ticket.h5_url, { pays: false });
  const cancelled = await buyer.call('POST', `/api/v1/orders/${id}/cancel`);
  assert.equal(cancelled.json.state, 'closed');
  const late = await shop.payAtAlipay(ticket.h5_url);
  assert.match(late.html, /交易已关闭/);
});

// The attempt that was left behind is closed at its channel when its turn comes; the buyer may be quicker, or not.
test('X06: WeChat and Alipay both paid for one order: it is delivered once, and exactly one is given back', async () => {
  let twice = 0;
  for (let round = 0; round < 8 && twice === 0; ++round) {
    const { buyer, id, ticket } = await begun('13800001234');
    await shop.payAtAlipay(ticket.h5_url, { pays: false });
    const other = (await buyer.pay(id, randomUUID(), { channel: 'wechat' })).json;
    assert.notEqual(other.out_trade_no, ticket.out_trade_no);
    const [wechat] = await Promise.all([shop.payAtSheet(other.out_trade_no), shop.payAtAlipay(ticket.h5_url)]);
    assert.equal(wechat.status, 200);
    await buyer.reaches(id, 'succeeded', 30_000);
    const full = await until('both attempts are over, and a second payment is given back', async () => {
      const seen = await staff.order(id);
      const paid = seen.payments.filter((one) => one.paid.minor > 0).length;
      const isBack = seen.refunds.length === paid - 1 && seen.refunds.every((refund) => refund.state === 'succeeded');
      return seen.payments.every((one) => one.state !== 'started') && isBack ? seen : null;
    }, 60_000);
    assert.equal(full.supplier_attempts.length, 1);
    assert.equal(full.journals.filter(({ template }) => template === 'fulfilment').length, 1);
    assert.ok(sumsToZero(full));
    if (full.refunds.length === 0) continue;
    ++twice;
    assert.equal(full.refunds.length, 1);
    assert.equal(full.refunds[0].amount.minor, 9950);
  }
  assert.equal(twice, 1, 'both were paid once');
});

test('X07: a cashier page that was opened after the order was given up is paid: the money goes back', async () => {
  const { buyer, id, ticket } = await begun('13800001234');
  assert.equal((await buyer.call('POST', `/api/v1/orders/${id}/cancel`)).json.state, 'closed');
  await shop.payAtAlipay(ticket.h5_url);
  await until('the money is back, or the order goes on', async () => {
    const seen = await staff.order(id);
    const isBack = seen.refunds.length === 1 && seen.refunds[0].state === 'succeeded';
    return isBack || seen.order?.state === 'succeeded' || seen.state === 'succeeded' ? seen : null;
  }, 30_000);
  assert.ok(sumsToZero(await staff.order(id)));
});
