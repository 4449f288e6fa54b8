// A text of the shop, cut into what a page can draw. It stays text: nothing in it is ever read as markup of a browser, and
// characters that turn the reading direction of what follows are dropped, so that no word can pose as another.
export type TextBlock = { kind: 'heading' | 'paragraph'; text: string } | { kind: 'list'; items: string[] };

const kTurning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const kControls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufff9-\ufffb]/g;

export function safeText(text: string): string {
  return text.replace(kTurning, '').replace(kControls, ' ');
}

/** "# " begins a heading, "- " an item; an empty line ends a paragraph. */
export function blocksOf(text: string): TextBlock[] {
  const blocks: TextBlock[] = [];
  let open: string[] = [];
  const close = (): void => {
    if (open.length > 0) blocks.push({ kind: 'paragraph', text: open.join('\n') });
    open = [];
  };
  for (const line of safeText(text).split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '') close();
    else if (trimmed.startsWith('# ')) {
      close();
      blocks.push({ kind: 'heading', text: trimmed.slice(2) });
    } else if (trimmed.startsWith('- ')) {
      close();
      const last = blocks[blocks.length - 1];
      if (last?.kind === 'list') last.items.push(trimmed.slice(2));
      else blocks.push({ kind: 'list', items: [trimmed.slice(2)] });
    } else open.push(trimmed);
  }
  close();
  return blocks;
}
