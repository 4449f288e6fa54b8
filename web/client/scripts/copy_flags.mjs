// Brings flags out of the package into the sources as static files: on H5 fetched one by one,
// when one is seen; part of a mini-program's package.
// Usage: node scripts/copy_flags.mjs
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const kTerritory = /^[A-Z]{2}\.svg$/;
// A shop of the mainland shows these letters where others have a flag.
const kWithoutFlag = ['TW.svg'];

const client = dirname(dirname(fileURLToPath(import.meta.url)));
const from = join(client, 'node_modules', 'country-flag-icons', '3x2');
const to = join(client, 'src', 'static', 'flags');
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
const files = readdirSync(from).filter((name) => kTerritory.test(name) && !kWithoutFlag.includes(name));
for (const name of files) copyFileSync(join(from, name), join(to, name));
console.log(`flags: ${files.length}`);
