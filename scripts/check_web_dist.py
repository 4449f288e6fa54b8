#!/usr/bin/env python3
"""Checks what the web builds hand to a browser: nobody is phoned, nothing runs that the page's policy forbids.

Usage: check_web_dist.py CLIENT_DIST CONSOLE_DIST. Ends with "N passed, N failed", one test per rule and build.
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
TEXTS = {".html", ".js", ".mjs", ".css", ".json", ".svg", ".webmanifest", ".txt"}


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


def check_complete(dist, is_client):
    if not (dist / "index.html").is_file():
        yield dist, "index.html is missing"
    if is_client and not list(dist.rglob("*.wasm")):
        yield dist, "the core (.wasm) is missing"


def check_hosts(dist, is_client):
    for path, text in texts(dist):
        for pattern in (URL, PROTOCOL_RELATIVE):
            for found in pattern.finditer(text):
                if found.group(1).lower() not in NAMED_ONLY:
                    yield path, f"names {found.group(1)}: …{around(text, found.start())}…"


def check_hidden_hosts(dist, is_client):
    for path, text in texts(dist, ".js", ".mjs"):
        for found in HIDDEN_HOST.finditer(text):
            yield path, f"a text built from character codes: …{around(text, found.start())}…"


def check_inline_script(dist, is_client):
    for path, text in texts(dist, ".html"):
        page = Page()
        page.feed(text)
        for line, what in page.complaints:
            yield path, f"line {line}: {what}"


def check_no_eval(dist, is_client):
    for path, text in texts(dist, ".js", ".mjs"):
        for found in re.finditer(r"(?<![\w.$])(?:eval\(|new Function\()", text):
            yield path, f"{found.group()}: …{around(text, found.start())}…"


def check_no_sources(dist, is_client):
    for path in dist.rglob("*.map"):
        yield path, "a source map is for developers"


RULES = [
    ("is complete", check_complete),
    ("names no other host", check_hosts),
    ("hides no host", check_hidden_hosts),
    ("has no inline script", check_inline_script),
    ("makes no code from text", check_no_eval),
    ("ships no source map", check_no_sources),
]


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    passed = failed = 0
    for name, folder, is_client in (("the shop page", sys.argv[1], True), ("the console", sys.argv[2], False)):
        dist = Path(folder)
        for sentence, check in RULES:
            complaints = sorted({f"{path}: {what}" for path, what in check(dist, is_client)}) if dist.is_dir() else [
                f"{dist}: is not there"]
            print(f"{'FAILED' if complaints else 'ok    '}  {name} {sentence}")
            for complaint in complaints:
                print(f"  {complaint}")
            passed, failed = passed + (not complaints), failed + bool(complaints)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
