// node tests/bench/main.mjs SUITE [--json]
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

const [suite, mode] = process.argv.slice(2);
const { run } = await import(`./${suite}.mjs`);
const results = await run();
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const machine = `${cpus().length} cores, ${cpus()[0].model}`;
if (mode === '--json') {
  console.log(JSON.stringify({ suite, commit, machine, results }));
} else {
  console.log(`${suite} at ${commit} on ${machine}`);
  for (const { id, value, unit, spread, goal, met } of results) {
    console.log(`  ${met ? 'ok  ' : 'MISS'} ${id.padEnd(40)} ${value} ${unit} (${spread.join(' to ')})${goal === null ? '' : `, goal ${goal}`}`);
  }
}
process.exit(0);
