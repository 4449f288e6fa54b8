// Runs the golden vectors against a module; the same in Node.js and in a browser.

/** The members of `expected` in `got`, for vectors that say less than the core does. */
function partOf(got, expected) {
  return Object.fromEntries(Object.keys(expected).map((key) => [key, got[key]]));
}

/** One file: rows of a call each, or of what was typed into the mainland number field. Gives what differed. */
export function runVectors(raw, topup, rows) {
  const differing = [];
  for (const { name, call, in: input, out } of rows) {
    const expected = JSON.stringify(out);
    const got = call === undefined ? JSON.stringify(partOf(topup.checkPhone(input, 'CN'), out)) : raw.call(call, JSON.stringify(input));
    if (got !== expected) differing.push({ name, got, expected });
  }
  return differing;
}

/** The exports themselves, without the loader's care, from a compiled or fetched binary. */
export function startRaw(glue, binary) {
  return new Promise((done, fail) => {
    glue({ instantiateWasm(imports, ready) {
      WebAssembly.instantiate(binary, imports).then(({ instance, module }) => ready(instance, module), fail);
      return {};
    } }).then(done, fail);
  });
}
