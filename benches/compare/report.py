"""Turns the results into lines, tables and docs/performance.md. What people explain is in template.md; here are the figures alone."""

import os
from statistics import median

import figures
import plot
from bench import HERE, ROOT
from situations import BARS, FOREIGN, LOAD_IS_FULL, SITUATIONS, THIS

DOCUMENT = os.path.join(ROOT, "docs", "performance.md")
PLOTS = {"performance-cost.svg": plot.cost, "performance-latency.svg": plot.latency}
NONE = "–"
FULL = "†"


def number(value):
    """Three digits, and more of a large number: 0.0123, 1.23, 12.3, 123, 12,345."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(us):
    """Microseconds in the unit that suits them."""
    if us is None:
        return NONE
    return f"{number(us / 1000)} ms" if us >= 1000 else f"{number(us)} µs"


def line(one):
    """One measurement as it is printed while the command runs."""
    figure = (
        f"{number(one.get('per_second'))}/s  p50 {duration(one.get('p50_us'))}  p99 {duration(one.get('p99_us'))}  "
        f"CPU {number(one.get('cpu_us'))} µs  memory {number(one.get('memory_mib'))} MiB  disk {number(one.get('disk_bytes'))} B  "
        f"load's core {one.get('load_busy', 0):.0%}"
    )
    return f"FAILED: {one['failure']}  ({figure})" if one.get("failure") else figure


def row(results, situation, key):
    """A peer's line in the table of a situation, as cells."""
    peer, measurements = results["peers"][key], results["measurements"]
    title = f"**{peer['title']}**" if key == THIS else peer["title"]
    if peer["not_run"]:
        return [title, f"NOT RUN: {peer['not_run']}"]
    wrong = figures.failures(measurements, situation.key, key)
    if not figures.by_round(measurements, situation.key, key, "per_second"):
        return [title, f"FAILED: {'; '.join(wrong) or 'no round'}"]
    middle = {name: figures.middle(measurements, situation.key, key, name) for name in (
        "per_second", "p50_us", "p99_us", "p999_us", "cpu_us", "memory_mib", "disk_bytes", "load_busy",
    )}
    mark = FULL if middle["load_busy"] >= LOAD_IS_FULL else ""
    some = f" ({len(figures.of(measurements, situation.key, key)) - _whole(results, situation, key)} rounds FAILED)" if wrong else ""
    return [
        title + some, number(middle["per_second"]) + mark, duration(middle["p50_us"]), duration(middle["p99_us"]), duration(middle["p999_us"]),
        number(middle["cpu_us"]), number(middle["memory_mib"]), number(middle["disk_bytes"]),
    ]


def _whole(results, situation, key):
    return len(figures.by_round(results["measurements"], situation.key, key, "per_second"))


HEADINGS = ["peer", "orders/s", "p50", "p99", "p99.9", "CPU an order, µs", "memory, MiB", "disk an order, B"]


def rows(results, situation):
    """The table of a situation, without its headings."""
    return [row(results, situation, key) for key in situation.peers if key in results["peers"]]


def markdown(headings, cells):
    """A table of Markdown; figures are on the right."""
    lines = ["| " + " | ".join(headings) + " |", "|---" + "|---:" * (len(headings) - 1) + "|"]
    lines += ["| " + " | ".join(line + [""] * (len(headings) - len(line))) + " |" for line in cells]
    return "\n".join(lines)


def plain(headings, cells):
    """A table for a terminal."""
    whole = [headings] + [[cell.replace("**", "").replace("`", "") for cell in line] for line in cells]
    # The text of a peer without figures goes across their columns.
    measured = [line for line in whole if len(line) == len(headings)]
    widths = [max(len(line[0]) for line in whole), *(max(len(line[at]) for line in measured) for at in range(1, len(headings)))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in whole)


def ratio_rows(results):
    """This service against each other peer, in the busiest situation."""
    found = []
    for key in SITUATIONS[0].peers:
        if key == THIS or key not in results["peers"]:
            continue
        ratios = [figures.ratio(results["measurements"], SITUATIONS[0].key, THIS, key, name) for name in ("cpu_us", "per_second", "p50_us")]
        found.append([results["peers"][key]["title"], *(f"{number(ratio)} ×" if ratio is not None else NONE for ratio in ratios)])
    return found


def bar_rows(results):
    """Each bar with what was measured: reached, MISSED or NOT MEASURED."""
    found = []
    for bar in BARS:
        value, limit, reached = figures.held(bar, results)
        word = "**NOT MEASURED**" if reached is None else "reached" if reached else "**MISSED**"
        sign = "≥" if bar.at_least else "≤"
        value, limit = (f"{number(each)}{bar.unit}" if each is not None else NONE for each in (value, limit))
        found.append([bar.text, f"{sign} {limit}", value, word])
    return found


def summary(results, situations):
    """What a terminal gets at the end."""
    tables = [(situation, rows(results, situation)) for situation in situations]
    parts = [f"{situation.title}\n{plain(HEADINGS, cells)}" for situation, cells in tables if cells]
    if THIS in results["peers"]:
        parts.append(plain(["this service against", "CPU an order", "orders/s", "p50"], ratio_rows(results)))
    parts.append(quiet(results))
    return "\n\n".join(parts) + "\n"


def quiet(results):
    """Whether anybody else worked on the peer's core; figures of a machine that is not quiet are worth little."""
    shares = [one["foreign"] for one in results["measurements"] if "foreign" in one]
    if not shares:
        return "Nothing was measured."
    middle = median(shares)
    text = f"Others took {middle:.1%} of the peer's core (median of {len(shares)} measurements)."
    return text if middle <= FOREIGN else f"**{text} The machine was not quiet: take these figures for a trial.**"


def peer_rows(results):
    """Who took part, in which version."""
    return [[peer["title"], peer["version"] or f"NOT RUN: {peer['not_run']}"] for peer in results["peers"].values()]


def document(results, template):
    """The whole text of docs/performance.md."""
    machine = results["machine"]
    sync = median(results["sync_us"]) if results["sync_us"] else None
    values = {
        "BARS": markdown(["bar", "limit", "measured", ""], bar_rows(results)),
        "RATIOS": markdown(["this service on SQLite, against", "CPU an order", "orders/s", "p50"], ratio_rows(results)),
        "PEERS": markdown(["peer", "version"], peer_rows(results)).replace("---:", "---"),
        "SYNC": duration(sync), "QUIET": quiet(results), "DATE": results["date"], "ROUNDS": results["rounds"], "SECONDS": results["seconds"], "WARM_UP": results["warm_up"],
        **{f"TABLE_{situation.key.upper()}": markdown(HEADINGS, rows(results, situation)) for situation in SITUATIONS},
        **{f"MACHINE_{name.upper()}": value for name, value in machine.items()},
    }
    for name, value in values.items():
        template = template.replace("{{" + name + "}}", str(value))
    if "{{" in template:
        raise ValueError(f"template.md: nothing fills {template[template.index('{{'):][:40]}")
    return template


def write(results):
    """Writes the document and the plots."""
    with open(os.path.join(HERE, "template.md")) as file:
        text = document(results, file.read())
    with open(DOCUMENT, "w") as file:
        file.write(text)
    for name, draw in PLOTS.items():
        with open(os.path.join(ROOT, "docs", name), "w") as file:
            file.write(draw(results))
    print(f"wrote {', '.join(['docs/performance.md', *(f'docs/{name}' for name in PLOTS)])}")
