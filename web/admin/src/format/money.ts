// Amounts as text, from integers only: no floating point touches a digit.
import type { Money } from '../api/types';

// Digits after the point, ISO 4217; the same table as shared/money.h.
const kDigits: Record<string, number> = {
  CNY: 2,
  USD: 2,
  EUR: 2,
  GBP: 2,
  HKD: 2,
  THB: 2,
  JPY: 0,
  KRW: 0,
  VND: 0,
  KWD: 3,
};
const kSymbols: Record<string, string> = {
  CNY: '¥',
  USD: '$',
  EUR: '€',
  GBP: '£',
  HKD: 'HK$',
  THB: '฿',
  JPY: 'JP¥',
  KRW: '₩',
  VND: '₫',
  KWD: 'KWD ',
};
const kMinus = '\u2212';
// Shown for a number that is not an integer JavaScript can hold: better no amount than a wrong one.
const kNotAnAmount = '?';

function group(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ',');
}

function isAmount(minor: number | bigint): boolean {
  return typeof minor === 'bigint' || Number.isSafeInteger(minor);
}

// 1234550 CNY -> "12,345.50"; the sign is left out. A currency without a known number of digits stays in minor units.
function unsignedText(minor: number | bigint, currency: string): string {
  const digits = kDigits[currency];
  const text = String(minor).replace('-', '');
  if (digits === undefined) return `${group(text)} minor`;
  if (digits === 0) return group(text);
  const padded = text.padStart(digits + 1, '0');
  return `${group(padded.slice(0, -digits))}.${padded.slice(-digits)}`;
}

// "12,345.50", "−0.01": for columns whose head names the currency.
export function amountText(minor: number | bigint, currency: string): string {
  if (!isAmount(minor)) return kNotAnAmount;
  return (minor < 0 ? kMinus : '') + unsignedText(minor, currency);
}

// "¥12,345.50", "−$0.01", "XAU 5 minor".
export function moneyText(money: Money): string {
  if (!isAmount(money.minor)) return kNotAnAmount;
  const symbol = kSymbols[money.currency] ?? `${money.currency} `;
  return (money.minor < 0 ? kMinus : '') + symbol + unsignedText(money.minor, money.currency);
}

// As moneyText, with "+" before what adds: for the lines of a quote.
export function changeText(money: Money): string {
  return (money.minor > 0 ? '+' : '') + moneyText(money);
}

// 9850 basis points -> "98.50 %".
export function rateText(basisPoints: number): string {
  if (!Number.isSafeInteger(basisPoints)) return kNotAnAmount;
  return `${amountText(basisPoints, 'CNY')} %`;
}
