import { beforeAll, expect, test } from 'vitest';
import type { ShopProduct } from '@/core/shop_book';
import { isRange, onStep, quickAmounts, readAmount, stepped } from '@/stores/amount';
import { useRealCore } from './support/core';

beforeAll(useRealCore);

function rangeOf(least: number, most: number, step: number, currency = 'BDT'): ShopProduct {
  const face = { minor: least, currency };
  return {
    id: 'x-range', operator_id: 'x', kind: 'airtime', name_zh: '', name_en: '', face, delivered: face, most_minor: most,
    step_minor: step, validity_days: 0, list: face, payable: face,
  };
}
const robi = rangeOf(20_100, 99_800, 500);

test('an amount lands on a step between the bounds', () => {
  expect(isRange(robi)).toBe(true);
  expect(onStep(robi, 20_733)).toBe(20_600);
  expect(onStep(robi, 1)).toBe(20_100);
  expect(onStep(robi, 10_000_000)).toBe(99_600);
});

test('one step up and down, and from between two to the nearer side first', () => {
  expect(stepped(robi, 20_100, 1)).toBe(20_600);
  expect(stepped(robi, 20_100, -1)).toBe(20_100);
  expect(stepped(robi, 20_733, -1)).toBe(20_600);
  expect(stepped(robi, 99_600, 1)).toBe(99_600);
  expect(stepped(robi, 0, 1)).toBe(20_600);
});

test('quick amounts are on offer, in order, few, and spread over the range', () => {
  for (const range of [robi, rangeOf(100, 50_000, 100, 'GHS'), rangeOf(75_500, 3_777_800, 100, 'KZT'), rangeOf(500, 600, 50)]) {
    const quick = quickAmounts(range);
    expect(quick.length).toBeGreaterThan(0);
    expect(quick.length).toBeLessThanOrEqual(4);
    expect(quick).toEqual([...new Set(quick)].sort((a, b) => a - b));
    for (const minor of quick) expect(onStep(range, minor)).toBe(minor);
  }
  expect(quickAmounts(rangeOf(100, 50_000, 100, 'GHS'))[3]).toBe(50_000);
});

test('what is typed is read exactly: below, above, off the step, or bought', () => {
  expect(readAmount(robi, '')).toMatchObject({ verdict: 'empty', minor: 0 });
  expect(readAmount(robi, '100')).toMatchObject({ minor: 0, reason: 'amount_below_least' });
  expect(readAmount(robi, '999')).toMatchObject({ minor: 0, reason: 'amount_above_most' });
  expect(readAmount(robi, '207.33')).toMatchObject({ minor: 0, near: 20_600, reason: 'amount_off_step' });
  expect(readAmount(robi, '206')).toMatchObject({ verdict: 'valid', minor: 20_600 });
  expect(readAmount(robi, 'abc').minor).toBe(0);
});
