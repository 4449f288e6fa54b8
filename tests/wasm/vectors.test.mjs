// The golden vectors that the native tests run, byte for byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshTopup, rawCore, vectorNames, vectorRows } from './support/core.mjs';
import { runVectors } from './support/vectors.mjs';

for (const name of vectorNames) {
  test(`golden vectors: ${name}`, async () => {
    const rows = vectorRows(name);
    assert.ok(rows.length >= 20, `${rows.length} rows`);
    assert.deepEqual(runVectors(await rawCore(), await freshTopup(), rows), []);
  });
}

test('every call has a golden vector', async () => {
  const asked = new Set(vectorNames.flatMap((name) => vectorRows(name).map((row) => row.call)));
  const missing = JSON.parse((await rawCore()).call_names()).filter((name) => !asked.has(name));
  assert.deepEqual(missing, []);
});
