// Leaves out of the built mini-program what WeChat would carry for nothing, and refuses one that is too large.
// Usage: node scripts/finish_mini_program.mjs <folder>
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const mostBytes = 1_000_000; // WeChat takes 2 MB; half of it keeps the first opening quick
const folder = process.argv[2];
if (!folder) throw new Error('Name the folder of the built mini-program.');

let bytes = 0;
const largest = [];
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (entry.name.endsWith('.wasm')) {
    rmSync(path); // WXWebAssembly reads the .wasm.br beside it
    continue;
  }
  const { size } = statSync(path);
  bytes += size;
  largest.push([size, path]);
}
if (bytes > mostBytes) {
  largest.sort((a, b) => b[0] - a[0]);
  for (const [size, path] of largest.slice(0, 10)) console.error(`${size} ${path}`);
  console.error(`The mini-program has ${bytes} bytes, more than ${mostBytes}.`);
  process.exit(1);
}
console.log(`mini-program: ${bytes} bytes`);
