// Apart, so that the library is fetched when a code is shown. A chunk of its own name: uni names a library's own chunk so that
// no browser finds it.
import { encode } from 'uqr';

/** Light modules around it that scanners need; the paper it lies on gives more. */
const kBorder = 1;

/** The dark modules as one path, and the width of the whole. */
export function qrPath(text: string): { path: string; size: number } {
  const { data, size } = encode(text, { ecc: 'M', border: kBorder });
  const cells = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { path: cells.join(''), size };
}
