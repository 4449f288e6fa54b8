// How coupons, levels and the core's reasons are said.
import type { CouponTerms, Level } from '@api/offers';
import type { NotApplied } from '@topup/core';
import { moneyText, percentText, timeText, wholeMoneyText, zheText } from './format';
import { locale, t, wordOf } from './i18n';

const kWhole = 10_000;

function yuan(minor: number): string {
  return wholeMoneyText({ minor, currency: 'CNY' });
}

export function nameIn(one: { name_zh: string; name_en: string } | null): string {
  if (one === null) return t('coupon.nameless');
  return locale.value === 'zh' ? one.name_zh : one.name_en;
}

/** "¥5", "9 折", "10% off": what stands largest on a coupon. */
export function worthText(terms: CouponTerms): string {
  if (terms.form === 'amount') return yuan(terms.value);
  return t('coupon.percent', { zhe: zheText(kWhole - terms.value), percent: percentText(terms.value) });
}

/** From what amount on, how much at most, and for what. */
export function conditionText(terms: CouponTerms): string {
  const parts = [
    terms.least_spend_minor > 0 ? t('coupon.from', { amount: yuan(terms.least_spend_minor) }) : t('coupon.from_any'),
  ];
  if (terms.form === 'percent' && terms.cap_minor > 0) parts.push(t('coupon.cap', { amount: yuan(terms.cap_minor) }));
  for (const kind of terms.kinds) parts.push(t(wordOf('coupon.kind', kind, 'coupon.kind.other')));
  return parts.join(locale.value === 'zh' ? '，' : ', ');
}

export function levelBenefit(level: Level): string {
  if (level.discount_bp > 0) {
    const rate = { zhe: zheText(kWhole - level.discount_bp), percent: percentText(level.discount_bp) };
    return level.cap_minor > 0
      ? t('member.percent_cap', { ...rate, amount: yuan(level.cap_minor) })
      : t('member.percent', rate);
  }
  if (level.amount_minor > 0) return t('member.amount', { amount: yuan(level.amount_minor) });
  return t('member.nothing_yet');
}

/** Why the core did not apply it. `need` and `have` are minor units, times or growth, by the word. */
export function whyNotText(why: NotApplied): string {
  const money = (minor: number): string => moneyText({ minor, currency: 'CNY' });
  const isTime = why.why === 'not_started' || why.why === 'expired';
  const isGrowth = why.why === 'growth_short';
  const shown = (value: number): string => (isTime ? timeText(value) : isGrowth ? String(value) : money(value));
  const short = isGrowth ? String(why.need - why.have) : isTime ? '' : money(Math.max(0, why.need - why.have));
  return t(wordOf('whynot', why.why, 'whynot.other'), { need: shown(why.need), have: shown(why.have), short });
}
