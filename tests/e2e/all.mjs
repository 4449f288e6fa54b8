// Runs every file here and prints TAP. `node all.mjs [PART OF A NAME...]` runs only those whose name holds one of the parts.
// Tests wait more than they compute, so several files run at once. A file whose first line says "Alone:" measures times; those
// run one after the other, when the rest has ended.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from 'node:test';
import { tap } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const kAtOnce = 3;
const kFileMs = 420_000;  // what hangs costs its file, not the whole run
const kAloneMark = /^\/\/ Alone: /;
const kSlowestTold = 12;

const folder = fileURLToPath(new URL('.', import.meta.url));
const parts = process.argv.slice(2);
// The largest first: what is started last should end soon.
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs') && (parts.length === 0 || parts.some((part) => name.includes(part))))
  .map((name) => join(folder, name))
  .sort((a, b) => statSync(b).size - statSync(a).size);
const isAlone = (file) => kAloneMark.test(readFileSync(file, 'utf8'));

const scratch = mkdtempSync(join(tmpdir(), 'topup-e2e-run-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
process.env.TOPUP_E2E_KEYS = join(scratch, 'keys');

let failed = files.length === 0;
const spentMs = new Map();
async function runFiles(some, concurrency) {
  if (some.length === 0) return;
  const events = run({ files: some, concurrency, timeout: kFileMs, forceExit: true });
  events.on('test:fail', () => { failed = true; });
  events.on('test:complete', ({ file, name, nesting, details }) => {
    if (nesting === 0 && name !== file) spentMs.set(file, (spentMs.get(file) ?? 0) + details.duration_ms);
  });
  for await (const text of events.compose(tap)) process.stdout.write(text);
}

await runFiles(files.filter((file) => !isAlone(file)), kAtOnce);
await runFiles(files.filter(isAlone), 1);
const slowest = [...spentMs].sort((a, b) => b[1] - a[1]).slice(0, kSlowestTold);
for (const [file, ms] of slowest) console.log(`# ${basename(file)}: ${(ms / 1000).toFixed(1)} s of tests`);
process.exit(failed ? 1 : 0);
