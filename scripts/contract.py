#!/usr/bin/env python3
"""Writes what the route table says into web/api/openapi.yaml: the x- lines of each operation.

    build/release/topup routes --json --data $(mktemp -d) | python3 scripts/contract.py

An operation that the contract does not describe yet is named and nothing is written; tests/e2e/contract.test.mjs holds the
two against each other.
"""
import json
import re
import sys
from pathlib import Path

CONTRACT = Path(__file__).resolve().parent.parent / "web/api/openapi.yaml"
FIELDS = {"x-rate": "rate", "x-last-level": "last_level", "x-audited": "audited", "x-permission": "permission",
          "x-body-limit": "body_limit"}


def lines_of(route):
    for name, field in FIELDS.items():
        value = route[field]
        if value == "":
            continue  # open routes name no permission
        yield f"      {name}: {str(value).lower() if isinstance(value, bool) else value}"


def main():
    routes = {f"{route['method']} {route['path']}": route for route in json.load(sys.stdin)}
    out, path, described, in_paths = [], "", set(), False
    for line in CONTRACT.read_text(encoding="utf-8").split("\n"):
        if re.match(r"\S", line):
            in_paths = line.startswith("paths:")
        if in_paths and re.match(r"      x-(rate|last-level|audited|permission|body-limit):", line):
            continue
        out.append(line)
        if not in_paths:
            continue
        if found := re.match(r"  (/\S*):$", line):
            path = found.group(1)
        if found := re.match(r"    (get|post|put|delete):$", line):
            name = f"{found.group(1).upper()} {path}"
            described.add(name)
            if name in routes:
                out += lines_of(routes[name])
    missing = sorted(set(routes) - described)
    if missing:
        sys.exit("not described, or not one method a line: " + ", ".join(missing))
    CONTRACT.write_text("\n".join(out), encoding="utf-8")


if __name__ == "__main__":
    main()
