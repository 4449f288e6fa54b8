// What this device keeps. Every read tolerates what an older version, another tab or a curious person left behind.
const kPrefix = 'topup.';

export type StorageKey = 'session' | 'price_book' | 'recipients' | 'checkout' | 'leaving' | 'locale';

export function readStored<T>(key: StorageKey, isGood: (value: unknown) => value is T): T | null {
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
  try {
    uni.setStorageSync(kPrefix + key, JSON.stringify(value));
  } catch {
    return;
  }
}

export function removeStored(key: StorageKey): void {
  try {
    uni.removeStorageSync(kPrefix + key);
  } catch {
    return;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
