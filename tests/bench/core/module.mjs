// The compiled core the way the pages use it: Emscripten's glue and the typed loader, put together by esbuild.
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const here = dirname(fileURLToPath(import.meta.url));
export const root = resolve(here, '../../..');
export const dist = process.env.TOPUP_WASM ?? join(root, 'build/wasm/dist');
export const made = join(root, 'build/bench');
export const wasmPath = join(dist, 'topup.wasm');
mkdirSync(made, { recursive: true });

const kHosts = { node: ['node', 'instantiateInNode'], browser: ['browser', 'instantiateInBrowser'] };

/** One file with glue and loader for `host`, in build/bench; gives its path. */
export async function bundleLoader(host, minify) {
  const [file, instantiate] = kHosts[host];
  const loader = join(root, 'wasm/loader');
  const outfile = join(made, `core_${host}${minify ? '.min' : ''}.mjs`);
  await build({ bundle: true, minify, format: 'esm', target: 'es2018', platform: host === 'node' ? 'node' : 'browser', outfile,
    logLevel: 'error', legalComments: 'none', stdin: { resolveDir: root, contents: `
      import glue from ${JSON.stringify(join(dist, 'topup.js'))};
      import { makeLoader } from ${JSON.stringify(join(loader, 'index.ts'))};
      import { ${instantiate} } from ${JSON.stringify(join(loader, `${file}.ts`))};
      export const loadTopup = makeLoader(glue, ${instantiate});` } });
  return outfile;
}

/** { core, memoryBytes() }: a fresh module, and what its linear memory holds now. */
export async function loadCore() {
  const plain = WebAssembly.instantiate;
  let memory = null;
  WebAssembly.instantiate = async (...given) => {
    const result = await plain.apply(WebAssembly, given);
    const { exports } = result.instance ?? result;
    memory = Object.values(exports).find((one) => one instanceof WebAssembly.Memory);
    return result;
  };
  try {
    const { loadTopup } = await import(`${await bundleLoader('node', false)}?fresh=${process.hrtime.bigint()}`);
    const core = await loadTopup({ bytes: await readFile(wasmPath) });
    return { core, memoryBytes: () => memory.buffer.byteLength };
  } finally {
    WebAssembly.instantiate = plain;
  }
}
