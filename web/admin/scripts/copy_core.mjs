// Brings the compiled core into the sources, for the page that tries price rules out.
// Usage: node scripts/copy_core.mjs [folder with topup.js and topup.wasm]
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const admin = dirname(dirname(fileURLToPath(import.meta.url)));
const from = process.argv[2] ?? join(admin, '..', '..', 'build', 'wasm', 'dist');
const into = join(admin, 'src', 'core', 'generated');
const files = ['topup.js', 'topup.wasm'];
if (!files.every((name) => existsSync(join(from, name)))) {
  console.error('The core has not been built: build/wasm/dist lacks topup.js or topup.wasm. Build wasm/ first.');
  process.exit(1);
}
mkdirSync(into, { recursive: true });
for (const name of files) copyFileSync(join(from, name), join(into, name));
