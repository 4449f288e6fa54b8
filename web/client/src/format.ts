// The formatter: the only place where Money becomes text. Digits come from the core.
import type { Money } from '@topup/core';
import { core } from '@/core/topup';
import { locale } from '@/i18n';

const kSymbols: Record<string, string> = {
  CNY: '¥', USD: 'US$', EUR: '€', GBP: '£', HKD: 'HK$', JPY: 'JP¥', KRW: '₩', KWD: 'KD ',
};

// A tap draws a dozen amounts again that were drawn before: asking the core for each took half of the tap.
const kMostKnown = 500;
const known = new Map<string, string>();

/** "¥99.50", with a real minus sign before the symbol. */
export function moneyText(amount: Money): string {
  const key = `${amount.minor} ${amount.currency}`;
  const drawn = core.value === null ? undefined : known.get(key);
  if (drawn !== undefined) return drawn;
  const digits = core.value?.decimalText(amount) ?? '';
  if (digits === '') return '';
  const symbol = kSymbols[amount.currency] ?? `${amount.currency} `;
  const text = digits.startsWith('-') ? `−${symbol}${digits.slice(1)}` : symbol + digits;
  if (known.size >= kMostKnown) known.clear();
  known.set(key, text);
  return text;
}

/** "¥100": whole amounts without their zeros, for faces and what arrives. */
export function wholeMoneyText(amount: Money): string {
  return moneyText(amount).replace(/\.0+$/, '');
}

/** "+¥0.50" or "−¥0.50": what a line adds or takes off. */
export function effectText(amount: Money): string {
  return amount.minor > 0 ? `+${moneyText(amount)}` : moneyText(amount);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** "10:31", with the date before it when it is not today. */
export function timeText(atMs: number, withSeconds = false): string {
  const at = new Date(atMs);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}${withSeconds ? `:${two(at.getSeconds())}` : ''}`;
  if (at.toDateString() === new Date().toDateString()) return clock;
  const language = locale.value === 'zh' ? 'zh-CN' : 'en-GB';
  return `${at.toLocaleDateString(language, { month: 'short', day: 'numeric' })} ${clock}`;
}

/** "14:32": minutes and seconds left, never below zero. */
export function leftText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

const kLoneDigit = /(\d{3}) (\d)$/;

/** "138 1234 5678" as far as it has been typed; abroad groups of three, with four at the end rather than one alone. */
export function groupedNumber(national: string, country = 'CN'): string {
  if (country !== 'CN') return national.replace(/(\d{3})(?=\d)/g, '$1 ').replace(kLoneDigit, '$1$2');
  return [national.slice(0, 3), national.slice(3, 7), national.slice(7)].filter((part) => part !== '').join(' ');
}

/** 9950 basis points as "99.5". */
export function percentText(basisPoints: number): string {
  return String(Math.round(basisPoints) / 100);
}

/** The Chinese way: 9850 is "98.5" 折, 9000 is "9" 折. */
export function zheText(basisPoints: number): string {
  return basisPoints % 1000 === 0 ? String(basisPoints / 1000) : percentText(basisPoints);
}
