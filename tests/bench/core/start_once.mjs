// node start_once.mjs LOADER WASM: milliseconds until a fresh process has a core that answers, measured inside it.
const [loader, wasm] = process.argv.slice(2);
const began = performance.now();
const { loadTopup } = await import(loader);
const core = await loadTopup({ url: wasm });
const version = core.version();
const ready = performance.now() - began;
if (version === '') throw new Error('The core does not answer.');
console.log(ready.toFixed(3));
