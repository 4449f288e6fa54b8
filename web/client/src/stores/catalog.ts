import { getPriceBook } from '@api/price_book';
import type { Country, Operator, ProductKind } from '@topup/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { core, startCore, type Core } from '@/core/topup';
import type { ShopBook, ShopProduct } from '@/core/shop_book';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { useProductNotes } from './product_notes';

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
  const notes = useProductNotes();
  const book = shallowRef<ShopBook | null>(null);
  const readAtMs = ref(0);
  const loading = ref(true);
  const failure = ref<Failure | null>(null);
  const source = ref<Core['source']>('wasm');

  const status = computed(() => {
    if (book.value !== null) return book.value.products > 0 ? 'ready' : 'empty';
    return loading.value ? 'loading' : 'error';
  });

  function take(pricing: Core, bytes: Uint8Array, atMs: number): boolean {
    const outcome = pricing.loadPriceBook(bytes);
    if (!outcome.ok) {
      failure.value = { reason: outcome.error.reason, trace: '' };
      return false;
    }
    book.value = outcome.value;
    readAtMs.value = atMs;
    failure.value = null;
    return true;
  }

  function takeStored(pricing: Core): void {
    const stored = readStored('price_book', isStoredBook);
    if (stored === null || book.value !== null) return;
    const bytes = new Uint8Array(uni.base64ToArrayBuffer(stored.base64));
    if (!take(pricing, bytes, stored.at_ms)) removeStored('price_book');
  }

  /** Asks the server for a newer book. Keeps the old one when that fails. */
  async function refresh(): Promise<void> {
    const pricing = await startCore(send);
    source.value = pricing.source;
    takeStored(pricing);
    loading.value = true;
    void notes.refresh();
    try {
      const bytes = await getPriceBook(send, book.value?.fingerprint ?? '');
      const now = Date.now();
      if (bytes === null) {
        readAtMs.value = now;
        const stored = readStored('price_book', isStoredBook);
        if (stored !== null) writeStored('price_book', { ...stored, at_ms: now });
      } else if (take(pricing, bytes, now)) {
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
    const pricing = await startCore(send);
    source.value = pricing.source;
    takeStored(pricing);
    loaded ??= refresh().finally(() => (loaded = null));
    if (book.value === null) await loaded;
  }

  /** What an operator sells of a kind, in the shop's order, then the smallest first. Asked of the core for one operator: a book has thousands of products. */
  function productsOf(operatorId: string, kind: ProductKind): ShopProduct[] {
    if (book.value === null) return [];
    const products = core.value?.listProducts(operatorId) ?? [];
    return products.filter((one) => one.kind === kind).sort((a, b) => notes.placeOf(a.id) - notes.placeOf(b.id) || a.face.minor - b.face.minor);
  }
  function operatorsOf(country: string, kind: ProductKind): Operator[] {
    return book.value?.operators.filter((one) => one.country === country && one.kinds.includes(kind)) ?? [];
  }
  function country(iso2: string): Country | null {
    return book.value?.countries.find((one) => one.country === iso2) ?? null;
  }
  /** A product that is on sale now. */
  function product(id: string, operatorId: string): ShopProduct | null {
    if (book.value === null) return null;
    return core.value?.listProducts(operatorId).find((one) => one.id === id) ?? null;
  }
  function operator(id: string): Operator | null {
    return book.value?.operators.find((one) => one.id === id) ?? null;
  }

  return { book, readAtMs, status, failure, source, refresh, ensure, productsOf, operatorsOf, country, product, operator };
});
