// node tests/bench/main.mjs SUITE [--json] [--record] [--quick] [--long] [--minutes N]
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { isLong, isQuick } from './form.mjs';

const history = new URL('history.jsonl', import.meta.url);
const [suite, ...modes] = process.argv.slice(2);
const load = Number(loadavg()[0].toFixed(2));  // before the suite's own
const began = performance.now();
const { run } = await import(`./${suite}.mjs`);
const results = await run();
const seconds = Math.round((performance.now() - began) / 1_000);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const machine = `${cpus().length} cores, ${cpus()[0].model}`;
const before = lastOf(suite);
if (modes.includes('--json')) {
  console.log(JSON.stringify({ suite, commit, machine, load, seconds, results }));
} else {
  console.log(`${suite} at ${commit} on ${machine}, load ${load}, ${seconds} s${isQuick ? ', the quick form: it proves that it works, no more' : ''}`);
  for (const row of results) console.log(`  ${lineOf(row)}`);
}
if (modes.includes('--record') && !isQuick) {
  const at = new Date().toISOString();
  appendFileSync(history, `${JSON.stringify({ at, suite, commit, machine, load, seconds, long: isLong, results })}\n`);
}
process.exit(0);

/** id → what the last recorded run of the suite gave. */
function lastOf(name) {
  if (!existsSync(history)) return {};
  const runs = readFileSync(history, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const last = runs.findLast((one) => one.suite === name);
  return Object.fromEntries((last?.results ?? []).map((row) => [row.id, row.value]));
}

function lineOf({ id, value, unit, spread, peer, peer_value: peerValue, ratio, goal, goal_for: goalFor, met }) {
  const word = goal === null ? '    ' : met ? 'ok  ' : 'MISS';
  const against = peer === null ? '' : `; ${ratio} × ${peer} (${peerValue})`;
  const wanted = goal === null ? '' : `; goal ${goal}${goalFor === 'ratio' ? ' ×' : ''}`;
  const was = before[id] === undefined ? '' : `; was ${before[id]}`;
  return `${word} ${id.padEnd(34)} ${value} ${unit} (${spread.join(' to ')})${against}${wanted}${was}`;
}
