// How stations are said: distances, hours, prices, and why the core puts one first.
import type { NearStation } from '@topup/core';
import { moneyText } from './format';
import { t, wordOf } from './i18n';

const kDayMinutes = 1440;
const kShanghaiOffsetMin = 480;

export function distanceText(metres: number): string {
  if (metres < 1_000) return t('stations.metres', { count: Math.round(metres / 10) * 10 });
  return t('stations.kilometres', { count: (metres / 1_000).toFixed(metres < 10_000 ? 1 : 0) });
}

export function clockText(minute: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

export function opennessText(station: NearStation): string {
  const now = (Math.floor(Date.now() / 60_000) + kShanghaiOffsetMin) % kDayMinutes;
  const time = clockText((now + station.openness_minutes) % kDayMinutes);
  return t(wordOf('stations.open', station.openness, 'stations.open.unknown'), { time });
}

export function hoursText(open: number, close: number): string {
  if (open === close) return t('stations.open.unknown');
  if (open === 0 && close === kDayMinutes) return t('station.all_day');
  return `${clockText(open)} – ${clockText(close)}`;
}

export function brandText(brand: string): string {
  const word = wordOf('stations.brand', brand, 'stations.brand.any');
  return word === 'stations.brand.any' ? brand : t(word);
}

/** The first of the core's reasons that says why to go there; hours and price stand beside it anyway. */
export function whyText(station: NearStation): string {
  for (const { word, value } of station.why) {
    const full = wordOf('stations.why', word, 'stations.empty');
    if (full !== 'stations.empty') return t(full, { value, yuan: moneyText({ minor: value, currency: 'CNY' }) });
  }
  return '';
}
