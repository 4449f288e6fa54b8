import { describe, expect, it } from 'vitest';

import { columnsOf } from '../src/format/columns';
import { amountText, changeText, moneyText, rateText } from '../src/format/money';
import { spanOf } from '../src/format/time';

const money = (minor: number, currency: string) => ({ minor, currency });

describe('amounts', () => {
  it.each([
    [0, 'CNY', '¥0.00'],
    [5, 'CNY', '¥0.05'],
    [-1, 'CNY', '−¥0.01'],
    [9850, 'CNY', '¥98.50'],
    [123_456_789, 'USD', '$1,234,567.89'],
    [1200, 'JPY', 'JP¥1,200'],
    [-7, 'JPY', '−JP¥7'],
    [1234, 'KWD', 'KWD 1.234'],
    [9_007_199_254_740_991, 'CNY', '¥90,071,992,547,409.91'],
  ])('%i minor units of %s read %s', (minor, currency, text) => {
    expect(moneyText(money(minor, currency))).toBe(text);
  });
  it('a currency without a known number of digits stays in minor units', () => {
    expect(moneyText(money(1234, 'XAU'))).toBe('XAU 1,234 minor');
  });
  it('what is not an integer that JavaScript holds exactly is never shown as an amount', () => {
    expect(moneyText(money(0.5, 'CNY'))).toBe('?');
    expect(amountText(9_007_199_254_740_992, 'CNY')).toBe('?');
  });
  it('sums beyond 2^53 are exact', () =>
    expect(amountText(18_014_398_509_481_982n, 'CNY')).toBe('180,143,985,094,819.82'));
  it('a change says its direction', () => {
    expect(changeText(money(20, 'CNY'))).toBe('+¥0.20');
    expect(changeText(money(-150, 'CNY'))).toBe('−¥1.50');
    expect(changeText(money(0, 'CNY'))).toBe('¥0.00');
  });
  it('a rate in basis points reads as a percentage', () => expect(rateText(9850)).toBe('98.50 %'));
});

describe('debit and credit columns', () => {
  it('are kept apart per currency and sum to zero when the entry balances', () => {
    const groups = columnsOf([
      { account: 'a', amount: money(100, 'CNY') },
      { account: 'b', amount: money(-100, 'CNY') },
      { account: 'c', amount: money(7, 'USD') },
      { account: 'd', amount: money(-7, 'USD') },
    ]);
    expect(groups.map((group) => [group.currency, group.debit, group.credit, group.difference])).toEqual([
      ['CNY', 100n, 100n, 0n],
      ['USD', 7n, 7n, 0n],
    ]);
    expect(groups[0]?.rows).toEqual([
      { account: 'a', debit: 100, credit: null },
      { account: 'b', debit: null, credit: 100 },
    ]);
  });
  it('an entry that does not balance shows by how much', () => {
    expect(
      columnsOf([
        { account: 'a', amount: money(3, 'CNY') },
        { account: 'b', amount: money(-5, 'CNY') },
      ])[0]?.difference,
    ).toBe(-2n);
  });
});

describe('spans', () => {
  it.each([
    [-5, 'ms', 0, 0],
    [999, 'ms', 999, 0],
    [4_260, 'seconds', 4, 2],
    [61_000, 'minutes', 1, 1],
    [3_660_000, 'hours', 1, 1],
    [90_000_000, 'days', 1, 1],
  ])('%i ms is %s %i %i', (ms, unit, a, b) => expect(spanOf(ms)).toEqual({ unit, a, b }));
});
