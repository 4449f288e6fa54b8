// What changed between two texts, line by line: the longest lines both have in their order stay.
export interface DiffLine {
  how: 'same' | 'gone' | 'new';
  text: string;
}

const kMostCells = 1_000_000; // of the table; beyond it the texts are told as replaced

export function lineDiff(before: string, after: string): DiffLine[] {
  const a = before === '' ? [] : before.split('\n');
  const b = after === '' ? [] : after.split('\n');
  const gone = (text: string): DiffLine => ({ how: 'gone', text });
  const fresh = (text: string): DiffLine => ({ how: 'new', text });
  if (a.length * b.length > kMostCells) return [...a.map(gone), ...b.map(fresh)];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; --i) {
    for (let j = b.length - 1; j >= 0; --j) {
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [old, now] = [a[i], b[j]];
    if (old !== undefined && old === now) {
      lines.push({ how: 'same', text: old });
      ++i;
      ++j;
    } else if (now === undefined || (old !== undefined && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(gone(old ?? ''));
      ++i;
    } else {
      lines.push(fresh(now));
      ++j;
    }
  }
  return lines;
}
