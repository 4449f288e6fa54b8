// What a buyer types as a number: whose country it is, and how the field shows it.
import type { PhoneCheck } from '@topup/core';
import { core } from '@/core/topup';

export const kNothingTyped: PhoneCheck = {
  verdict: 'empty', operator_hint: 'unknown', national: '', bad_at: -1, reason: '', calling_code: 0, country: '', other_country: '',
};
const kWholeMainland = 11;
const kInternational = /^\s*(?:[+＋]|00|００)/;

export function checkFor(typed: string, country: string): PhoneCheck {
  return core.value?.checkPhone(typed, country) ?? kNothingTyped;
}

/** A number that can be topped up: known, or of a segment that nobody can exclude. */
export function isWholeNumber(check: PhoneCheck): boolean {
  return check.verdict === 'valid' || check.verdict === 'possible';
}

/**
 * The country that the field shall be of: another one as soon as what was typed can only be a number of that country and the
 * shop sells there. Without a plus it takes a whole number to leave, so that a slip of the finger does not travel.
 */
export function countryOf(typed: string, country: string, isSold: (country: string) => boolean): string {
  const here = checkFor(typed, country);
  if (here.reason !== 'phone_other_country') return country;
  if (here.other_country !== '' && isSold(here.other_country)) return here.other_country;
  const guess = checkFor(typed, '');
  return guess.country !== '' && isSold(guess.country) ? guess.country : country;
}

/** The verdict at the field. A calling code that is still being typed is a beginning, not a mistake. */
export function judge(typed: string, country: string): PhoneCheck {
  const here = checkFor(typed, country);
  if (here.reason !== 'phone_other_country' || !kInternational.test(typed)) return here;
  const guess = checkFor(typed, '');
  if (guess.country === '' && guess.verdict === 'incomplete') return { ...kNothingTyped, verdict: 'incomplete' };
  return here;
}

/** How many digits are missing; 0 where the country has numbers of several lengths. */
export function missingOf(check: PhoneCheck): number {
  return check.country === 'CN' ? Math.max(0, kWholeMainland - check.national.length) : 0;
}

/** As an order names it: mainland numbers as people write them, others with their country. */
export function accountOf(check: PhoneCheck): string {
  if (check.country === 'CN' || check.calling_code === 0) return check.national;
  return `+${check.calling_code}${check.national}`;
}

/** The text the field shall show: grouped digits as soon as there is one canonical form, the raw text until then. */
export function shapeOf(typed: string, country: string, group: (national: string, country: string) => string): string {
  const found = judge(typed, country);
  const hasForm = found.verdict !== 'impossible' || (found.bad_at >= 0 && found.bad_at < found.national.length);
  const isClean = !['phone_bad_character', 'phone_too_long', 'phone_other_country'].includes(found.reason);
  return hasForm && isClean && found.national !== '' ? group(found.national, country) : typed;
}
