// What suppliers let the shop sell: filtered, page by page; what is picked, and what a change would do before it is done.
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';

import {
  editProducts,
  listProducts,
  type CountryRow,
  type EditAnswer,
  type ProductEdit,
  type ProductFilter,
  type ShopProduct,
} from '../api/catalogue';
import { fromCsv, toCsv } from '../format/csv';
import { asProblem, newKey, type Problem } from '../transport';

export const kCsvColumns = ['product_id', 'on_sale', 'name_zh', 'name_en'] as const;
const kMostPages = 200;

export class CsvError extends Error {}

export function editsFromCsv(text: string): ProductEdit[] {
  const [head, ...rows] = fromCsv(text);
  const columns = (head ?? []).map((name) => name.trim());
  const unknown = columns.filter((name) => !(kCsvColumns as readonly string[]).includes(name));
  // What the export shows beside them is for reading only.
  const readOnly = ['country', 'operator', 'kind', 'face', 'list', 'cost'];
  if (!columns.includes('product_id') || unknown.some((name) => !readOnly.includes(name)))
    throw new CsvError('csv_columns');
  return rows.map((row) => {
    const cell = (name: string) => row[columns.indexOf(name)];
    const edit: ProductEdit = { product_id: cell('product_id') ?? '' };
    const onSale = cell('on_sale');
    if (onSale !== undefined && onSale !== '') {
      // A word that is neither stays text, so that the server names the row.
      edit.on_sale = onSale === 'yes' ? true : onSale === 'no' ? false : (onSale as unknown as boolean);
    }
    if (cell('name_zh') !== undefined) edit.name_zh = cell('name_zh');
    if (cell('name_en') !== undefined) edit.name_en = cell('name_en');
    return edit;
  });
}

export function csvOf(products: readonly ShopProduct[]): string {
  const minor = (value: number | undefined) => (value === undefined ? '' : String(value));
  return toCsv([
    [...kCsvColumns, 'country', 'operator', 'kind', 'face', 'list', 'cost'],
    ...products.map((row) => [
      row.product_id,
      row.on_sale ? 'yes' : 'no',
      row.name_zh,
      row.name_en,
      row.country,
      row.operator_id,
      row.kind,
      `${row.face.minor} ${row.face.currency}`,
      minor(row.list_minor),
      minor(row.cost_minor),
    ]),
  ]);
}

export const useProducts = defineStore('products', () => {
  const filter = ref<ProductFilter>({ country: '', operator_id: '', kind: '', on_sale: '', q: '' });
  const rows = shallowRef<ShopProduct[]>([]);
  const countries = shallowRef<CountryRow[]>([]);
  const total = ref(0);
  const cursor = ref('');
  const busy = ref(false);
  const loaded = ref(false);
  const problem = shallowRef<Problem | null>(null);
  const picked = ref(new Set<string>());
  const trial = shallowRef<{ edits: ProductEdit[]; answer: EditAnswer } | null>(null);
  let turn = 0;

  const operators = computed(() => countries.value.find((one) => one.country === filter.value.country)?.operators ?? []);

  async function load(more = false): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    try {
      const page = await listProducts(filter.value, more ? cursor.value : '');
      if (mine !== turn) return;
      rows.value = more ? [...rows.value, ...page.products] : page.products;
      if (!more) picked.value = new Set();
      if (page.countries !== undefined) countries.value = page.countries;
      total.value = page.total;
      cursor.value = page.next_cursor ?? '';
      problem.value = null;
      loaded.value = true;
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }

  // Asks the server what a change would do; nothing is changed yet.
  async function attempt(edits: ProductEdit[]): Promise<void> {
    problem.value = null;
    try {
      trial.value = { edits, answer: await editProducts(edits, true, newKey()) };
    } catch (error) {
      problem.value = asProblem(error);
    }
  }
  async function confirm(once: string): Promise<number> {
    if (trial.value === null) return 0;
    const { changed } = await editProducts(trial.value.edits, false, once);
    trial.value = null;
    await load();
    return changed;
  }

  // Every row that fits the filter, also those not shown yet.
  async function everything(): Promise<ShopProduct[]> {
    const all: ShopProduct[] = [];
    let from = '';
    for (let page = 0; page < kMostPages; ++page) {
      const answer = await listProducts(filter.value, from);
      all.push(...answer.products);
      if (answer.next_cursor === undefined) break;
      from = answer.next_cursor;
    }
    return all;
  }

  return { filter, rows, countries, operators, total, cursor, busy, loaded, problem, picked, trial, load, attempt, confirm, everything };
});
