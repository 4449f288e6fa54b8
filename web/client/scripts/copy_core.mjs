// Brings the compiled core into the sources: the glue as a module, the binary as a static file named by its content.
// Usage: node scripts/copy_core.mjs [folder with topup.js, topup.wasm and topup.wasm.br]
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const client = dirname(dirname(fileURLToPath(import.meta.url)));
const from = process.argv[2] ?? join(client, '..', '..', 'build', 'wasm', 'dist');
const glue = join(from, 'topup.js');
const binary = join(from, 'topup.wasm');
const packed = `${binary}.br`; // what a mini-program's package holds
if (![glue, binary, packed].every(existsSync)) {
  console.error('The core has not been built: build/wasm/dist lacks topup.js, topup.wasm or topup.wasm.br. Build wasm/ first.');
  process.exit(1);
}

const hash = createHash('sha256').update(readFileSync(binary)).digest('hex').slice(0, 10);
const name = `topup-${hash}.wasm`;
const generated = join(client, 'src', 'core', 'generated');
const served = join(client, 'src', 'static', 'wasm');
for (const folder of [generated, served]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
copyFileSync(glue, join(generated, 'topup.js'));
copyFileSync(binary, join(served, name));
copyFileSync(packed, join(served, `${name}.br`));
writeFileSync(join(generated, 'wasm_name.ts'), `export const wasmName = '${name}';\n`);
console.log(`core: ${name}`);
