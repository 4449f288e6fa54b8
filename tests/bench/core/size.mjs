// What a page downloads: the binary, and glue with loader as one minified file, each in brotli as the shop sends them;
// against the JavaScript that does the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { figure } from '../figures.mjs';
import { bundleLoader, here, made, wasmPath } from './module.mjs';

const kKilobyte = 1000;
const kPeers = {
  min: `export { parsePhoneNumberFromString, validatePhoneNumberLength } from 'libphonenumber-js/min';`,
  mobile: `export { parsePhoneNumberFromString, validatePhoneNumberLength } from 'libphonenumber-js/mobile';`,
  max: `export { parsePhoneNumberFromString, validatePhoneNumberLength } from 'libphonenumber-js/max';`,
};
const kRest = `
  export { add, dinero, lessThan, multiply, subtract, toSnapshot, transformScale } from 'dinero.js';
  export { Engine } from 'json-rules-engine';
  export { createMachine, transition } from 'xstate';`;

function brotliBytes(content) {
  return brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }).length;
}

async function peerBytes(metadata) {
  const outfile = join(made, `peer_${metadata}.min.mjs`);
  await build({ bundle: true, minify: true, format: 'esm', platform: 'browser', outfile, logLevel: 'error',
    legalComments: 'none', define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEBUG': '""', global: 'globalThis' },
    stdin: { contents: kPeers[metadata] + kRest, resolveDir: here } });
  return brotliBytes(readFileSync(outfile)) / kKilobyte;
}

export async function sizeFigures() {
  const wasm = brotliBytes(readFileSync(wasmPath)) / kKilobyte;
  const glue = brotliBytes(readFileSync(await bundleLoader('browser', true))) / kKilobyte;
  const rows = [];
  for (const metadata of Object.keys(kPeers)) {
    const peerValue = await peerBytes(metadata);
    const name = metadata === 'min' ? 'core.size_brotli' : `core.size_brotli_${metadata}`;
    rows.push(figure(name, [wasm + glue], 'KB', 45, { peer: `libphonenumber-js (${metadata}), dinero.js, json-rules-engine, xstate`,
      peerValue, ratio: (wasm + glue) / peerValue, goalForRatio: false }));
  }
  return [...rows, figure('core.size_brotli_wasm', [wasm], 'KB', null), figure('core.size_brotli_glue', [glue], 'KB', null)];
}
