// What this device keeps. Every read tolerates what an older version, another tab or a curious person left behind.
import { isPreview } from './browser';

const kPrefix = 'topup.';

export type StorageKey =
  | 'session' | 'price_book' | 'recipients' | 'checkout' | 'leaving' | 'wechat_journey' | 'locale' | 'shop_locale' | 'device' | 'shelf'
  | 'agreed' | 'dismissed' | 'look' | 'member' | 'shop_offers' | 'stations' | 'station_wishes' | 'drafts' | 'asked' | 'theme' | 'decoration';

export function readStored<T>(key: StorageKey, isGood: (value: unknown) => value is T): T | null {
  if (isPreview) return null;
  try {
    const text: unknown = uni.getStorageSync(kPrefix + key);
    if (typeof text !== 'string' || text === '') return null;
    const value: unknown = JSON.parse(text);
    return isGood(value) ? value : null;
  } catch {
    return null;
  }
}

/** Best effort: a full or forbidden storage must not stop a purchase. */
export function writeStored(key: StorageKey, value: object | string): void {
  if (isPreview) return;
  try {
    uni.setStorageSync(kPrefix + key, JSON.stringify(value));
  } catch {
    return;
  }
}

export function removeStored(key: StorageKey): void {
  if (isPreview) return;
  try {
    uni.removeStorageSync(kPrefix + key);
  } catch {
    return;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
