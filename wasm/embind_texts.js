// The JavaScript half of Embind for what bindings.cpp binds: free functions whose arguments and result are std::string.
// Emscripten's own half knows some forty types, overloads and classes, and is larger than all the rest of the glue.
// On the wire a std::string is its size in four bytes and its bytes behind them; arguments and results are freed here.
mergeInto(LibraryManager.library, {
  $textToWire: function (given) {
    var isText = typeof given == 'string';
    var size = isText ? lengthBytesUTF8(given) : given.length;
    var wire = _malloc(4 + size + 1);  // stringToUTF8 ends its text with a zero
    HEAP32[wire >> 2] = size;
    if (isText) stringToUTF8(given, wire + 4, size + 1);
    else HEAPU8.set(given, wire + 4);
    return wire;
  },
  $textFromWire: function (wire) {
    var at = wire + 4, end = at + HEAP32[wire >> 2], text = UTF8ToString(at, end - at);
    while ((at = HEAPU8.indexOf(0, at)) >= 0 && at < end) text += '\0' + UTF8ToString(++at, end - at);  // it stops at a zero
    _free(wire);
    return text;
  },
  _embind_register_function__deps: ['$textToWire', '$textFromWire'],
  _embind_register_function: function (name, typeCount, types, signature, invoker, target) {
    Module[UTF8ToString(name)] = function () {
      var wires = Array.prototype.map.call(arguments, textToWire);
      var result = wasmTable.get(invoker).apply(null, [target].concat(wires));
      wires.forEach(_free);
      return textFromWire(result);
    };
  },
});
