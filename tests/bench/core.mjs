// The core, native and as WebAssembly, against the JavaScript that a page or server would use in its place.
import { bookFigures } from './core/book.mjs';
import { memoryFigures } from './core/memory.mjs';
import { loadCore } from './core/module.mjs';
import { nativeFigures } from './core/native.mjs';
import { orderFigures } from './core/order.mjs';
import { phoneFigures } from './core/phone.mjs';
import { quoteFigures } from './core/quote.mjs';
import { sizeFigures } from './core/size.mjs';
import { startFigures } from './core/start.mjs';

export async function run() {
  const rows = [...await sizeFigures(), ...await startFigures()];
  const { core } = await loadCore();
  rows.push(...await phoneFigures(core), ...await orderFigures(core), ...await quoteFigures(core), ...await bookFigures());
  return [...rows, ...nativeFigures(), ...await memoryFigures()];
}
