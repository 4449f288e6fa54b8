// Programs that a test starts. They end with the test's process, however that ends: one left behind would keep the whole run
// waiting.
import { spawn } from 'node:child_process';

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });
process.once('SIGTERM', () => process.exit(143));  // the runner's own time limit; without this the line above is skipped

/** `spawn` of node:child_process, with the same arguments. */
export function startChild(program, words, options) {
  const child = spawn(program, words, options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
