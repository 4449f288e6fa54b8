// Finds a country by what people call it: either language, its pinyin or the initials of it, two letters, or its calling code.
import type { Country } from '@topup/core';
import { pinyinOf } from './country_pinyin';
import { checkFor } from './recipient_number';

// The first common character of each initial in pinyin order; between two of them lies one letter. Needs the device's collation.
const kFirstOf: [string, string][] = [
  ['A', '阿'], ['B', '八'], ['C', '嚓'], ['D', '哒'], ['E', '妸'], ['F', '发'], ['G', '旮'], ['H', '哈'], ['J', '讥'], ['K', '咔'],
  ['L', '垃'], ['M', '麻'], ['N', '拏'], ['O', '噢'], ['P', '妑'], ['Q', '七'], ['R', '呥'], ['S', '扨'], ['T', '它'], ['W', '穵'],
  ['X', '夕'], ['Y', '丫'], ['Z', '帀'],
];

let collator: Intl.Collator | null | undefined;
function pinyinOrder(): Intl.Collator | null {
  if (collator !== undefined) return collator;
  try {
    const made = new Intl.Collator('zh-CN-u-co-pinyin');
    collator = made.compare('阿', '帀') < 0 && made.compare('泰', '中') < 0 ? made : null;
  } catch {
    collator = null;
  }
  return collator;
}

/** "tg" of "泰国"; '' where the device does not know pinyin. */
export function initialsOf(name: string): string {
  const order = pinyinOrder();
  if (order === null) return '';
  const letterOf = (character: string) => {
    if (/[A-Za-z]/.test(character)) return character.toUpperCase();
    let letter = '';
    for (const [candidate, first] of kFirstOf) if (order.compare(first, character) <= 0) letter = candidate;
    return letter;
  };
  return [...name].map(letterOf).join('').toLowerCase();
}

export interface FoundCountry extends Country {
  code: number;
}

export function withCodes(countries: Country[]): FoundCountry[] {
  return countries.map((one) => ({ ...one, code: checkFor('', one.country).calling_code }));
}

function plain(text: string): string {
  return text.normalize('NFKD').replace(/[\u0300-\u036f\s’'.,&-]/g, '').toLowerCase();
}

/** The better the match the earlier; 0: none. */
function fitOf(one: FoundCountry, wanted: string): number {
  if (/^\d+$/.test(wanted)) return String(one.code) === wanted ? 3 : String(one.code).startsWith(wanted) ? 2 : 0;
  const names = [plain(one.name_zh), plain(one.name_en), initialsOf(one.name_zh), pinyinOf(one.name_zh)];
  if (one.country.toLowerCase() === wanted || names.includes(wanted)) return 4;
  if (names.some((name) => name.startsWith(wanted))) return 3;
  if (plain(one.name_en.replace(/\s+/g, '|')).split('|').some((word) => word.startsWith(wanted))) return 2;
  return names.some((name) => name.includes(wanted)) ? 1 : 0;
}

export function searchCountries(countries: FoundCountry[], typed: string): FoundCountry[] {
  const wanted = plain(typed.normalize('NFKC').replace(/^\s*\+|^\s*00/, ''));
  if (wanted === '') return countries;
  const judged = countries.map((one) => ({ one, fit: fitOf(one, wanted) })).filter(({ fit }) => fit > 0);
  return judged.sort((a, b) => b.fit - a.fit).map(({ one }) => one);
}

/** In the order people look things up in: pinyin or the alphabet; home first. */
export function inOrder(countries: FoundCountry[], isChinese: boolean): FoundCountry[] {
  const order = isChinese ? pinyinOrder() : null;
  const compare = (a: FoundCountry, b: FoundCountry) =>
    order === null ? a.name_en.localeCompare(b.name_en) : order.compare(a.name_zh, b.name_zh);
  return [...countries].sort((a, b) => Number(b.country === 'CN') - Number(a.country === 'CN') || compare(a, b));
}
