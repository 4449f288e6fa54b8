import { getProductNotes, type ProductNote } from '@api/product_notes';
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import { t, type Word } from '@/i18n';
import { send } from '@/transport';

const kLast = Number.MAX_SAFE_INTEGER;
// A label without a word here is of a newer shop, and is left out.
const kLabels: Record<string, Word> = {
  hot: 'label.hot',
  new: 'label.new',
  recommended: 'label.recommended',
  value: 'label.value',
  limited: 'label.limited',
};
const plain = (text: string): string => text.normalize('NFKC').replace(/\s/g, '').toLowerCase();

/** What the shop says of how products are shown. Without it the shelf is in the order of its amounts. */
export const useProductNotes = defineStore('product_notes', () => {
  const notes = shallowRef<ReadonlyMap<string, ProductNote>>(new Map());

  async function refresh(): Promise<void> {
    try {
      notes.value = new Map((await getProductNotes(send)).map((one) => [one.product_id, one]));
    } catch {
      // What was known stays.
    }
  }
  const placeOf = (id: string): number => notes.value.get(id)?.place || kLast;
  const labelsOf = (id: string): string[] =>
    (notes.value.get(id)?.labels ?? []).flatMap((one) => (kLabels[one] ? [t(kLabels[one])] : []));
  /** Whether a product goes by such a name, besides those on it. */
  function isCalled(id: string, names: string[], typed: string): boolean {
    const wanted = plain(typed);
    return wanted === '' || [...names, ...(notes.value.get(id)?.aliases ?? [])].some((one) => plain(one).includes(wanted));
  }
  return { notes, refresh, placeOf, labelsOf, isCalled };
});
