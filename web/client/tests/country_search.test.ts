import type { Country } from '@topup/core';
import { beforeAll, expect, test } from 'vitest';
import { kindOfProduct } from '@/product_words';
import { pinyinOf } from '@/stores/country_pinyin';
import { inOrder, initialsOf, searchCountries, withCodes } from '@/stores/country_search';
import { useRealCore } from './support/core';

beforeAll(useRealCore);

const rows: [string, string, string][] = [
  ['TH', '泰国', 'Thailand'], ['CN', '中国', 'China'], ['CI', '科特迪瓦', 'Côte d’Ivoire'], ['VN', '越南', 'Vietnam'],
  ['US', '美国', 'United States'], ['AE', '阿拉伯联合酋长国', 'United Arab Emirates'], ['CA', '加拿大', 'Canada'], ['HK', '中国香港', 'Hong Kong'],
];
const countries: Country[] = rows.map(([country, name_zh, name_en]) => ({ country, name_zh, name_en, kinds: ['airtime'] }));
const found = (typed: string) => searchCountries(withCodes(countries), typed).map((one) => one.country);

test('a country is found by either name, its pinyin initials, two letters and its calling code', () => {
  for (const typed of ['泰', '泰国', 'thai', 'Thailand', 'tg', 'th', '66', '+66', '0066']) expect(found(typed)[0], typed).toBe('TH');
  expect(found('cote d')).toEqual(['CI']);
  expect(found('emirates')).toEqual(['AE']);
  expect(found('香港')).toEqual(['HK']);
  expect(found('1').sort()).toEqual(['CA', 'US']);
  expect(found('亚特兰蒂斯')).toEqual([]);
  expect(found('')).toHaveLength(rows.length);
});

test('initials of pinyin come from the collation of the device', () => {
  expect(['泰国', '越南', '阿联酋', '美国'].map(initialsOf)).toEqual(['tg', 'yn', 'alq', 'mg']);
});

test('home comes first, the others as people look them up', () => {
  expect(inOrder(withCodes(countries), false).map((one) => one.country)).toEqual(['CN', 'CA', 'CI', 'HK', 'TH', 'AE', 'US', 'VN']);
  expect(inOrder(withCodes(countries), true).map((one) => one.country).slice(0, 3)).toEqual(['CN', 'AE', 'CA']);
});

test('an order tells its kind by the id of its product', () => {
  expect(kindOfProduct('th-ais-data-thb2900-2-gb-1-day', 'th-ais')).toBe('data');
  expect(kindOfProduct('au-optus-pin-aud2000-aud-20-00', 'au-optus')).toBe('pin');
  expect(kindOfProduct('cn-sinopec-20000', 'cn-sinopec')).toBe('fuel_card');
  expect(kindOfProduct('bd-robi-bdt-range', 'bd-robi')).toBe('airtime');
});

test('the whole pinyin finds a country too, also half typed', () => {
  expect(found('taiguo')).toEqual(['TH']);
  expect(found('taig')[0]).toBe('TH');
  expect(pinyinOf('洪都拉斯')).toBe('hongdulasi');
  expect(pinyinOf('佛得角')).toBe('fodejiao');
});
