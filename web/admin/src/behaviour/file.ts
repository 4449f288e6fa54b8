// A table as a file: asked for part by part, put together here, and handed to the browser.
import { ref } from 'vue';

import { asProblem, type Problem } from '../transport';

interface Part {
  text: string;
  rows: number;
  mostRows: number;
  next: string;
}

export function useFile(name: () => string, ask: (cursor: string) => Promise<Part>) {
  const busy = ref(false);
  const rows = ref(0);
  const cut = ref(false); // the file ends before the table does
  const problem = ref<Problem | null>(null);
  let stopped = false;

  async function gather(parts: string[]): Promise<void> {
    let cursor = '';
    do {
      const part = await ask(cursor);
      parts.push(part.text);
      rows.value += part.rows;
      cursor = part.next;
      cut.value = cursor !== '' && rows.value >= part.mostRows;
    } while (cursor !== '' && !cut.value && !stopped);
  }
  async function save(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    stopped = false;
    rows.value = 0;
    cut.value = false;
    problem.value = null;
    const parts: string[] = [];
    try {
      await gather(parts);
      if (!stopped) hand(parts);
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  }
  function hand(parts: string[]): void {
    const address = URL.createObjectURL(new Blob(parts, { type: 'text/csv;charset=utf-8' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = name();
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
  const stop = () => (stopped = true);
  return { busy, rows, cut, problem, save, stop };
}
