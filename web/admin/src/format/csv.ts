// CSV as spreadsheets write and read it (RFC 4180). A cell that a spreadsheet would run as a formula is written as text.
const kRuns = /^[=+\-@\t\r]/;

function cell(value: string): string {
  const safe = kRuns.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) || safe !== value ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export function toCsv(rows: readonly (readonly string[])[]): string {
  return '\ufeff' + rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

// Rows of cells; the guard that toCsv() put before a formula is taken off again.
export function fromCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    let value = '';
    if (text[at] === '"') {
      for (++at; at < text.length; ++at) {
        if (text[at] !== '"') value += text[at];
        else if (text[at + 1] === '"') value += text[at++];
        else break;
      }
      ++at;
    }
    while (at < text.length && !',\r\n'.includes(text[at] as string)) value += text[at++];
    row.push(kRuns.test(value.slice(1)) && value.startsWith("'") ? value.slice(1) : value);
    if (text[at] === ',') {
      if (++at === text.length) row.push('');
      continue;
    }
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
  }
  if (row.length > 0) rows.push(row);
  return rows;
}
