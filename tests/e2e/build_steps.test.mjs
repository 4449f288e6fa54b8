// The steps that scripts build with: a command that fails in the middle of one fails it, wherever the script stands.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const lib = join(resolve(dirname(fileURLToPath(import.meta.url)), '../..'), 'scripts/lib.sh');

function steps(call) {
  return spawnSync('bash', ['-c', `
    source "${lib}"
    broken() { true; false; echo "went on"; }
    whole() { echo "was made"; }
    add_step probe-broken "A broken step" "" "look" broken
    add_step probe-after "What needs it" "probe-broken" "look" whole
    add_step probe-whole "A whole step" "" "look" whole
    ${call}
    echo "failed: $steps_failed, broken \${step_state[probe-broken]}, after \${step_state[probe-after]}, whole \${step_state[probe-whole]}"
  `], { encoding: 'utf8' });
}

test('a step ends at its first failed command, and what needs it is not begun', () => {
  const { status, stdout } = steps('run_steps go-on');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^failed: 1, broken failed, after \w+, whole done$/m);
  assert.doesNotMatch(stdout, /after done/);
  assert.doesNotMatch(stdout, /^went on$/m);
});

test('where bash would pass over such a failure, the steps refuse to run', () => {
  for (const call of ['run_steps go-on || true', 'if run_steps stop; then :; fi', 'run_steps stop && true']) {
    const { status, stdout, stderr } = steps(call);
    assert.equal(status, 1, call);
    assert.match(stderr, /stands in a condition/, call);
    assert.doesNotMatch(stdout, /failed: /, call);
  }
});
