// A price book of thousands of products, from bytes to usable, in a fresh module each time the memory is counted.
import { figure } from '../figures.mjs';
import { loadCore } from './module.mjs';
import { bookBytes } from './native.mjs';

const kLoads = 15;
const kWarmUps = 3;

export async function bookFigures() {
  const bytes = bookBytes('large');
  const { core, memoryBytes } = await loadCore();
  const times = [];
  let products = 0;
  for (let i = 0; i < kLoads + kWarmUps; ++i) {
    const began = performance.now();
    const loaded = core.loadPriceBook(bytes);
    const took = performance.now() - began;
    if (!loaded.ok) throw new Error(`The large book is refused: ${loaded.error.reason}.`);
    products = loaded.value.products;
    if (i >= kWarmUps) times.push(took);
  }
  return [figure('core.price_book_load_wasm_ms', times, 'ms', 10),
    figure('core.price_book_bytes', [bytes.length], `bytes for ${products} products`, 300 * 1024),
    figure('core.price_book_memory', [memoryBytes() / 2 ** 20], 'MiB', null)];
}
