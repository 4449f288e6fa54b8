import { beforeAll, expect, test } from 'vitest';
import { groupedNumber } from '@/format';
import { cardShape, checkCard, compareCards } from '@/stores/card_number';
import { accountOf, countryOf, judge, missingOf, shapeOf } from '@/stores/recipient_number';
import { useRealCore } from './support/core';

beforeAll(useRealCore);
const sold = (iso2: string) => ['CN', 'TH', 'BD', 'NG', 'RU', 'KZ'].includes(iso2);

test('a number with its calling code takes the field to its country, where the shop sells', () => {
  expect(countryOf('+880 1812-345678', 'CN', sold)).toBe('BD');
  expect(countryOf('0066 81 234 5678', 'CN', sold)).toBe('TH');
  expect(countryOf('＋８６１３８００００１２３４', 'TH', sold)).toBe('CN');
  expect(countryOf('+7 701 123 4567', 'RU', sold)).toBe('KZ');
  expect(countryOf('+351 912 345 678', 'CN', sold), 'nothing is sold to Portugal').toBe('CN');
  expect(countryOf('13800001234', 'CN', sold)).toBe('CN');
});

test('a calling code that is still being typed is a beginning, a foreign number without a shop a mistake', () => {
  for (const typed of ['+', '+6', '+8', '00']) expect(judge(typed, 'CN').verdict, typed).not.toBe('impossible');
  expect(judge('+351 912 345 678', 'CN')).toMatchObject({ verdict: 'impossible', other_country: 'PT' });
  expect(judge('12', 'CN').verdict).toBe('impossible');
});

test('every spelling of one number is one account', () => {
  for (const typed of ['0812345678', '812345678', '+66 81 234 5678', '66812345678', '０８１-２３４-５６７８']) {
    expect(accountOf(judge(typed, 'TH')), typed).toBe('+66812345678');
  }
  expect(accountOf(judge('+86 138-0000-1234', 'CN'))).toBe('13800001234');
});

test('missing digits are counted where all numbers are of one length', () => {
  expect(missingOf(judge('1380000', 'CN'))).toBe(4);
  expect(missingOf(judge('81234', 'TH'))).toBe(0);
});

test('the field shows digits in groups, and leaves alone what it cannot read', () => {
  expect(shapeOf('+86 138-0000-1234', 'CN', groupedNumber)).toBe('138 0000 1234');
  expect(shapeOf('0812345678', 'TH', groupedNumber)).toBe('812 345 678');
  expect(groupedNumber('1812345678', 'BD')).toBe('181 234 5678');
  expect(shapeOf('hello', 'CN', groupedNumber)).toBe('hello');
});

test('a fuel card: grouped by four, its issuer known from the first digits, the second typing compared digit by digit', () => {
  expect(cardShape('1000113200000012345')).toBe('1000 1132 0000 0012 345');
  expect(cardShape('１０００-１１３２')).toBe('1000 1132');
  expect(checkCard('100011', 'none').issuer).toBe('sinopec');
  expect(checkCard('9030', 'none').issuer).toBe('petrochina');
  expect(checkCard('9030', 'sinopec')).toMatchObject({ verdict: 'impossible' });
  expect(compareCards('1000113200000012345', '')).toBeNull();
  expect(compareCards('1000113200000012345', '1000 11')?.verdict).toBe('incomplete');
  expect(compareCards('1000113200000012345', '1000 1132 0000 0012 346')).toEqual({ verdict: 'differs', differs_at: 18 });
  expect(compareCards('1000113200000012345', '1000 1132 0000 0012 345')?.verdict).toBe('match');
});
