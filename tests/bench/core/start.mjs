// How soon a fresh Node.js process has the core: loader and glue read and run, binary read, compiled and started.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { figure } from '../figures.mjs';
import { bundleLoader, here, wasmPath } from './module.mjs';

const kStarts = 15;

export async function startFigures() {
  const loader = await bundleLoader('node', true);
  const once = () => Number(execFileSync(process.execPath, [join(here, 'start_once.mjs'), loader, wasmPath], { encoding: 'utf8' }));
  once();  // the file cache
  return [figure('core.start_node_ms', Array.from({ length: kStarts }, once), 'ms', 15)];
}
