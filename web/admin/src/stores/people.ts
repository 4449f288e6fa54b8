// Lists of people's pages: rows of one filter, page by page, an answer to an older question dropped.
import { computed, ref, shallowRef, type Ref } from 'vue';

import { asProblem, type Problem } from '../transport';

export interface ListPage<Row> {
  rows: Row[];
  next: string;
}

export function usePagedList<Row>(ask: (cursor: string) => Promise<ListPage<Row>>, idOf: (row: Row) => string) {
  const rows = shallowRef<Row[]>([]) as Ref<Row[]>;
  const next = ref('');
  const pages = ref(0);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  let turn = 0;

  const loaded = computed(() => pages.value > 0);

  async function take(cursor: string): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    try {
      const page = await ask(cursor);
      if (mine !== turn) return;
      const kept = cursor === '' ? [] : rows.value;
      const known = new Set(kept.map(idOf));
      rows.value = [...kept, ...page.rows.filter((row) => !known.has(idOf(row)))];
      next.value = page.next;
      pages.value = cursor === '' ? 1 : pages.value + 1;
      problem.value = null;
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }
  async function restart(): Promise<void> {
    rows.value = [];
    pages.value = 0;
    next.value = '';
    await take('');
  }
  const refresh = () => take('');
  async function more(): Promise<void> {
    if (next.value !== '' && !busy.value) await take(next.value);
  }
  function neighbour(id: string, step: 1 | -1): string | null {
    const at = rows.value.findIndex((row) => idOf(row) === id);
    const row = rows.value[at === -1 ? 0 : at + step];
    return row === undefined ? null : idOf(row);
  }
  return { rows, next, busy, problem, loaded, restart, refresh, more, neighbour };
}
