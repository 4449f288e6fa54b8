#!/usr/bin/env python3
"""Checks what the web builds hand to a browser or to WeChat: nobody is phoned, nothing runs that the page's policy forbids.

Usage: check_web_dist.py CLIENT_DIST CONSOLE_DIST MINI_PROGRAM_DIST. Ends with "N passed, N failed", one test per rule and build.
"""
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

# Hosts that stand in texts (namespaces, messages, licences) and are never asked for anything.
NAMED_ONLY = {
    "www.w3.org": "XML namespaces",
    "vuejs.org": "the text of an error message",
}
# Addresses by another spelling: a host put together from character codes, as one runtime does.
HIDDEN_HOST = re.compile(r"fromCharCode\(\s*(?:\d{2,3}\s*,\s*){6,}")
URL = re.compile(r"(?:https?|wss?)://([A-Za-z0-9.-]+\.[A-Za-z]{2,})")
PROTOCOL_RELATIVE = re.compile(r"[\"'(=]//([a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|net|org|io|top))\b")
TEXTS = {".wxml", ".wxss", ".wxs", ".html", ".js", ".mjs", ".css", ".json", ".svg", ".webmanifest", ".txt"}


class Page(HTMLParser):
    """Collects what a strict Content-Security-Policy would refuse."""

    def __init__(self):
        super().__init__()
        self.complaints, self.in_script = [], False

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        line = self.getpos()[0]
        if tag == "script":
            self.in_script = "src" not in attributes
        for name in ("src", "href"):
            if re.match(r"(?:[a-z]+:)?//", attributes.get(name) or ""):
                self.complaints.append((line, f"<{tag} {name}> leaves this server"))
        for name, value in attributes.items():
            if name.startswith("on"):
                self.complaints.append((line, f"{name}= is inline script"))
            if (value or "").strip().lower().startswith("javascript:"):
                self.complaints.append((line, f"{name}=javascript: is inline script"))

    def handle_endtag(self, tag):
        if tag == "script":
            self.in_script = False

    def handle_data(self, data):
        if self.in_script and data.strip():
            self.complaints.append((self.getpos()[0], "inline <script>"))


def texts(dist, *suffixes):
    for path in sorted(dist.rglob("*")):
        if path.is_file() and path.suffix in (suffixes or TEXTS):
            yield path, path.read_text(encoding="utf-8", errors="replace")


def around(text, at):
    return re.sub(r"\s+", " ", text[max(0, at - 40):at + 60])


# A mini-program's pages take these as orders to fetch: what WeChat runs only for those who pay for it, or preloads.
MINI_CALLS = re.compile(r"\bwx\.(?:preloadAssets|cloud|reportAnalytics|reportEvent|reportMonitor|getLogManager)\b")
MINI_MOST_BYTES = 1_000_000


def check_complete(dist, kind):
    entry = "app.json" if kind == "mini" else "index.html"
    if not (dist / entry).is_file():
        yield dist, f"{entry} is missing"
    core = {"client": "*.wasm", "mini": "*.wasm.br"}.get(kind)
    if core and not list(dist.rglob(core)):
        yield dist, f"the core ({core}) is missing"


def check_mini(dist, kind):
    size = sum(path.stat().st_size for path in dist.rglob("*") if path.is_file())
    if size > MINI_MOST_BYTES:
        yield dist, f"{size} bytes are more than {MINI_MOST_BYTES}"
    for path, text in texts(dist, ".js"):
        for found in MINI_CALLS.finditer(text):
            yield path, f"{found.group()}: …{around(text, found.start())}…"


def check_hosts(dist, kind):
    for path, text in texts(dist):
        for pattern in (URL, PROTOCOL_RELATIVE):
            for found in pattern.finditer(text):
                if found.group(1).lower() not in NAMED_ONLY:
                    yield path, f"names {found.group(1)}: …{around(text, found.start())}…"


def check_hidden_hosts(dist, kind):
    for path, text in texts(dist, ".js", ".mjs"):
        for found in HIDDEN_HOST.finditer(text):
            yield path, f"a text built from character codes: …{around(text, found.start())}…"


def check_inline_script(dist, kind):
    for path, text in texts(dist, ".html"):
        page = Page()
        page.feed(text)
        for line, what in page.complaints:
            yield path, f"line {line}: {what}"


def check_no_eval(dist, kind):
    for path, text in texts(dist, ".js", ".mjs"):
        for found in re.finditer(r"(?<![\w.$])(?:eval\(|new Function\()", text):
            yield path, f"{found.group()}: …{around(text, found.start())}…"


def check_no_sources(dist, kind):
    for path in dist.rglob("*.map"):
        yield path, "a source map is for developers"


# What a browser asks for before a buyer can type: all that index.html names, as it travels.
FIRST_LOAD_BYTES = 200 * 1024


class Named(HTMLParser):
    """Collects the files that the page names for itself; icons and the manifest are the system's."""

    def __init__(self):
        super().__init__()
        self.paths = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "script":
            self.paths.append(attributes.get("src") or "")
        if tag == "link" and attributes.get("rel") in ("stylesheet", "preload", "modulepreload"):
            # What the shop answers is asked for early as well, and is no file of the build.
            if not (attributes.get("href") or "").startswith("/api/"):
                self.paths.append(attributes.get("href") or "")


def travels(path):
    packed = path.with_name(path.name + ".br")
    return min(packed.stat().st_size, path.stat().st_size) if packed.is_file() else path.stat().st_size


def check_first_load(dist, kind):
    if kind != "client":
        return
    page = Named()
    page.feed((dist / "index.html").read_text(encoding="utf-8"))
    files = [dist / "index.html"] + [dist / path.lstrip("/") for path in sorted(set(page.paths))]
    missing = [path for path in files if not path.is_file()]
    for path in missing:
        yield path, "is named by index.html and is not there"
    if not any(path.suffix == ".wasm" for path in files):
        yield dist, "index.html does not name the core"
    size = sum(travels(path) for path in files if path not in missing)
    print(f"        first load: {size} of {FIRST_LOAD_BYTES} bytes in {len(files)} files")
    if size > FIRST_LOAD_BYTES:
        yield dist, f"the first load is {size} bytes, more than {FIRST_LOAD_BYTES}"


def check_worker(dist, kind):
    if kind != "client":
        return
    worker = dist / "sw.js"
    if not worker.is_file():
        yield worker, "the page cannot open without a network"
        return
    text = worker.read_text(encoding="utf-8")
    for path in re.findall(r'"(/[^"]+)"', text.split("\n")[1]):
        if path != "/" and not (dist / path.lstrip("/")).is_file():
            yield worker, f"keeps {path}, which is not there: it would never install"
    if not (dist / "app.webmanifest").is_file():
        yield dist, "app.webmanifest is missing"


RULES = [
    ("is complete", check_complete),
    ("names no other host", check_hosts),
    ("hides no host", check_hidden_hosts),
    ("has no inline script", check_inline_script),
    ("makes no code from text", check_no_eval),
    ("ships no source map", check_no_sources),
    ("is small and reports to nobody", check_mini),
    ("is small enough to begin with", check_first_load),
    ("can be installed and opened without a network", check_worker),
]


def main():
    if len(sys.argv) != 4:
        print(__doc__)
        return 2
    passed = failed = 0
    builds = (("the shop page", "client"), ("the console", "console"), ("the mini-program", "mini"))
    for (name, kind), folder in zip(builds, sys.argv[1:]):
        dist = Path(folder)
        for sentence, check in RULES:
            if check is check_mini and kind != "mini":
                continue
            complaints = sorted({f"{path}: {what}" for path, what in check(dist, kind)}) if dist.is_dir() else [
                f"{dist}: is not there"]
            print(f"{'FAILED' if complaints else 'ok    '}  {name} {sentence}")
            for complaint in complaints:
                print(f"  {complaint}")
            passed, failed = passed + (not complaints), failed + bool(complaints)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
