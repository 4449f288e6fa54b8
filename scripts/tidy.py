#!/usr/bin/env python3
"""Checks what no compiler checks: floors, banned calls, sizes, READMEs, translations.

Prints "file:line: message" for each complaint and ends with "N passed, N failed", one test per rule.
Only the standard library; reads tracked and new files, never ignored ones. Takes well under two seconds.
With --files ENDING... it only lists the files with these endings, one a line.
"""
import bisect
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 70
MAX_README_LINES = 20

# Files that may be longer, each with its reason.
LONG_FILES = {
    "web/api/openapi.yaml": "one contract, read by machines",
}
LONG_FUNCTIONS = {}

# Headers that stay behind one wrapper: pattern of the header, the files that may include it.
THIRD_PARTY = [
    (r"sqlite3\.h", ["server/storage/sqlite.cpp", "server/storage/sqlite_connection.cpp",
                     "server/storage/sqlite_log.cpp"]),
    (r"libpq.*|pqxx/.*|postgresql/.*", ["server/storage/postgres_connection.cpp"]),
    (r"boost/.*", ["server/http/front*"]),
    (r"httplib\.h", ["server/http/server.cpp", "server/base/http_client.cpp"]),
    (r"openssl/.*", ["server/base/crypto.cpp", "server/base/certificate.cpp", "server/base/random.cpp",
                     "server/http/front_tls.cpp"]),
    (r"spdlog/.*", ["server/base/log.cpp"]),
    (r"prometheus/.*", ["server/observability/metrics.cpp"]),
    (r"nlohmann/.*", ["server/base/json.h"]),
    (r"CLI/.*", ["server/main.cpp", "server/commands*.cpp"]),
    (r"toml\+\+/.*|toml\.hpp|toml\+\+\.h", ["server/config_section.h"]),
    (r"tl/.*", ["shared/result.h"]),
    (r"zip\.h", ["server/base/zip.cpp"]),
    (r"emscripten(/.*|\.h)", ["wasm/bindings.cpp"]),
]

# The core is pure: it has no use for these. (<chrono> has the calendar; its clocks are banned calls.)
CORE_MAY_NOT_INCLUDE = re.compile(
    r"(atomic|barrier|condition_variable|cstdio|ctime|execution|filesystem|fstream|future|iostream|latch|locale"
    r"|mutex|random|ranges|format|regex|semaphore|shared_mutex|sstream|stop_token|thread|.*\.h)")

CLOCKS = r"(system_clock|steady_clock|high_resolution_clock)::now|\b(clock_gettime|gettimeofday)\s*\(|\btime\((nullptr|NULL|0)\)"
NUMBER_TYPE = r"(double|float|int|long|unsigned|(std::)?u?int\d+_t|(std::)?s?size_t)\b"

# Pattern, where it is looked for, files where it is right, what to do instead.
BANNED = [
    (CLOCKS, ["shared/", "server/", "wasm/"], ["server/base/clock.cpp"], "time comes from base::Clock"),
    (r"\b(std::)?s?rand\s*\(|random_device|\bmt19937|\bdrand48", ["shared/", "server/", "wasm/"], ["server/base/random.cpp"],
     "randomness comes from base::RandomSource"),
    (r"\bstd::w?regex|\bregex_(match|search|replace)\b", ["shared/", "server/", "wasm/"], [],
     "std::regex overflows the stack on long input; write the matcher"),
    (r"(\.|->)\s*(template\s+)?get<\s*" + NUMBER_TYPE, ["server/"], ["server/base/json.cpp", "server/rehearsal/*"],
     "numbers leave JSON through the typed getters of base/json.h"),
    (r"\bset_follow_location\s*\(\s*true", ["server/"], [], "an outside party may not send us elsewhere"),
    (r"enable_server_certificate_verification\s*\(\s*false|\bSSL_VERIFY_NONE\b|\bverify_none\b", ["server/"], [],
     "certificates are always verified"),
    (r"\bsleep_(for|until)\b|\b(u|nano)?sleep\s*\(", ["shared/", "server/", "wasm/"], ["server/rehearsal/*", "server/commands_serve.cpp"],
     "waiting is a due time in the database or a timed wait that stop can end"),
    # Deadlines, size caps, breakers and the look at the peer's address are in one place.
    (r"(?<![\w.>:])(::)?connect\s*\(\s*[\w.]+\s*,|(\.|->)(async_)?connect\s*\(|\bhttplib::(SSL)?Client\w*\b|\btcp::resolver\b"
     r"|\bSSL_connect\s*\(|\bBIO_new_(ssl_)?connect\s*\(|\bgetaddrinfo\s*\(|\bgethostbyname\w*\s*\(|\bcurl_easy_\w+",
     ["shared/", "server/", "wasm/"], ["server/base/http_client.cpp", "server/base/resolver.cpp", "server/storage/postgres_connection.cpp"],
     "outside parties are called through base::Outbound"),
    # What the loop walks is gone once its head was evaluated.
    (r"\bfor\s*\([^;{}]*?[^:]:\s*(\*\s*[\w.:>-]*\w\(|[^;{}]*\bjson\(\)\s*(\.|\[))", ["shared/", "server/", "wasm/", "tests/"], [],
     "keep what the call gave in a variable, then loop over it"),
    (r"\bSO_REUSEPORT\b|reuse_port", ["server/"], [], "a port in use is refused, never shared"),
    # A name lookup of the system cannot be ended; its thread owns all that it touches.
    (r"\.detach\s*\(\s*\)", ["shared/", "server/", "wasm/"], ["server/base/resolver.cpp"], "a thread that nobody joins outlives what it uses"),
    (r"\b(std::)?(system|popen)\s*\(|\bexec[lv]p?e?\s*\(", ["shared/", "server/", "wasm/"], [], "no shell and no other program"),
    # base::Secret refuses == by itself; this is for the texts that travel outside of it.
    (r"\b\w*(mac|signature|secret|passphrase|token_hash|code_hash)_?(\(\))?\s*[!=]=\s*(?!nullptr\b)\w|[!=]=\s*(mac|signature|secret|passphrase|token_hash|code_hash)\w*\b",
     ["server/"], [], "secrets are compared by base::constant_time_equal"),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|alloca)\s*\(", ["shared/", "server/", "wasm/"], [], "unbounded"),
]
# In the two files that may use httplib, these would open a door of its own.
HTTPLIB_DOOR = re.compile(r"(\.|->)listen\s*\(|\bbind_to_(any_)?port\s*\(|\blisten_after_bind\s*\(")

# Where floating point is right although money is near; everywhere else in shared/ and server/ it is refused.
FLOATING_POINT = re.compile(r"\b(float|double)\b|\b(std::)?(stod|stof|stold|strtod|strtof|atof)\s*\(")
FLOATING_POINT_ALLOWED = {
    "server/observability/metrics.cpp": "Prometheus counts in doubles",
    "server/observability/metrics.h": "Prometheus counts in doubles",
}

SQL_TEXT = re.compile(r"\b(SELECT\s[\s\S]*?\bFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b")
SQL_PLACES = ["server/*_store.cpp", "server/storage/*", "server/rehearsal/*"]

# Each refusal is translated for the people who may see it: buyers in the shop page, staff in the console.
REASON_PLACES = ["shared/", "server/http/", "server/orders/", "server/risk/", "server/auth/", "server/admin/", "server/catalog/", "server/base/json.cpp",
                 "server/settings/", "server/content/", "server/privacy/data_requests", "server/marketing/",
                 "server/stations/"]
REASON = re.compile(r"\b(?:refuse|Error)\s*[({]\s*(?:topup::)?Code::\w+\s*,\s*\"(\w*)\"")
SHOP_WORDS = ["web/client/src/i18n/zh.ts", "web/client/src/i18n/en.ts"]
CONSOLE_WORDS = ["web/admin/src/i18n/zh.ts", "web/admin/src/i18n/en.ts"]
STAFF_PLACES = ["server/http/routes/admin*", "server/admin/*", "server/auth/staff*", "server/settings/",
                "server/catalog/catalog_desk*", "server/catalog/catalog_rules*", "server/catalog/rule_set*", "server/content/",
                "server/risk/subject.cpp"]
STAFF_REASONS = {"origin_foreign", "permission_missing", "order_not_in_review", "nothing_paid_to_us",
                 "refund_amount_not_positive", "refund_exceeds_paid", "refund_not_allowed_in_state",
                 "too_many_refunds", "refund_not_found", "refund_not_refused", "refund_not_closed",
                 "work_item_not_found", "work_item_settled", "work_item_holds_nothing", "work_item_waits_for_order",
                 "buyer_not_found", "coupon_not_found", "coupon_revoked", "coupon_issued", "coupon_code_taken",
                 "offer_changed", "offer_not_found", "too_many_offers", "stations_csv_header",
                 "stations_csv_too_large", "too_many_stations"}
REASONS_FOR_NOBODY = {
    "amount_malformed": "amounts come from the price book, no buyer types one",
    "channel_unknown": "the answer to a notification from outside",
    "currency_mismatch": "the price book has one currency for each product",
    "event_not_allowed": "the order services turn it into a word of their own",
    "rate_out_of_range": "exchange rates come from the price book, no buyer types one",
    "station_invalid": "the answer to the program that writes the list of stations",
    "unknown_currency": "pages take their currencies from the price book",
    "scraper_unknown": "the answer to whoever asks for metrics and may not",
    "supplier_unknown": "the answer to a callback from outside",
}

CODE = (".h", ".cpp")
SOURCES = (".h", ".cpp", ".ts", ".vue", ".mjs", ".js", ".py", ".sh", ".cmake", ".css", ".scss", ".sql", ".yaml", ".yml",
           ".md", ".txt", ".html", ".toml", ".json")
README_WANTED_BY = (".h", ".cpp", ".ts", ".vue", ".mjs", ".py", ".cmake", ".sh")
# X three times in quotes is ISO 4217 for no currency.
UNFINISHED = re.compile(r"(?<!\")\b(" + "|".join(["FIX" + "ME", "TO" + "DO", "X" + "XX"]) + r")\b(?!\")")
MACHINE_PATH = re.compile(r"(?<![\w.~}$:/-])/(?:work|farm|root|home/[a-z]\w*|Users/\w+)(?![\w-])")
PACKAGE_HOST = re.compile(
    r"(?:deb|security|ftp[\w.]*|snapshot)\.debian\.org|registry\.npm\w*\.\w+|registry\.yarnpkg\.com|npmmirror\.com"
    r"|pythonhosted\.org|proxy\.golang\.org|crates\.io/api")

# What an unpacked archive, which has no git to ask, may hold beside the sources.
NO_SOURCES = {"build", "data", "dist", "generated", "node_modules", "unpackage", "__pycache__", ".git"}

rules = []


def rule(sentence):
    def keep(function):
        rules.append((sentence, function))
        return function
    return keep


def matches(path, patterns):
    """A pattern ending in / is a folder; one with * matches any characters; else the whole path."""
    for pattern in patterns:
        if pattern.endswith("/") and path.startswith(pattern):
            return True
        if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), path):
            return True
    return False


@functools.lru_cache(maxsize=None)
def repository_files():
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    else:  # an unpacked archive
        listed = []
        for folder, inner, names in os.walk(ROOT):
            inner[:] = [name for name in inner if name not in NO_SOURCES]
            listed += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return sorted({name for name in listed if name and (ROOT / name).is_file()})


@functools.lru_cache(maxsize=None)
def text_of(path):
    data = (ROOT / path).read_bytes()
    return "" if b"\0" in data[:8000] else data.decode("utf-8", errors="replace")


def files(*suffixes, under=""):
    return [name for name in repository_files() if name.endswith(suffixes) and name.startswith(under)]


def production_code():
    return [name for name in files(*CODE) if name.startswith(("shared/", "server/", "wasm/"))]


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


# Numbers come first: their digit separators are no character literals.
TOKENS = re.compile(
    r"(?P<number>\b\d[\w.]*(?:'\w+)*)|(?P<comment>//[^\n]*|/\*[\s\S]*?\*/)"
    r"|(?P<raw>R\"(?P<mark>[^()\s\\]{0,16})\([\s\S]*?\)(?P=mark)\")"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\")|(?P<character>'(?:\\.|[^'\\\n])+')")


@functools.lru_cache(maxsize=None)
def parts_of(path):
    """The code with comments and literals blanked out (same length), and the string literals as (offset, text)."""
    text, literals, pieces, last = text_of(path), [], [], 0
    for token in TOKENS.finditer(text):
        if token.group("number"):
            continue
        pieces.append(text[last:token.start()])
        pieces.append(re.sub(r"[^\n]", " ", token.group()))
        last = token.end()
        if token.group("string") or token.group("raw"):
            literals.append((token.start(), token.group()))
    pieces.append(text[last:])
    return "".join(pieces), literals


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


@functools.lru_cache(maxsize=None)
def includes_of(path):
    text = text_of(path)
    return [(line_at(text, found.start()), found.group(1), found.group(2)) for found in INCLUDE.finditer(text)]


# ---------------------------------------------------------------------------------------------------------------
# Floors.

class Layers:
    def __init__(self):
        self.floor, self.beside, self.allowed = {}, {}, {}
        for line in text_of("scripts/layers.txt").splitlines():
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "floor":
                self.floor.update({place: int(words[1]) for place in words[2:]})
            elif words[0] == "beside":
                self.beside[words[1]] = words[3:]
            elif words[0] == "allow":
                self.allowed.setdefault(words[1], []).extend(words[3:])
            else:
                raise SystemExit(f"scripts/layers.txt: unknown word {words[0]}")

    @staticmethod
    def inside(path, place):
        rest = path[len(place):]
        return path.startswith(place) and (rest == "" or rest[0] in "/._")

    def place_of(self, path):
        places = [place for place in [*self.floor, *self.beside] if self.inside(path, place)]
        return max(places, key=len, default=None)

    def refusal(self, path, target):
        """Why `path` may not include `target`; None when it may."""
        here, there = self.place_of(path), self.place_of(target)
        if here is None:
            return f"{path} belongs to no floor of scripts/layers.txt"
        if there is None:
            return f"{target} belongs to no floor of scripts/layers.txt"
        if here == there or any(self.inside(target, place) for place in self.allowed.get(here, [])):
            return None
        if here in self.beside:
            if any(self.inside(target, place) for place in self.beside[here]):
                return None
            return f"{here} may include only {', '.join(self.beside[here])}"
        top = max(self.floor.values())
        if self.floor[here] == top:
            return None
        if there in self.beside:
            return f"only the top floor may include {there}"
        if self.floor[there] < self.floor[here]:
            return None
        kind = "its neighbour" if self.floor[there] == self.floor[here] else "the higher floor"
        return f"{here} (floor {self.floor[here]}) may not include {kind} {there} (floor {self.floor[there]})"


@rule("includes go down the floors, never up or sideways")
def check_floors():
    layers = Layers()
    for path in production_code():
        for line, mark, target in includes_of(path):
            if mark == '"':
                why = layers.refusal(path, target)
                if why:
                    yield path, line, why


@rule("an include in quotes names a file from the root of the repository")
def check_include_paths():
    for path in files(*CODE):
        for line, mark, target in includes_of(path):
            if mark == '"' and not (ROOT / target).is_file():
                yield path, line, f'"{target}" is no file of the repository'


@rule("third-party headers stay behind their wrappers")
def check_third_party():
    for path in production_code():
        for line, _, target in includes_of(path):
            for pattern, allowed in THIRD_PARTY:
                if re.fullmatch(pattern, target) and not matches(path, allowed):
                    yield path, line, f"<{target}> belongs into {' or '.join(allowed)}"


@rule("the core includes nothing that is not pure")
def check_core_headers():
    for path in files(*CODE, under="shared/"):
        for line, mark, target in includes_of(path):
            if mark == "<" and CORE_MAY_NOT_INCLUDE.fullmatch(target):
                yield path, line, f"<{target}> has no place in the core"


# ---------------------------------------------------------------------------------------------------------------
# What code may not say.

@rule("banned calls are not made")
def check_banned():
    wanted = [(re.compile(pattern), where, allowed, why) for pattern, where, allowed, why in BANNED]
    for path in files(*CODE):
        code, _ = parts_of(path)
        for pattern, where, allowed, why in wanted:
            if not path.startswith(tuple(where)) or matches(path, allowed):
                continue
            for found in pattern.finditer(code):
                yield path, line_at(code, found.start()), f"{found.group().strip()}: {why}"
        if path.startswith("server/") and any(target == "httplib.h" for _, _, target in includes_of(path)):
            for found in HTTPLIB_DOOR.finditer(code):
                yield path, line_at(code, found.start()), "only server/http/front.cpp listens"


@rule("no floating point near money")
def check_floating_point():
    for path in production_code():
        if path.startswith("wasm/") or path in FLOATING_POINT_ALLOWED:
            continue  # amounts cross into JavaScript as doubles that hold integers
        code, _ = parts_of(path)
        for found in FLOATING_POINT.finditer(code):
            yield path, line_at(code, found.start()), f"{found.group()}: amounts and rates are integers"


@rule("SQL stands in stores")
def check_sql():
    for path in production_code():
        if not path.startswith("server/") or matches(path, SQL_PLACES):
            continue
        for offset, literal in parts_of(path)[1]:
            if SQL_TEXT.search(literal):
                yield path, line_at(text_of(path), offset), "this statement belongs into a *_store.cpp"


@rule("headers have #pragma once and open no namespace for others")
def check_headers():
    for path in files(".h"):
        text, code = text_of(path), parts_of(path)[0]
        if not re.search(r"^#pragma once$", text, re.M):
            yield path, 1, "#pragma once is missing"
        for found in re.finditer(r"^\s*using namespace\b", code, re.M):
            yield path, line_at(code, found.start()), "using namespace in a header"


@rule("nothing is left unfinished")
def check_unfinished():
    for path in repository_files():
        if path.endswith("package-lock.json"):
            continue
        text = text_of(path)
        for found in UNFINISHED.finditer(text):
            yield path, line_at(text, found.start()), f"{found.group()}: finish it or file an issue"


@rule("no path of one machine and no package host is written down")
def check_machine_names():
    for path in repository_files():
        text = text_of(path)
        for found in (*MACHINE_PATH.finditer(text), *PACKAGE_HOST.finditer(text)):
            yield path, line_at(text, found.start()), f"{found.group().strip()}: true on one machine only"
        if path.endswith(".npmrc"):
            for found in re.finditer(r"^.*registry\s*=.*$", text, re.M):
                yield path, line_at(text, found.start()), "the machine's settings choose the registry"


# ---------------------------------------------------------------------------------------------------------------
# Sizes and READMEs.

@rule(f"no file is longer than {MAX_FILE_LINES} lines")
def check_file_length():
    for path in repository_files():
        if not path.endswith(SOURCES) or path.startswith("tests/") or path in LONG_FILES:
            continue
        if path.endswith(("package-lock.json", "package.json")):
            continue
        lines = text_of(path).count("\n")
        if lines > MAX_FILE_LINES:
            yield path, lines, f"{lines} lines; split it by what it is about"


# With clang-format's layout a function ends at a lone brace in the column where it began.
FUNCTION_END = {0: re.compile(r"^\}$", re.M), 2: re.compile(r"^  \}$", re.M)}
FUNCTION_START = {0: re.compile(r"^[A-Za-z_\[~].*$", re.M), 2: re.compile(r"^  [A-Za-z_\[~].*$", re.M)}
NO_FUNCTION = re.compile(r"\s*(namespace|class|struct|enum|union|extern|public|private|protected|if|for|while|switch|do|else|try|catch)\b")


@rule(f"no function is longer than {MAX_FUNCTION_LINES} lines")
def check_function_length():
    for path in production_code():
        code, _ = parts_of(path)
        line_starts = [0, *(found.end() for found in re.finditer("\n", code))]
        for column in (0, 2):
            starts = [found.start() for found in FUNCTION_START[column].finditer(code)]
            for end in FUNCTION_END[column].finditer(code):
                at = bisect.bisect_left(starts, end.start()) - 1
                if at < 0:
                    continue
                first_line = code[starts[at]:code.find("\n", starts[at])]
                if NO_FUNCTION.match(first_line):
                    continue
                begin = bisect.bisect_right(line_starts, starts[at])
                length = bisect.bisect_right(line_starts, end.start()) - begin + 1
                name = first_line.strip().split("(")[0].split()[-1]
                if length > MAX_FUNCTION_LINES and f"{path}:{name}" not in LONG_FUNCTIONS:
                    yield path, begin, f"{name} has {length} lines"


def wants_readme(folder):
    if folder == "." or folder.startswith("."):
        return False
    parts = folder.split("/")
    if parts[0] == "web":
        return len(parts) <= 2 or (len(parts) == 3 and parts[2] == "src")
    return parts[0] != "tests" or len(parts) == 1  # tests/README.md speaks for its folders


@rule(f"each folder of sources has a README.md of at most {MAX_README_LINES} lines")
def check_readmes():
    folders = {os.path.dirname(name) or "." for name in repository_files() if name.endswith(README_WANTED_BY)}
    folders |= {"server", "web"} & {name.split("/")[0] for name in repository_files()}
    for folder in sorted(folders):
        if wants_readme(folder) and not (ROOT / folder / "README.md").is_file():
            yield f"{folder}/README.md", 1, "missing: what, what not, entry file, how to add one, how to test"
    for path in files("README.md"):
        lines = text_of(path).count("\n")
        if path != "README.md" and lines > MAX_README_LINES:
            yield path, lines, f"{lines} lines"


@rule("every C++ file is part of a build")
def check_dead_files():
    build = "\n".join(text_of(name) for name in files("CMakeLists.txt", ".cmake"))
    globs = [pattern.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "") for pattern in re.findall(r"[\w${}/*.]+\*[\w${}/*.]*\.cpp", build)]
    for path in files(".cpp"):
        named = [path, path.split("/", 1)[-1], path.split("/", 2)[-1]]
        if any(re.search(r"(?<![\w/])" + re.escape(name) + r"(?![\w.])", build) for name in named):
            continue
        if any(matches(path, [pattern]) for pattern in globs):
            continue
        if re.search(r"/" + re.escape(path) + r"(?![\w.])", build):
            continue
        yield path, 1, "no CMakeLists.txt names it"


# ---------------------------------------------------------------------------------------------------------------
# Translations.

def reason_words():
    for path in production_code():
        if not path.startswith(tuple(REASON_PLACES)):
            continue
        text = text_of(path)
        for found in REASON.finditer(text):
            yield path, line_at(text, found.start()), found.group(1)


def translated(language):
    """Words of a flat file ('reason.word': …) or of one with a section (reason: { word: … })."""
    text = text_of(language)
    words = set(re.findall(r"['\"]reason\.(\w+)['\"]\s*:", text))
    for section in re.findall(r"^  reason: \{$(.*?)^  \},?$", text, re.M | re.S):
        words |= set(re.findall(r"^    (\w+):", section, re.M))
    return words


@rule("a reason is one snake_case word")
def check_reason_form():
    for path, line, word in reason_words():
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", word):
            yield path, line, f'"{word}" is no snake_case word'


def untranslated(languages, wanted):
    for language in languages:
        if language not in repository_files():
            yield language, 1, "missing: reasons cannot be translated"
            continue
        known = translated(language)
        for path, line, word in wanted:
            if word not in known:
                yield path, line, f'"{word}" has no text in {language}'


@rule("each reason is translated for those who may see it")
def check_reasons():
    for_buyers, for_staff, seen = [], [], set()
    for path, line, word in reason_words():
        is_for_staff = word in STAFF_REASONS or matches(path, STAFF_PLACES)
        if word in REASONS_FOR_NOBODY or (word, is_for_staff) in seen:
            continue
        seen.add((word, is_for_staff))
        (for_staff if is_for_staff else for_buyers).append((path, line, word))
    yield from untranslated(SHOP_WORDS, for_buyers)
    yield from untranslated(CONSOLE_WORDS, for_staff)


@rule("the README's table of threats is that of the tests")
def check_threats():
    done = subprocess.run([sys.executable, str(ROOT / "scripts/threats.py"), "--check"], capture_output=True, text=True)
    if done.returncode != 0:
        yield "README.md", 1, done.stderr.strip()


@rule("the README's table of figures and the chart are those of the bench's history")
def check_figures():
    done = subprocess.run([sys.executable, str(ROOT / "scripts/figures.py"), "--check"], capture_output=True, text=True)
    if done.returncode != 0:
        yield "README.md", 1, done.stderr.strip()


@rule("no exemption outlives what it exempts")
def check_exemptions():
    present = set(repository_files())
    for path in (*LONG_FILES, *FLOATING_POINT_ALLOWED):
        if path not in present:
            yield "scripts/tidy.py", 1, f"{path} is exempt, but there is no such file"
    used = {word for _, _, word in reason_words()}
    for word in (*STAFF_REASONS, *REASONS_FOR_NOBODY):
        if word not in used:
            yield "scripts/tidy.py", 1, f"the reason {word} is listed, but nothing refuses with it"


def main():
    if sys.argv[1:2] == ["--files"]:
        print("\n".join(files(*sys.argv[2:])))
        return 0
    failed = 0
    for sentence, function in rules:
        complaints = sorted(set(function()))
        print(f"{'FAILED' if complaints else 'ok    '}  {sentence}")
        for path, line, message in complaints:
            print(f"{path}:{line}: {message}")
        failed += bool(complaints)
    print(f"{len(rules) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
