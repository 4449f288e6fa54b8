// Writes a .br sibling beside every text asset of the folder named on the command line, where that is smaller.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const kText = new Set(['.html', '.js', '.css', '.svg', '.json', '.txt']);
const root = process.argv[2];
if (root === undefined) throw new Error('usage: node scripts/compress.mjs <folder>');

let before = 0;
let after = 0;
for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !kText.has(extname(entry.name))) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  const packed = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  before += bytes.length;
  if (packed.length < bytes.length) writeFileSync(`${path}.br`, packed);
  after += Math.min(packed.length, bytes.length);
}
console.log(`brotli: ${before} -> ${after} bytes`);
