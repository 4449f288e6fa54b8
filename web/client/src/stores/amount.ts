// The amounts of a product with a range: from its face to its most, in steps.
import type { AmountCheck } from '@topup/core';
import { core } from '@/core/topup';
import type { ShopProduct } from '@/core/shop_book';

const kQuickAmounts = 4;
const kRound = [1, 2, 3, 5];

export function isRange(product: ShopProduct): boolean {
  return product.step_minor > 0;
}

/** The nearest amount on offer that is not above `minor`; the least when it is below. */
export function onStep(product: ShopProduct, minor: number): number {
  const { face, most_minor: most, step_minor: step } = product;
  const bounded = Math.min(most, Math.max(face.minor, minor));
  return face.minor + Math.floor((bounded - face.minor) / step) * step;
}

/** One step up or down, or to the next on offer from between two. */
export function stepped(product: ShopProduct, minor: number, by: 1 | -1): number {
  const at = onStep(product, minor);
  if (by < 0 && at < minor) return at;
  return onStep(product, at + by * product.step_minor);
}

/** A few round amounts spread over the range, the least first. */
export function quickAmounts(product: ShopProduct): number[] {
  const { face, most_minor: most, step_minor: step } = product;
  const found = new Set<number>([face.minor]);
  for (let power = 1; power <= most; power *= 10) {
    for (const factor of kRound) {
      const amount = power * factor;
      if (amount > face.minor && amount <= most && (amount - face.minor) % step === 0) found.add(amount);
    }
  }
  const all = [...found].sort((a, b) => a - b);
  if (all.length <= kQuickAmounts) return all;
  const gap = (all.length - 1) / (kQuickAmounts - 1);
  return Array.from({ length: kQuickAmounts }, (_unused, at) => all[Math.round(at * gap)] as number);
}

export interface TypedAmount {
  /** 0 while it cannot be bought. */
  minor: number;
  /** The nearest amount on offer, with amount_off_step; else 0. */
  near: number;
  verdict: AmountCheck['verdict'];
  reason: string;
}

export function readAmount(product: ShopProduct, typed: string): TypedAmount {
  const { face, most_minor: most } = product;
  const check = core.value?.checkAmount(typed, face.currency, face.minor, most);
  if (!check || check.verdict === 'empty') return { minor: 0, near: 0, verdict: 'empty', reason: '' };
  if (check.verdict !== 'valid') return { minor: 0, near: 0, verdict: check.verdict, reason: check.reason };
  const near = onStep(product, check.amount.minor);
  if (near !== check.amount.minor) return { minor: 0, near, verdict: 'impossible', reason: 'amount_off_step' };
  return { minor: near, near: 0, verdict: 'valid', reason: '' };
}
