import { getPriceBook } from '@api/price_book';
import type { Operator } from '@topup/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { startCore, type Core } from '@/core/topup';
import type { ShopBook, ShopProduct } from '@/core/shop_book';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';

interface StoredBook {
  base64: string;
  at_ms: number;
}

function isStoredBook(value: unknown): value is StoredBook {
  return isRecord(value) && typeof value.base64 === 'string' && typeof value.at_ms === 'number';
}

function toBase64(bytes: Uint8Array): string {
  return uni.arrayBufferToBase64(bytes.slice().buffer as ArrayBuffer);
}

/** What is on sale. The copy on the device is shown first and refreshed behind the buyer's back. */
export const useCatalog = defineStore('catalog', () => {
  const book = shallowRef<ShopBook | null>(null);
  const readAtMs = ref(0);
  const loading = ref(true);
  const failure = ref<Failure | null>(null);
  const source = ref<Core['source']>('wasm');

  const status = computed(() => {
    if (book.value !== null) return book.value.products.length > 0 ? 'ready' : 'empty';
    return loading.value ? 'loading' : 'error';
  });

  function take(core: Core, bytes: Uint8Array, atMs: number): boolean {
    const outcome = core.loadPriceBook(bytes);
    if (!outcome.ok) {
      failure.value = { reason: outcome.error.reason, trace: '' };
      return false;
    }
    book.value = outcome.value;
    readAtMs.value = atMs;
    failure.value = null;
    return true;
  }

  function takeStored(core: Core): void {
    const stored = readStored('price_book', isStoredBook);
    if (stored === null || book.value !== null) return;
    const bytes = new Uint8Array(uni.base64ToArrayBuffer(stored.base64));
    if (!take(core, bytes, stored.at_ms)) removeStored('price_book');
  }

  /** Asks the server for a newer book. Keeps the old one when that fails. */
  async function refresh(): Promise<void> {
    const core = await startCore(send);
    source.value = core.source;
    takeStored(core);
    loading.value = true;
    try {
      const bytes = await getPriceBook(send, book.value?.fingerprint ?? '');
      const now = Date.now();
      if (bytes === null) {
        readAtMs.value = now;
        const stored = readStored('price_book', isStoredBook);
        if (stored !== null) writeStored('price_book', { ...stored, at_ms: now });
      } else if (take(core, bytes, now)) {
        writeStored('price_book', { base64: toBase64(bytes), at_ms: now });
      }
    } catch (failed) {
      failure.value = failureOf(failed);
    } finally {
      loading.value = false;
    }
  }

  let loaded: Promise<void> | null = null;
  /** Settles as soon as prices can be shown, or cannot. */
  async function ensure(): Promise<void> {
    const core = await startCore(send);
    source.value = core.source;
    takeStored(core);
    loaded ??= refresh().finally(() => (loaded = null));
    if (book.value === null) await loaded;
  }

  function productsOf(operatorId: string): ShopProduct[] {
    const products = book.value?.products.filter((product) => product.operator_id === operatorId) ?? [];
    return products.sort((a, b) => a.face.minor - b.face.minor);
  }
  function operator(id: string): Operator | null {
    return book.value?.operators.find((one) => one.id === id) ?? null;
  }
  function product(id: string): ShopProduct | null {
    return book.value?.products.find((one) => one.id === id) ?? null;
  }

  return { book, readAtMs, status, failure, source, refresh, ensure, productsOf, operator, product };
});
