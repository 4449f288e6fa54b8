#!/usr/bin/env python3
"""The newest run of each suite in tests/bench/history.jsonl, as a table in the README and as a chart beside the bench.

    python3 scripts/figures.py            writes the table between its two marks, and tests/bench/scale.svg
    python3 scripts/figures.py --check    says what is out of date, exit code 1

Lines of the history are made by ./scripts/bench SUITE --record. The table has the figures that matter, in words; all
others are in the history. A goal that is missed is said; a figure that was never recorded is said as well.
"""
import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
HISTORY = ROOT / "tests/bench/history.jsonl"
CHART = ROOT / "tests/bench/scale.svg"
BEGIN, END = "<!-- figures: scripts/figures.py writes this -->", "<!-- end of figures -->"

# id, what it is in words, how its number is written: a unit, and a factor to multiply with. Of several ids the first has the
# figure, the others what else it is held against.
ROWS = (
    ("web.pay_to_succeeded_ms", "from the tap on \"pay\" in the rehearsed sheet to \"succeeded\" on screen", "ms", 1),
    ("web.first_visit_to_prices_ms", "first visit until prices are drawn", "ms", 1),
    ("core.phone_verdict_wasm", "a phone verdict in the page", "million/s", 1e-6),
    ("core.quote_wasm core.quote_wasm_ratio", "an explained quote in the page, 10 promotions and 10 coupons", "/s", 1),
    ("core.quote_native", "the same in the server, a core", "/s", 1),
    ("core.order_next_wasm", "a step of an order in the page", "million/s", 1e-6),
    ("core.nearest_native", "nearest 20 of 50,000 stations", "µs", 1),
    ("core.price_book_load_wasm_ms", "loading a large price book in the page", "ms", 1),
    ("core.size_brotli", "module and script of the core as shipped, brotli", "KB", 1),
    ("server.start_to_ready_existing_ms", "start to ready on an existing shop", "ms", 1),
    ("server.rss_idle_mb", "memory of the idle server, rehearsal world included", "MB", 1),
    ("server.hello_vs_beast server.hello_vs_httplib", "plain requests through the whole door", "/s", 1),
    ("server.slow_2000_others_p99_ms", "p99 of others beside 2,000 slow connections", "ms", 1),
    ("server.websockets_10000_mb", "memory of 10,000 followers on WebSockets", "MB", 1),
    ("server.broadcast_10000_ms", "a change reaches all 10,000 of them", "ms", 1),
    ("server.store_writes_64", "durable writes of the store, 64 callers at once", "/s", 1),
    ("server.durable_writes_64", "the same through the whole door, 64 connections, each write a guest's session", "/s", 1),
    ("server.durable_writes_64_sync_1ms", "these on a disk that takes a millisecond for a sync", "/s", 1),
    ("money.create_vs_plain money.create_vs_tuned money.create_of_floor", "orders with the signature that their page needs", "/s", 1),
    ("money.notify_vs_plain money.notify_vs_tuned money.notify_of_floor", "payment notifications, verified and booked", "/s", 1),
    ("money.get_vs_plain", "looking at an order", "/s", 1),
    ("money.journeys", "whole journeys, from the quote to the delivery, both sides on this machine", "/s", 1),
    ("scale.order_at_", "an order in the largest shop of the chart, processor time", "µs", 1),
    ("scale.list_at_", "a buyer's list of orders there, processor time", "µs", 1),
    ("flash.oversold", "flash sale, 10,000 buyers within a second for 1,000 vouchers: sold too many", "", 1),
    ("flash.answer_p50_ms", "half of them have their answer, yes or no, after", "ms", 1),
    ("flash.answer_p99_ms", "99 of 100 of them after", "ms", 1),
    ("soak.heap_growth_mb", "growth of memory in use over the last third of a soak", "MB", 1),
    ("soak.rss_growth_mb", "growth of what the system has given for it", "MB", 1),
    ("soak.files_growth", "growth of open files there", "", 1),
    ("soak.open_items", "open items at its end beyond those planted", "", 1),
    ("operate.start_ms", "start to ready with a million orders", "ms", 1),
    ("operate.backup_beside_writes_ms", "backup of a million orders beside a working shop", "s", 1e-3),
    ("operate.restore_ms", "restore of a million orders, proved", "s", 1e-3),
    ("desk.sqlite.search_p95_ms", "a search in the console over a million orders, SQLite, p95", "ms", 1),
    ("desk.postgres.search_p95_ms", "the same on PostgreSQL, p95", "ms", 1),
)
SERIES = (("order", "placing an order"), ("list", "a buyer's list"), ("read", "reading an order"), ("commit", "a durable write"))


def newest():
    """suite → the last line recorded of it."""
    runs = {}
    if HISTORY.is_file():
        for number, line in enumerate(HISTORY.read_text(encoding="utf-8").splitlines(), 1):
            try:
                run = json.loads(line)
                runs[run["suite"]] = run
            except (ValueError, KeyError):
                sys.exit(f"tests/bench/history.jsonl:{number}: not a line of the bench")
    return runs


def digits(value):
    """Three digits that mean something, thousands apart."""
    if value != 0 and abs(value) < 100:
        return f"{float(f'{value:.3g}'):g}"
    return f"{round(float(f'{value:.3g}')):,}"


def written(value, unit, factor):
    return f"{digits(value * factor)}{'' if unit.startswith('/') else ' '}{unit}".strip()


def held_against(found, unit, factor):
    """What one figure is compared with, and its goal with what came of it; "" for either."""
    against = f"{digits(found['ratio'])} × {found['peer']}" if found["ratio"] is not None else f"nothing came from {found['peer']}" if found["peer"] else ""
    if found["goal"] is None:
        return against, ""
    bound = digits(found["goal"]) + " ×" if found["goal_for"] == "ratio" else written(found["goal"], unit, factor)
    return against, f"{'at most' if found['at_most'] else 'at least'} {bound}" + ("" if found["met"] else ": **missed**")


def row_of(found, words, unit, factor):
    low, high = (digits(end * factor) for end in found[0]["spread"])
    figure = written(found[0]["value"], unit, factor) + (f" ({low} to {high})" if low != high else "")
    against, goals = zip(*(held_against(one, unit, factor) for one in found))
    joined = lambda texts: "; ".join(dict.fromkeys(text for text in texts if text))
    return f"| {words} | {figure} | {joined(against)} | {joined(goals)} |"


def table(runs):
    figures = {row["id"]: row for run in runs.values() for row in run["results"]}
    lines = ["| what | figure (its rounds) | against, in the same run | goal |", "|---|---|---|---|"]
    missing, shown = [], []
    for wanted, words, unit, factor in ROWS:
        # An id that ends in "_at_" is the last of its kind: the largest shop.
        ids = [one for one in figures if one.startswith(wanted)][-1:] if wanted.endswith("_at_") else wanted.split()
        found = [figures[one] for one in ids if one in figures]
        if found:
            lines.append(row_of(found, words, unit, factor))
            shown += [one for one in found if one["goal"] is not None]
        elif (suite := wanted.partition(".")[0]) not in missing:
            missing.append(suite)
    said = told(runs, len(shown), sum(not one["met"] for one in shown))
    if missing:
        said.append(f"Not recorded yet: {', '.join(missing)}.")
    return "\n".join([*said, "", *lines] if len(lines) > 2 else said)


def told(runs, judged, missed):
    if not runs:
        return ["No run is recorded yet: `./scripts/bench all --record`."]
    by_place = {}
    for run in runs.values():
        by_place.setdefault((run["machine"], run["commit"], run["at"][:10]), []).append(f"{run['suite']} (load {run['load']:g})")
    places = [f"{', '.join(sorted(suites))} at `{commit}` on {at}, {machine}" for (machine, commit, at), suites in sorted(by_place.items())]
    return [f"Medians, with the least and most of the rounds. {judged - missed} of {judged} goals met. " + "; ".join(places) + "."]


def chart(run):
    """Hand-made SVG: cost of each way over the number of orders; readable on light and dark."""
    points = {}
    for row in run["results"]:
        way, _, size = row["id"].removeprefix("scale.").partition("_at_1e")
        points.setdefault(way, []).append((int(size), row["value"]))
    left, top, width, height = 60, 64, 490, 270
    sizes = sorted({size for line in points.values() for size, _ in line})
    most = max(value for line in points.values() for _, value in line)
    step = 10 ** math.floor(math.log10(most))
    step = next(one for one in (step / 5, step / 2, step, step * 2) if most / one <= 6)
    ceiling = step * math.ceil(most / step)
    x = lambda size: left + width * (size - sizes[0]) / max(1, sizes[-1] - sizes[0])
    y = lambda value: top + height * (1 - value / ceiling)
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 400" role="img" aria-labelledby="t d">',
        '<title id="t">What one request costs as the shop grows</title>',
        f'<desc id="d">Processor time of one request in shops of 10^{sizes[0]} to 10^{sizes[-1]} orders.</desc>',
        "<style>",
        "  text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-size: 16px; font-weight: 600 } .faint { fill: #57606a }",
        "  .grid { stroke: #d0d7de; stroke-width: 1 } .line { fill: none; stroke-width: 2.5 } .end { font-weight: 600 }",
        "  .order { stroke: #0b5cad } .list { stroke: #9a3b00 } .read { stroke: #1a6b3c } .commit { stroke: #7a2a8c }",
        "  circle.order { fill: #0b5cad } circle.list { fill: #9a3b00 } circle.read { fill: #1a6b3c } circle.commit { fill: #7a2a8c }",
        "  @media (prefers-color-scheme: dark) {",
        "    text { fill: #e6edf3 } .faint { fill: #9da7b1 } .grid { stroke: #3d444d }",
        "    .order { stroke: #79b8ff } .list { stroke: #ffab70 } .read { stroke: #7ee2a8 } .commit { stroke: #d8a6f0 }",
        "    circle.order { fill: #79b8ff } circle.list { fill: #ffab70 } circle.read { fill: #7ee2a8 } circle.commit { fill: #d8a6f0 }",
        "  }",
        "</style>",
        f'<text class="title" x="{left}" y="26">What one request costs as the shop grows</text>',
        f'<text class="faint" x="{left}" y="46">µs of processor time in the server, median of the rounds; SQLite; {run["machine"]}</text>',
    ]
    for mark in range(round(ceiling / step) + 1):
        at = y(mark * step)
        out.append(f'<line class="grid" x1="{left}" y1="{at:.1f}" x2="{left + width}" y2="{at:.1f}"/>')
        out.append(f'<text class="faint" x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{mark * step:,g}</text>')
    for size in sizes:
        out.append(f'<text class="faint" x="{x(size):.1f}" y="{top + height + 22}" text-anchor="middle">{10 ** size:,}</text>')
    out.append(f'<text x="{left + width / 2}" y="{top + height + 46}" text-anchor="middle">orders in the shop</text>')
    ends = sorted((y(points[way][-1][1]), way, words) for way, words in SERIES if way in points)
    floor_at = 0.0  # two names must not lie on each other
    for at, way, words in ends:
        line = sorted(points[way])
        out.append(f'<polyline class="line {way}" points="' + " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in line) + '"/>')
        out.extend(f'<circle class="{way}" cx="{x(size):.1f}" cy="{y(value):.1f}" r="3.5"/>' for size, value in line)
        floor_at = max(at + 4, floor_at + 17)
        growth = line[-1][1] / line[0][1]
        out.append(f'<text class="end" x="{left + width + 10}" y="{floor_at:.1f}">{words} {growth:.2f} ×</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    runs = newest()
    text = README.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit("README.md: the two marks of the table of figures are missing")
    head, rest = text.split(BEGIN)
    shown = table(runs)
    if "scale" in runs:
        shown += "\n\n![What one request costs in shops of a thousand to a million orders](tests/bench/scale.svg)"
    wanted = {README: f"{head}{BEGIN}\n{shown}\n{END}{rest.split(END)[1]}"}
    if "scale" in runs:
        wanted[CHART] = chart(runs["scale"])
    for path, now in wanted.items():
        if path.is_file() and path.read_text(encoding="utf-8") == now:
            continue
        if "--check" in sys.argv:
            sys.exit(f"{path.relative_to(ROOT)}: not what the history says; run python3 scripts/figures.py")
        path.write_text(now, encoding="utf-8")


main()
