// Brings the binary into Node.js: for tests, benchmarks and rendering on a server.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Instantiate } from './raw';

/** `url` is a path or a file: address. */
export const instantiateInNode: Instantiate = async (imports, source) => {
  if (source.bytes) return WebAssembly.instantiate(source.bytes, imports);
  if (!source.url) throw new Error('The core needs a url or bytes.');
  const path = source.url.startsWith('file:') ? fileURLToPath(source.url) : source.url;
  return WebAssembly.instantiate(await readFile(path), imports);
};
