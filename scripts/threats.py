#!/usr/bin/env python3
"""What can go wrong (tests/threats.txt) joined with the tests that name each row and what they last measured, as a table in
the README.

    python3 scripts/threats.py            writes the table between its two marks
    python3 scripts/threats.py --check    says what is out of date, exit code 1
    python3 scripts/threats.py --record   reads build/logs of the last ./scripts/test into tests/threat_figures.txt, then writes

A row counts as tested when a test's name holds its id: in doctest's TEST_CASE and SUBCASE, in test() of Node and in
the simulator's README, which says what its seeds and planted bugs cover. A row without a test says so.

A test tells a figure by printing one line, "figure H-01: others' p99 3.7 ms" (with MESSAGE in doctest, console.log in
Node). For a row of which no test measured anything the figure is how many tests and checks held. A row that was not in
the run keeps what it had, with the commit of that run.
"""
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FIGURES = ROOT / "tests/threat_figures.txt"
LOGS = ROOT / "build/logs"
BEGIN, END = "<!-- threats: scripts/threats.py writes this -->", "<!-- end of threats -->"
ROW = re.compile(r"^([A-Z]-\d{2}) \| (.+) \| (.+)$")
NAMES = re.compile(r"(?:TEST_CASE(?:_TEMPLATE)?|SUBCASE|\btest|\bit)\(\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`)", re.S)
FILES = ("*_test.cpp", "*.test.mjs", "*.test.ts")
SLOWED = ("asan", "tsan", "ubsan")  # suites whose times say nothing
NO_TEST, NO_FIGURE = "**no test yet**", "not recorded yet"

TOLD = re.compile(r"(?:^|\s)figure ([A-Z]-\d{2}): (.+?)\s*$")
HELD = re.compile(r"^(held|fell) ([A-Z]-\d{2}): (\d+) tests, (\d+) checks$")
NODE_TEST = re.compile(r"^ *(ok|not ok) \d+ - (.*)$")
# What the simulator counted, for the rows that it plays: which of its counters, in which words.
SIMULATED = {
    "C-01": ("notice_duplicate", "notifications heard twice"), "C-02": ("late_arrival", "messages out of order"),
    "C-06": ("wrong_amount", "wrong amounts"), "C-07": ("notice_delay", "notifications late"),
    "C-08": ("notice_loss", "notifications lost"), "C-09": ("preempt", "steps taken in between"),
    "O-01": ("crashes", "crashes"), "O-02": ("request_loss reply_loss", "requests and answers lost"),
    "O-03": ("late_arrival", "late arrivals"), "O-05": ("supplier_turncoat", "contradictions"),
    "O-08": ("jobs", "jobs run"), "R-03": ("refund_refused", "refunds refused at first"),
    "L-01": ("commits", "commits looked at"), "D-06": ("clock_jump", "jumps of the clock"),
}
SIM_SUM = re.compile(r"(\d+) (seeds|orders|crashes|commits|jobs)\b")
SIM_FAULT = re.compile(r"^  fault (\w+): (\d+)$")


def rows():
    for number, line in enumerate((ROOT / "tests/threats.txt").read_text(encoding="utf-8").split("\n"), 1):
        if line == "" or line.startswith("#"):
            continue
        found = ROW.match(line)
        if not found:
            sys.exit(f"tests/threats.txt:{number}: id | what happens | what must hold")
        yield found.groups()


def ids_in(text):
    """Ids as written, and ranges such as I-01…I-06."""
    for letter, first, last in re.findall(r"\b([A-Z])-(\d{2})(?:…[A-Z]-(\d{2}))?", text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{letter}-{number:02}"


def tests_of():
    found = {}
    for pattern in FILES:
        for path in sorted(ROOT.glob(f"tests/**/{pattern}")) + sorted(ROOT.glob(f"web/*/tests/**/{pattern}")):
            if "node_modules" in path.parts:
                continue
            for name in NAMES.findall(path.read_text(encoding="utf-8")):
                for row in ids_in(name):
                    found.setdefault(row, {}).setdefault(str(path.relative_to(ROOT)), 0)
                    found[row][str(path.relative_to(ROOT))] += 1
    simulated = (ROOT / "tests/sim/README.md").read_text(encoding="utf-8")
    for row in set(ids_in(simulated)):
        found.setdefault(row, {})["tests/sim"] = 1
    return found


def short(path):
    return re.sub(r"(_test\.cpp|\.test\.mjs|\.test\.ts)$", "", path.removeprefix("tests/"))


def log_lines(name):
    path = LOGS / f"{name}.log"
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def simulated():
    """Per row, what the simulator counted over all its seeds; nothing when one of them failed."""
    lines = log_lines("sim")
    if not lines or any(line.startswith("FAIL") for line in lines):
        return {}
    counted = Counter()
    for line in lines:
        if fault := SIM_FAULT.match(line):
            counted[fault[1]] += int(fault[2])
        elif " seeds, " in line and " crashes at " in line:
            counted.update({word: int(number) for number, word in SIM_SUM.findall(line.split(";")[0])})
    sums = {row: (sum(counted[key] for key in keys.split()), words) for row, (keys, words) in SIMULATED.items()}
    return {row: f"{number:,} {words} in {counted['seeds']:,} simulated shops" for row, (number, words) in sums.items() if number}


def from_logs():
    """What the last run of the tests says of each row."""
    told, tests, checks, fell = {}, Counter(), Counter(), set()
    # The same file may stand in two logs (parts of a suite): a line counts once.
    for name in sorted(path.stem for path in LOGS.glob("*.log") if not path.stem.endswith(SLOWED)):
        for line in log_lines(name):
            if found := TOLD.search(line):
                told.setdefault(found[1], {})[found[2]] = True
            elif found := HELD.match(line):
                fell.update([found[2]] if found[1] == "fell" else [])
                if name == "unit":
                    tests[found[2]] += int(found[3])
                    checks[found[2]] += int(found[4])
            elif found := NODE_TEST.match(line):
                if re.search(r" # (SKIP|TO[D]O)", found[2], re.I):
                    continue
                ids = set(ids_in(found[2]))
                fell.update(ids if found[1] == "not ok" else ())
                tests.update(ids)
    for row, text in simulated().items():
        told.setdefault(row, {})[text] = True
    said = {}
    for row in {*told, *tests}:
        held = f"{tests[row]} {'test holds' if tests[row] == 1 else 'tests hold'}"
        held += f", {checks[row]:,} {'check' if checks[row] == 1 else 'checks'}" if checks[row] else ""
        said[row] = "**fell**" if row in fell else "; ".join(told[row]) if row in told else held
    return said


def kept():
    """id → (figure, commit and date), as recorded."""
    if not FIGURES.is_file():
        return {}
    lines = (line for line in FIGURES.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return {row: (text, when) for row, text, when in (line.split(" | ") for line in lines)}


def record():
    logs = [path.stat().st_mtime for path in LOGS.glob("*.log")]
    if not logs:
        sys.exit("build/logs is empty: run ./scripts/test first")
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    when = f"{commit} {time.strftime('%Y-%m-%d', time.gmtime(max(logs)))}"
    figures = kept() | {row: (text.replace("|", "/"), when) for row, text in from_logs().items()}
    head = "# What the tests last measured: id | figure | commit and date of the run. scripts/threats.py --record writes this.\n"
    lines = [f"{row} | {' | '.join(figures[row])}\n" for row, _, _ in rows() if row in figures]
    FIGURES.write_text(head + "".join(lines), encoding="utf-8")


def table():
    found, figures = tests_of(), kept()
    known, tested = set(), 0
    lines = ["| | what can happen | what must hold | proven by | last figure |", "|---|---|---|---|---|"]
    latest = Counter(when for _, when in figures.values()).most_common(1)
    latest = latest[0][0] if latest else None
    for row, what, must in rows():
        known.add(row)
        files = found.get(row, {})
        tested += bool(files)
        proof = " · ".join(f"`{short(path)}`" for path in sorted(files)) or NO_TEST
        figure, when = figures.get(row, (NO_FIGURE, latest))
        lines.append(f"| {row} | {what} | {must} | {proof} | {figure}{'' if when == latest else f' (at {when})'} |")
    strangers = sorted((set(found) | set(figures)) - known)
    if strangers:
        sys.exit(f"tests name rows that tests/threats.txt has not: {', '.join(strangers)}")
    said = f"{tested} of {len(known)} rows have a test that names them."
    said += f" The figures are those of the run at {latest}." if latest else ""
    return "\n".join([said, "", *lines])


def main():
    if "--record" in sys.argv:
        record()
    text = README.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit("README.md: the two marks of the table are missing")
    head, rest = text.split(BEGIN)
    now = f"{head}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"
    if now == text:
        return
    if "--check" in sys.argv:
        sys.exit("README.md: the table of threats is out of date; run python3 scripts/threats.py")
    README.write_text(now, encoding="utf-8")


main()
