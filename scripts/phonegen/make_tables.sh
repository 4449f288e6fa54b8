#!/usr/bin/env bash
# Makes the tables that shared/phone_tables.cpp includes: make_tables.sh FOLDER/phone_tables.inc
# Native and WebAssembly builds call it, perhaps at the same time; a second time it has nothing to do. The tool is for this
# machine, whatever the build is for: CXX_FOR_BUILD names another compiler than g++.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd -- "$here/../.." && pwd -P)
out=${1:?the file to write}
tool="$(dirname -- "$out")/phonegen"
package="$here/node_modules/libphonenumber-js"
pinned=$(sed -n 's/^ *"libphonenumber-js": "\([0-9.]*\)".*/\1/p' "$here/package.json")

mkdir -p -- "$(dirname -- "$out")"
exec 8<"$here/package-lock.json"
flock 8
if ! grep -qsF "\"version\": \"$pinned\"" "$package/package.json"; then
  (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund)
fi
if [[ ! "$tool" -nt "$here/phonegen.cpp" || ! "$tool" -nt "$root/shared/phone_packing.h" ]]; then
  "${CXX_FOR_BUILD:-g++}" -std=c++20 -O1 -I "$root" -o "$tool.new" "$here/phonegen.cpp"
  mv -- "$tool.new" "$tool"
fi
"$tool" "$package/metadata.max.json" "$out.new"
if cmp -s -- "$out.new" "$out"; then rm -- "$out.new"; else mv -- "$out.new" "$out"; fi
