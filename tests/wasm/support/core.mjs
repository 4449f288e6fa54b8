// The compiled core as the pages get it: Emscripten's glue with the typed loader, bundled by the client's own tools.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startRaw } from './vectors.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const dist = process.env.TOPUP_WASM ?? join(root, 'build/wasm/dist');
export const wasmPath = join(dist, 'topup.wasm');
const client = createRequire(join(root, 'web/client/package.json'));
const { build: esbuild } = client('esbuild');

const kInstantiate = { node: 'instantiateInNode', browser: 'instantiateInBrowser', mini_program: 'instantiateInMiniProgram' };
const entryOf = (host) => `
  import glue from ${JSON.stringify(join(dist, 'topup.js'))};
  import { makeLoader } from ${JSON.stringify(join(root, 'wasm/loader/index.ts'))};
  import { ${kInstantiate[host]} as instantiate } from ${JSON.stringify(join(root, `wasm/loader/${host}.ts`))};
  export { glue, instantiate, makeLoader };
  export const loadTopup = makeLoader(glue, instantiate);`;

/** One file's text: glue, loader and what brings the binary into `host`. */
export async function bundle(host, options = {}, more = '') {
  const made = await esbuild({ bundle: true, write: false, format: 'esm', target: 'es2018', logLevel: 'error',
    platform: host === 'node' ? 'node' : 'browser', stdin: { resolveDir: root, contents: entryOf(host) + more }, ...options });
  return made.outputFiles[0].text;
}

async function importBundle() {
  const folder = mkdtempSync(join(tmpdir(), 'topup core '));
  try {
    const file = join(folder, 'core.mjs');
    writeFileSync(file, await bundle('node'));
    return await import(pathToFileURL(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let node = null;
/** { glue, instantiate, makeLoader, loadTopup } for Node.js. */
export function nodeLoader() {
  node ??= importBundle();
  return node;
}

/** A fresh typed core, apart from every other. */
export async function freshTopup(options) {
  const { glue, instantiate, makeLoader } = await nodeLoader();
  return makeLoader(glue, instantiate, options)({ url: wasmPath });
}

/** The exports themselves, without the loader's care. */
export async function rawCore() {
  const { glue } = await nodeLoader();
  return startRaw(glue, readFileSync(wasmPath));
}

/** The page's script as shipped: tree-shaken and minified by the client's Vite. */
export async function shippedScript() {
  const { build } = await import(pathToFileURL(join(dirname(client.resolve('vite')), 'dist/node/index.js')));
  const virtual = '\0core-entry';
  const made = await build({ configFile: false, root, logLevel: 'silent',
    plugins: [{ name: 'core-entry', resolveId: (id) => (id === 'core-entry' ? virtual : null),
      load: (id) => (id === virtual ? entryOf('browser').replace(/export \{.*\n/, '') : null) }],
    build: { write: false, target: 'es2020', minify: 'esbuild', modulePreload: { polyfill: false },
      rollupOptions: { input: 'core-entry', preserveEntrySignatures: 'strict' } } });
  return made.output[0].code;
}

const vectorFolder = join(root, 'tests/vectors');
export const vectorNames = readdirSync(vectorFolder).filter((name) => name.endsWith('.json')).sort();
export const vectorRows = (name) => JSON.parse(readFileSync(join(vectorFolder, name), 'utf8'));
