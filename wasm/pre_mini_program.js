// Mini-programs have no WebAssembly global, and the generated glue looks for one at load. Their own WXWebAssembly comes in
// through the instantiateWasm hook; all that is missing is a name to ask for.
var WebAssembly = (function () {
  var g = typeof globalThis === "object" ? globalThis : {};
  if (g.WebAssembly) return g.WebAssembly;
  function RuntimeError(message) {
    var error = new Error(message);
    error.name = "RuntimeError";
    return error;
  }
  return { RuntimeError: RuntimeError };
})();
