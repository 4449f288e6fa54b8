// A list that is read page by page: the newest page again and again while only that one is shown, the next ones on wish.
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue';

import { asProblem, type Problem } from '../transport';

export interface Paged<Row> {
  rows: Row[];
  next: string;
}
export interface Pages<Row> {
  rows: ShallowRef<Row[]>;
  cursor: Ref<string>;
  loaded: ComputedRef<boolean>;
  busy: Ref<boolean>;
  problem: ShallowRef<Problem | null>;
  show: (name: string) => Promise<void>;
  more: () => Promise<void>;
  refresh: () => Promise<void>;
}

// `name` stands for the filter: another one forgets the rows.
export function makePages<Row>(ask: (cursor: string) => Promise<Paged<Row>>, keyOf: (row: Row) => string): Pages<Row> {
  const rows = shallowRef<Row[]>([]);
  const cursor = ref('');
  const count = ref(0);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  let shown = '';
  let turn = 0; // an answer to an older question is dropped

  async function take(from: string): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    try {
      const page = await ask(from);
      if (mine !== turn) return;
      const kept = from === '' ? [] : rows.value;
      const known = new Set(kept.map(keyOf));
      rows.value = [...kept, ...page.rows.filter((row) => !known.has(keyOf(row)))];
      cursor.value = page.next;
      count.value = from === '' ? 1 : count.value + 1;
      problem.value = null;
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }
  async function show(name: string): Promise<void> {
    if (name !== shown) {
      rows.value = [];
      count.value = 0;
      cursor.value = '';
    }
    shown = name;
    await take('');
  }
  async function more(): Promise<void> {
    if (cursor.value !== '' && !busy.value) await take(cursor.value);
  }
  async function refresh(): Promise<void> {
    if (count.value === 1 && !busy.value) await take('');
  }
  return { rows, cursor, loaded: computed(() => count.value > 0), busy, problem, show, more, refresh };
}
