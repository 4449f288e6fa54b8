// A device for the stores: storage in memory, a language, and the real core as the page has it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { createPinia, setActivePinia } from 'pinia';

const kept = new Map<string, string>();
const device = {
  getStorageSync: (key: string) => kept.get(key) ?? '',
  setStorageSync: (key: string, text: string) => void kept.set(key, text),
  removeStorageSync: (key: string) => void kept.delete(key),
  getSystemInfoSync: () => ({ language: 'zh-CN' }),
  getNetworkType: () => undefined,
  onNetworkStatusChange: () => undefined,
};
Object.assign(globalThis, { uni: device, window: { addEventListener: () => undefined } });

export const storage = kept;
export const wasmFolder = process.env.TOPUP_WASM ?? join(__dirname, '../../../../build/wasm/dist');
export const wasmBytes = () => readFileSync(join(wasmFolder, 'topup.wasm'));

beforeEach(() => setActivePinia(createPinia()));
afterEach(() => kept.clear());
