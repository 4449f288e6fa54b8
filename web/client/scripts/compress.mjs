// Writes a .br beside every text file and binary of a build, so that the server sends it without compressing.
// Usage: node scripts/compress.mjs <folder>
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const kinds = new Set(['.html', '.js', '.css', '.svg', '.json', '.webmanifest', '.wasm']);
const smallestWorthIt = 200;
const folder = process.argv[2];
if (!folder) throw new Error('Name the folder to compress.');

let raw = 0;
let packed = 0;
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !kinds.has(extname(entry.name))) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const bytes = readFileSync(path);
  if (bytes.length < smallestWorthIt) continue;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const small = brotliCompressSync(bytes, { params });
  writeFileSync(`${path}.br`, small);
  raw += bytes.length;
  packed += small.length;
}
console.log(`compressed: ${raw} bytes to ${packed}`);
