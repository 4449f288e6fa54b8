// The core in a host like WeChat's: no WebAssembly, no eval, no fetch, no TextDecoder, and WXWebAssembly, which takes a path
// inside the code package. Node's vm stands in for it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import vm from 'node:vm';
import { brotliDecompressSync } from 'node:zlib';
import { bundle, dist } from './support/core.mjs';

const kMissing = ['eval', 'Function', 'fetch', 'document', 'window', 'TextDecoder', 'TextEncoder', 'URL', 'process', 'require'];
let script;
before(async () => {
  const code = await bundle('mini_program', { format: 'iife', globalName: 'core' });
  script = new vm.Script(`${code}; core.makeLoader`, { filename: 'core.js' });
});

const packaged = (path) => {
  const file = join(dist, path.replace(/^\/static\//, ''));
  const bytes = readFileSync(file);
  return path.endsWith('.br') ? brotliDecompressSync(bytes) : bytes;
};

// `WXWebAssembly` as the base library has it: one argument is a package path, the other the imports.
function host(instantiate = async (path, imports) => {
  assert.equal(typeof path, 'string', 'WXWebAssembly takes a path and no bytes');
  return WebAssembly.instantiate(packaged(path), imports);
}) {
  const world = vm.createContext({ WXWebAssembly: { instantiate }, setTimeout, clearTimeout, console },
    { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(`${kMissing.map((name) => `globalThis.${name} = undefined;`).join('')} delete globalThis.WebAssembly;`, world);
  assert.equal(vm.runInContext('typeof WebAssembly', world), 'undefined');
  assert.throws(() => vm.runInContext("[].constructor.constructor('return 1')()", world), /Code generation/);
  script.runInContext(world);
  return world;
}
const load = (world, url, options = '{}') =>
  vm.runInContext(`core.makeLoader(core.glue, core.instantiate, ${options})({ url: ${JSON.stringify(url)} })`, world);

for (const name of ['topup.wasm', 'topup.wasm.br']) {
  test(`the core answers from ${name}, texts beyond ASCII included`, async () => {
    assert.ok(existsSync(join(dist, name)), `${name} was built`);
    const core = await load(host(), `/static/${name}`);
    assert.equal(core.checkPhone('１３８ ００００ １２３４', 'CN').national, '13800001234');
    assert.equal(core.checkPhone('+66 81 234 5678', '').country, 'TH');
    assert.equal(core.decimalText({ minor: 9850, currency: 'CNY' }), '98.50');
    assert.equal(core.readIntent({ text: '给尾号1234充一百块😀' }).value.recipient.tail, '1234');
  });
}

test('a path that leaves the package, an old WeChat and a hanging load are refusals', async () => {
  await assert.rejects(load(host(), 'https://127.0.0.1/topup.dll'), /code package/);
  const old = host();
  vm.runInContext('delete globalThis.WXWebAssembly', old);
  await assert.rejects(load(old, '/static/topup.wasm'), /WXWebAssembly/);
  await assert.rejects(load(host(() => new Promise(() => {})), '/static/topup.wasm', '{ maxLoadMs: 50 }'), /within 50 ms/);
});

test('a load that failed may be tried again', async () => {
  let tries = 0;
  const world = host(async (path, imports) => {
    tries += 1;
    if (tries === 1) throw new Error('the package was not ready');
    return WebAssembly.instantiate(packaged(path), imports);
  });
  vm.runInContext('globalThis.loadTopup = core.makeLoader(core.glue, core.instantiate)', world);
  const again = () => vm.runInContext("loadTopup({ url: '/static/topup.wasm' })", world);
  await assert.rejects(again(), /not ready/);
  assert.equal((await again()).checkPhone('13800001234').verdict, 'valid');
});
