// A quote the way a shop without Topup would make it: json-rules-engine says which promotions and coupons apply and which
// condition of the others failed, dinero.js does the arithmetic. Rules, currency and rates are made once; the engine runs
// once for a quote, and only over facts that are there already.
import { dinero, down, greaterThan, halfUp, multiply, subtract, toSnapshot, transformScale } from 'dinero.js';
import { CNY } from 'dinero.js/currencies';
import { Engine } from 'json-rules-engine';
import { kBuyer, kCoupons, kMarkupBp, kMember, kProducts, kPromotions } from './scenario.mjs';

const yuan = (minor) => dinero({ amount: minor, currency: CNY });
const nothing = yuan(0);
const ofBp = (bp) => ({ amount: bp, scale: 4 });
const kMinorDigits = 2;
const always = { fact: 'now', operator: 'greaterThanInclusive', value: 0 };

// The engine copies an event's params for each answer, so they are no more than an id.
const benefits = new Map([...kPromotions, ...kCoupons].map((rule) => [rule.id, { id: rule.id, group: rule.group,
  off: rule.minor && yuan(rule.minor), rate: rule.bp && ofBp(rule.bp), most: rule.cap && yuan(rule.cap) }]));

function makeEngine() {
  const engine = new Engine();
  const add = (type, { id, all }) => engine.addRule({ conditions: { all: all.length > 0 ? all : [always] },
    event: { type, params: { id } } });
  for (const rule of kPromotions) add('promotion', rule);
  for (const rule of kCoupons) add('coupon', rule);
  return engine;
}

const engine = makeEngine();
const markup = ofBp(kMarkupBp);
const memberRate = ofBp(kMember.discount_bp);
const memberMost = yuan(kMember.cap_minor);

function money(value) {
  const { amount } = toSnapshot(value);
  return { minor: amount, currency: 'CNY' };
}

function percentOf(price, rate, most) {
  const off = transformScale(multiply(price, rate), kMinorDigits, down);
  return most && greaterThan(off, most) ? most : off;
}

const discountOf = (price, { off, rate, most }) => off ?? percentOf(price, rate, most);

// The condition that failed says why, and with which numbers.
function whyNot({ event, conditions }) {
  const failed = conditions.all.find((condition) => condition.result === false);
  return { word: event.type, id: event.params.id, why: failed.fact, need: failed.value, have: failed.factResult };
}

class Sum {
  constructor(face) {
    this.price = face;
    this.lines = [{ word: 'face', id: '', effect: money(face) }];
  }
  takeOff(word, id, off) {
    this.price = subtract(this.price, off);
    this.lines.push({ word, id, effect: money(subtract(nothing, off)) });
  }
}

// The best of those that exclude each other; the rest goes into `notApplied` with what it lost to.
function takeBest(sum, word, rules, notApplied) {
  let best = null;
  let most = nothing;
  const offs = rules.map((rule) => discountOf(sum.price, rule));
  offs.forEach((off, i) => {
    if (greaterThan(off, most)) {
      best = i;
      most = off;
    }
  });
  rules.forEach((rule, i) => {
    if (i !== best) notApplied.push({ word, id: rule.id, why: 'better_in_group', need: money(most).minor, have: money(offs[i]).minor });
  });
  if (best !== null) sum.takeOff(word, rules[best].id, most);
}

/** { payable, lines, not_applied } as plain values. */
export async function peerQuote({ product_id: productId, account_number: account, now_ms: now }) {
  const product = kProducts.get(productId);
  const face = yuan(product.minor);
  const sum = new Sum(face);
  const list = transformScale(multiply(face, markup), kMinorDigits, halfUp);
  sum.takeOff('markup', 'r-cn', subtract(face, list));
  const { results, failureResults } = await engine.run({ kind: product.kind, country: product.country, operator: product.operator,
    spend: product.minor, now, growth: kBuyer.growth, first_order: kBuyer.first_order });
  sum.takeOff('member', kMember.id, percentOf(sum.price, memberRate, memberMost));
  const notApplied = failureResults.map(whyNot);
  const groups = new Map();
  const coupons = [];
  for (const { event } of results) {
    const benefit = benefits.get(event.params.id);
    if (event.type === 'coupon') coupons.push(benefit);
    else if (groups.has(benefit.group)) groups.get(benefit.group).push(benefit);
    else groups.set(benefit.group, [benefit]);
  }
  for (const group of [...groups.keys()].sort()) takeBest(sum, 'promotion', groups.get(group), notApplied);
  takeBest(sum, 'coupon', coupons, notApplied);
  return { product_id: productId, account_masked: `${account.slice(0, 3)}****${account.slice(-4)}`, face: money(face),
    payable: money(sum.price), delivered: money(face), lines: sum.lines, not_applied: notApplied };
}
