// Texts of the hot paths cross as bytes in the module's memory. Mini-programs have no TextEncoder, and for texts this short
// a loop is faster than one.

const kReplacement = 0xfffd;

/** Writes `text` at `at` and gives the number of bytes, at most three for each of its units. Lone surrogates become U+FFFD. */
export function writeUtf8(heap: Uint8Array, at: number, text: string): number {
  let to = at;
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      heap[to++] = unit;
      continue;
    }
    let point = unit;
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const whole = text.codePointAt(i) as number;
      point = whole > 0xffff ? whole : kReplacement;
      if (whole > 0xffff) ++i;
    }
    if (point < 0x800) {
      heap[to++] = 0xc0 | (point >> 6);
    } else {
      if (point < 0x10000) {
        heap[to++] = 0xe0 | (point >> 12);
      } else {
        heap[to++] = 0xf0 | (point >> 18);
        heap[to++] = 0x80 | ((point >> 12) & 0x3f);
      }
      heap[to++] = 0x80 | ((point >> 6) & 0x3f);
    }
    heap[to++] = 0x80 | (point & 0x3f);
  }
  return to - at;
}

/** Reads the core's own UTF-8, which is well-formed. Short ASCII in one go: sixteen units, then cut. */
export function readUtf8(heap: Uint8Array, at: number, size: number): string {
  if (size <= 16) {
    let mixed = 0;
    for (let i = at; i < at + size; ++i) mixed |= heap[i] as number;
    if (mixed < 0x80) {
      const h = heap as unknown as number[];
      return String.fromCharCode(h[at], h[at + 1], h[at + 2], h[at + 3], h[at + 4], h[at + 5], h[at + 6], h[at + 7], h[at + 8],
        h[at + 9], h[at + 10], h[at + 11], h[at + 12], h[at + 13], h[at + 14], h[at + 15]).slice(0, size);
    }
  }
  let text = '';
  for (let i = at; i < at + size; ) {
    const byte = heap[i++] as number;
    if (byte < 0x80) {
      text += String.fromCharCode(byte);
      continue;
    }
    const more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    let point = byte & (0x3f >> more);
    for (let k = 0; k < more; ++k) point = (point << 6) | ((heap[i++] as number) & 0x3f);
    text += String.fromCodePoint(point);
  }
  return text;
}
