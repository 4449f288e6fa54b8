// Stuck orders: what a person may do about them, in a real browser against the real server. Unknown is not failed; what is
// marked by hand takes two; messages, claims and notes go to many orders at once with a result for each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { by, openBrowser, phone, picture } from './support/browser.mjs';
import { Colleague, leave } from './support/colleagues.mjs';
import { Buyer, Shop, binary, until } from './support/shop.mjs';

let shop;
let browser;
let buyer;
let owner;
let olga; // operations
let dora; // finance director
let sue; // support
const order = {};

const deedsOf = async (person, id) => (await person.get(`/api/admin/orders/${id}/deeds`)).deeds.map((one) => one.deed);
const stateOf = async (id) => (await owner.get(`/api/admin/orders/${id}`)).order.state;

before(async () => {
  shop = await Shop.start({ speed: 20 });
  browser = await openBrowser();
  owner = await Colleague.owner(shop);
  olga = await owner.hire('olga', ['operations']);
  dora = await owner.hire('dora', ['finance_director']);
  sue = await owner.hire('sue', ['support']);
  buyer = await Buyer.arrive(shop);
  order.delivered = (await buyer.buy('13800001234')).id;
  // Numbers that end so are never answered clearly by the rehearsed supplier.
  order.stuck = (await buyer.buy('13800009005')).id;
  order.lost = (await buyer.buy('13810009005')).id;
  order.third = (await buyer.buy('13820009005')).id;
  await buyer.reaches(order.delivered, 'succeeded');
  for (const name of ['stuck', 'lost', 'third']) await buyer.reaches(order[name], 'unknown');
});
after(async () => {
  await browser?.close();
  const how = await shop?.stop();
  assert.equal(how?.code, 0);
  assert.match(execFileSync(binary, ['verify', '--data', shop.data], { encoding: 'utf8' }), /the books hold/);
  shop.cleanup();
});

test('S-04: an unknown outcome can be taken over, never sent elsewhere; who may not sees no button and gets 403', async () => {
  assert.deepEqual(await deedsOf(olga, order.stuck), ['query', 'hand_over', 'note']);
  assert.deepEqual(await deedsOf(sue, order.stuck), ['query', 'note']);
  assert.deepEqual(await deedsOf(dora, order.stuck), []);
  const at = (id, what) => `/api/admin/orders/${id}/${what}`;
  const elsewhere = await olga.call('POST', at(order.stuck, 'switch-supplier'), { supplier: 'dtone', reason: 'slow' });
  assert.deepEqual([elsewhere.status, elsewhere.json.reason], [409, 'deed_not_allowed_in_state']);
  const early = await olga.call('POST', at(order.stuck, 'mark'), { outcome: 'failed', evidence: 'x', reason: 'x' });
  assert.deepEqual([early.status, early.json.reason], [409, 'deed_not_allowed_in_state']);
  const wishes = [
    ['POST', at(order.stuck, 'switch-supplier'), { supplier: 'dtone', reason: 'slow' }],
    ['POST', at(order.stuck, 'hand-over'), { reason: 'slow' }],
    ['POST', at(order.stuck, 'mark'), { outcome: 'delivered', evidence: 'x', reason: 'x' }],
  ];
  await sue.isRefused(...wishes);
  await dora.isRefused(...wishes, ['POST', at(order.stuck, 'resend'), { reason: 'x' }], ['POST', at(order.stuck, 'claim'), { reason: 'x' }]);
  assert.equal((await olga.call('POST', at(order.stuck, 'hand-over'), { reason: ' ' })).json.reason, 'reason_missing');
  assert.equal(await stateOf(order.stuck), 'unknown', 'nothing of this changed anything');

  const page = await sue.open(browser, `/orders?order=${order.stuck}`);
  await by(page, 'deed-query').waitFor();
  assert.equal(await by(page, 'deed-hand_over').count(), 0);
  assert.equal(await by(page, 'order-outcome').count(), 0);
  await leave(page);
});

test('A-12: a delivery is marked with what shows it, by two people, and is booked like any other', async () => {
  const page = await olga.open(browser, `/orders?order=${order.stuck}`);
  await by(page, 'deed-hand_over').click();
  assert.equal(await by(page, 'deed-sure').isDisabled(), true, 'nothing is taken over without a reason');
  await by(page, 'deed-reason').fill('the buyer calls every hour');
  await by(page, 'deed-sure').click();
  await by(page, 'outcome-mark_delivered').waitFor();
  assert.equal(await stateOf(order.stuck), 'manual');
  assert.ok((await deedsOf(olga, order.stuck)).includes('claim'), 'a person is wanted now');

  await by(page, 'outcome-mark_delivered').click();
  await by(page, 'outcome-evidence').fill('their desk confirms reference 8841');
  assert.equal(await by(page, 'outcome-go').isDisabled(), true, 'evidence without a reason is not enough');
  await by(page, 'outcome-reason').fill('confirmed by telephone');
  await picture(page, 'deeds-mark');
  assert.match(await by(page, 'outcome-go').innerText(), /138\*\*\*\*9005 已到账/);
  await by(page, 'outcome-go').click();
  await by(page, 'outcome-told').waitFor();
  assert.equal(await stateOf(order.stuck), 'manual', 'one person alone changes nothing');

  // Whoever asked sees it wait, cannot agree, and may take it back.
  const mine = (await olga.get('/api/admin/work')).work.filter((row) => row.sort === 'approval');
  assert.deepEqual(mine.map((row) => [row.action, row.deeds]), [['order.outcome', ['withdraw']]]);
  await olga.isRefused(['POST', `/api/admin/approvals/${mine[0].id}/approve`, { body_hash: mine[0].body_hash }]);
  const foreign = await sue.call('POST', `/api/admin/approvals/${mine[0].id}/withdraw`);
  assert.deepEqual([foreign.status, foreign.json.reason], [404, 'approval_not_found']);
  await page.goto(`${shop.origin}/admin/queue?group=second`);
  await page.locator(`[data-test="work-${mine[0].key}"] [data-test="deed-withdraw"]`).waitFor();
  await picture(page, 'deeds-own-waiting');
  await page.locator(`[data-test="work-${mine[0].key}"] [data-test="deed-withdraw"]`).click();
  await page.locator(`[data-test="work-${mine[0].key}"]`).waitFor({ state: 'detached' });
  assert.equal(await stateOf(order.stuck), 'manual');
  await leave(page);

  const asked = await olga.call('POST', `/api/admin/orders/${order.stuck}/mark`,
    { outcome: 'delivered', evidence: 'their desk confirms reference 8841', reason: 'confirmed by telephone' });
  assert.equal(asked.status, 202, asked.text);
  const desk = await dora.open(browser, '/queue?group=second');
  const row = desk.locator(`[data-test="work-approval:${asked.json.approval_id}"]`);
  await row.waitFor();
  assert.match(await row.innerText(), /8841/, 'who agrees sees what shows it');
  await picture(desk, 'deeds-agree');
  await row.locator('[data-test="deed-approve"]').click();
  await row.locator('[data-test="deed-sure"]').click();
  await row.waitFor({ state: 'detached' });
  await leave(desk);
  await buyer.reaches(order.stuck, 'succeeded');
  const told = await owner.get(`/api/admin/orders/${order.stuck}`);
  assert.equal(told.journals.filter((one) => one.template === 'fulfilment').length, 1);
  assert.ok(told.audit.some((one) => one.action === 'order.outcome_marked' && /8841/.test(one.detail)));
  assert.deepEqual(told.work_items.filter((one) => one.state === 'open'), []);
});

test('a delivery that failed for certain is refunded in full, once', async () => {
  assert.equal((await olga.call('POST', `/api/admin/orders/${order.lost}/hand-over`, { reason: 'no answer' })).status, 200);
  const asked = await olga.call('POST', `/api/admin/orders/${order.lost}/mark`,
    { outcome: 'failed', evidence: 'their book has no such reference', reason: 'never arrived' });
  assert.equal(asked.status, 202, asked.text);
  const { work } = await owner.get('/api/admin/work');
  const row = work.find((one) => one.id === asked.json.approval_id);
  assert.equal(row.at_stake.minor, 9950);
  const agreed = await owner.call('POST', `/api/admin/approvals/${row.id}/approve`, { body_hash: row.body_hash });
  assert.equal(agreed.status, 200, agreed.text);
  await buyer.reaches(order.lost, 'refunded');
  const told = await owner.get(`/api/admin/orders/${order.lost}`);
  assert.deepEqual(told.refunds.map((one) => [one.state, one.amount.minor]), [['succeeded', 9950]]);
  const again = await owner.call('POST', `/api/admin/approvals/${row.id}/approve`, { body_hash: row.body_hash });
  assert.equal(again.json.reason, 'approval_settled');
});

test('several orders at once: each deed has a maximum, a reason, and a result for each row', async () => {
  const page = await olga.open(browser, '/orders');
  for (const id of [order.stuck, order.third, order.delivered]) await by(page, `choose-${id}`).check();
  await by(page, 'bulk-deed').selectOption('note');
  assert.equal(await by(page, 'bulk-note').isDisabled(), true, 'a note has a text');
  await by(page, 'bulk-reason').fill('asked the supplier on Friday');
  await by(page, 'bulk-note').click();
  await by(page, 'bulk-said').waitFor();
  await page.locator('[data-test="bulk-results"] summary').click();
  assert.equal(await page.locator('[data-test^="bulk-result-"][data-outcome="done"]').count(), 3);
  await picture(page, 'deeds-bulk');
  for (const id of [order.third, order.delivered])
    assert.equal((await owner.get(`/api/admin/orders/${id}`)).notes.at(-1).text, 'asked the supplier on Friday');

  await olga.call('POST', `/api/admin/orders/${order.third}/hand-over`, { reason: 'no answer' });
  await by(page, 'bulk-deed').selectOption('claim');
  await by(page, 'bulk-reason').fill('my desk today');
  await by(page, 'bulk-claim').click();
  for (const id of [order.delivered, order.stuck])
    await page.locator(`[data-test="bulk-result-${id}"][data-outcome="nothing"]`).waitFor({ state: 'attached' });
  await page.locator(`[data-test="bulk-result-${order.third}"][data-outcome="done"]`).waitFor({ state: 'attached' });
  assert.equal(await page.locator('[data-test^="bulk-result-"][data-outcome="nothing"]').count(), 2);
  const item = (await owner.get(`/api/admin/orders/${order.third}`)).work_items.find((one) => one.state === 'open');
  assert.equal(item.owner, olga.id);

  await by(page, 'bulk-deed').selectOption('resend');
  await by(page, 'bulk-reason').fill('they heard nothing');
  await by(page, 'bulk-resend').click();
  await page.locator(`[data-test="bulk-result-${order.third}"][data-outcome="nothing"]`).waitFor({ state: 'attached' });
  await page.setViewportSize(phone);
  await picture(page, 'deeds-bulk-phone');
  await leave(page);
});

test('R-02: a part goes back from the console, never more than is left, and who must agree is said before', async () => {
  const page = await owner.open(browser, `/orders?order=${order.delivered}`);
  await by(page, 'deed-refund').click();
  await by(page, 'refund-amount').waitFor();
  assert.equal(await by(page, 'refund-amount').inputValue(), '99.50', 'the whole remainder unless somebody types less');
  assert.match(await by(page, 'refund-second').innerText(), /退多少都须另一人同意/);
  await by(page, 'deed-reason').fill('half of it arrived late');
  for (const [typed, why] of [['99.51', /最多还可退 ¥99\.50/], ['0', /大于零/], ['-1', /不能是负数/], ['1.234', /最多写到分/], ['', /请填写/]]) {
    await by(page, 'refund-amount').fill(typed);
    assert.match(await by(page, 'refund-amount-bad').innerText(), why, typed);
    assert.equal(await by(page, 'deed-sure').isDisabled(), true, `${typed} is not sent`);
  }
  await by(page, 'refund-amount').fill('３０元'); // as a Chinese keyboard writes it
  assert.equal((await by(page, 'deed-sure').innerText()).trim(), '退款 ¥30.00 给 138****1234');
  await picture(page, 'deeds-refund-part');
  await page.setViewportSize(phone);
  await picture(page, 'deeds-refund-part-phone');
  await by(page, 'deed-sure').click();
  await by(page, 'deed-told').waitFor();
  await leave(page);

  const waits = (await dora.get('/api/admin/work')).work.find((one) => one.order_id === order.delivered && one.kind === 'approval');
  assert.equal(waits.at_stake.minor, 3000);
  const agreed = await dora.call('POST', `/api/admin/approvals/${waits.id}/approve`, { body_hash: waits.body_hash });
  assert.equal(agreed.status, 200, agreed.text);
  await until('the part is back', async () =>
    (await owner.get(`/api/admin/orders/${order.delivered}`)).refunds.some((one) => one.state === 'succeeded'));
  const again = await owner.open(browser, `/orders?order=${order.delivered}`);
  await by(again, 'deed-refund').click();
  await by(again, 'refund-amount').waitFor();
  assert.equal(await by(again, 'refund-amount').inputValue(), '69.50');
  assert.match(await by(again, 'refund-left').innerText(), /¥69\.50.*¥99\.50.*¥30\.00/);
  await leave(again);
  assert.equal(await stateOf(order.delivered), 'succeeded', 'a part does not end the order');
});

test('the queue goes on page by page in each sort, and a cursor of nothing is refused', async () => {
  const first = await olga.get('/api/admin/work?sort=order');
  assert.ok(first.work.every((row) => row.sort === 'order'));
  assert.equal((await olga.call('GET', '/api/admin/work?sort=shoes')).json.reason, 'out_of_range');
  assert.equal((await olga.call('GET', '/api/admin/work?sort=work_item&cursor=nobody')).json.reason, 'cursor_invalid');
  assert.equal((await olga.call('GET', '/api/admin/work?cursor=01JD')).json.reason, 'cursor_invalid');
  await until('the third order waits for a person', async () =>
    (await olga.get('/api/admin/work?sort=work_item')).work.some((row) => row.order_id === order.third));
});
