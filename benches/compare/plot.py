"""Draws the plots of docs/performance.md as SVG, in the look of docs/dashboard.svg, and in dark where the reader's page is dark."""

import math
from html import escape

import figures
from situations import PEERS, SITUATIONS, THIS, THIS_ON_POSTGRES

WIDTH, ROW, MARGIN, HEAD, FOOT = 900, 26, 12, 34, 30
LABELS, VALUES = 230, 150
FONT = "'DejaVu Sans', Verdana, Geneva, Arial, Helvetica, sans-serif"
OWN = {THIS, THIS_ON_POSTGRES, "baseline"}

STYLE = f"""
text {{ font: 12px {FONT}; fill: #24292e; }}
.title {{ font-size: 14px; font-weight: 700; }}
.own {{ font-weight: 700; }}
.small {{ font-size: 10px; }}
.page {{ fill: #f4f5f5; }} .panel {{ fill: #ffffff; }}
.grid {{ stroke: #e3e5e8; }} .range {{ stroke: #24292e; }}
.mine {{ fill: #1f78c1; }} .other {{ fill: #9aa0a6; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #d8dade; }}
.page {{ fill: #111217; }} .panel {{ fill: #1f2126; }}
.grid {{ stroke: #363a42; }} .range {{ stroke: #d8dade; }}
.mine {{ fill: #5ab1ef; }} .other {{ fill: #7b8088; }}
}}
"""


def text(x, y, content, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def box(x, y, width, height, kind):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0, width):.1f}" height="{height:.1f}" class="{kind}"/>'


def steps(largest):
    """Four or five round numbers from zero to about the largest."""
    size = 10 ** math.floor(math.log10(largest))
    step = next(size * part for part in (0.2, 0.25, 0.5, 1, 2, 2.5) if largest / (size * part) <= 5)
    return [step * at for at in range(int(largest / step) + 1)]


def decades(smallest, largest):
    """Round numbers around two numbers, for a logarithmic axis: powers of ten; of few, the twos and fives between them too."""
    low, high = math.floor(math.log10(smallest)), math.ceil(math.log10(largest))
    if high - low > 2:
        return [10.0**power for power in range(low, high + 1)]
    finer = [part * 10.0**power for power in range(low, high + 1) for part in (1, 2, 5)]
    first = max(at for at, value in enumerate(finer) if value <= smallest)
    last = next(at for at, value in enumerate(finer) if value >= largest)
    return finer[first:max(last, first + 1) + 1]


def waiting(us):
    """A time as an axis has it."""
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if us >= size:
            return f"{short(us / size)} {unit}"
    return f"{short(us)} µs"


def short(value):
    """A number as an axis has it."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


def page(title, panels):
    """Panels one below the other: each is (height, function of its top)."""
    height = MARGIN + sum(panel[0] + MARGIN for panel in panels)
    parts, top = [], MARGIN
    for panel_height, draw in panels:
        parts += [box(MARGIN, top, WIDTH - 2 * MARGIN, panel_height, "panel"), *draw(top)]
        top += panel_height + MARGIN
    return "\n".join([
        "<!-- Written by benches/compare/run. -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", box(0, 0, WIDTH, height, "page"), *parts, "</svg>", "",
    ])


def panel_height(rows):
    return HEAD + ROW * len(rows) + FOOT


def bars(title, unit, rows):
    """A panel of bars from zero; rows are (label, whether it is our own, [value of each round])."""
    left, right = MARGIN + LABELS, WIDTH - MARGIN - VALUES
    largest = max((max(values) for _, _, values in rows if values), default=1)

    def at(value):
        return left + (right - left) * value / largest

    def draw(top):
        parts = [text(MARGIN + 8, top + 20, f"{title}, {unit}", "title")]
        foot = top + HEAD + ROW * len(rows)
        for step in steps(largest):
            parts += [line(at(step), top + HEAD, at(step), foot, "grid"), text(at(step), foot + 16, short(step), "small", "middle")]
        for index, (label, is_own, values) in enumerate(rows):
            y = top + HEAD + ROW * index
            parts.append(text(left - 8, y + 17, label, "own" if is_own else "", "end"))
            if not values:
                parts.append(text(left + 6, y + 17, "not measured"))
                continue
            middle = figures.median(values)
            parts += [box(left, y + 5, at(middle) - left, ROW - 10, "mine" if is_own else "other"), *spread(at, min(values), max(values), y)]
            parts.append(text(at(max(values)) + 8, y + 17, short(middle) if middle >= 100 else f"{middle:.3g}", "own" if is_own else ""))
        return parts

    return panel_height(rows), draw


def spread(at, low, high, y):
    """The least and the greatest round."""
    middle = y + ROW / 2
    return [line(at(low), middle, at(high), middle, "range"), *(line(at(end), middle - 4, at(end), middle + 4, "range") for end in (low, high))]


def ranges(title, rows):
    """A panel of percentiles on a logarithmic axis; rows are (label, whether it is our own, [p50, p99, p99.9] in µs)."""
    left, right = MARGIN + LABELS, WIDTH - MARGIN - 30
    known = [value for _, _, values in rows for value in values]
    axis = decades(max(1, min(known, default=1)), max(10, max(known, default=10)))

    def at(value):
        low, high = math.log10(axis[0]), math.log10(axis[-1])
        return left + (right - left) * (math.log10(max(1, value)) - low) / (high - low)

    def draw(top):
        parts = [text(MARGIN + 8, top + 20, f"{title}: p50 (circle), p99 (square), p99.9 (line)", "title")]
        foot = top + HEAD + ROW * len(rows)
        for step in axis:
            parts += [line(at(step), top + HEAD, at(step), foot, "grid"), text(at(step), foot + 16, waiting(step), "small", "middle")]
        for index, (label, is_own, values) in enumerate(rows):
            y = top + HEAD + ROW * index + ROW / 2
            parts.append(text(left - 8, y + 4, label, "own" if is_own else "", "end"))
            if not values:
                parts.append(text(left + 6, y + 4, "not measured"))
                continue
            kind = "mine" if is_own else "other"
            p50, p99, p999 = map(at, values)
            parts += [line(p50, y, p999, y, "range"), line(p999, y - 7, p999, y + 7, "range")]
            parts += [box(p99 - 5, y - 5, 10, 10, kind), f'<circle cx="{p50:.1f}" cy="{y:.1f}" r="6" class="{kind}"/>']
        return parts

    return panel_height(rows), draw


def _of_peers(results, keys, values):
    known = [key for key in PEERS if key in keys and key in results["peers"]]
    return [(results["peers"][key]["title"].replace("`", ""), key in OWN, values(key)) for key in known]


def cost(results):
    """What an order costs, and how many there are a second."""
    busy = SITUATIONS[0]

    def panel(title, unit, figure):
        rounds = lambda key: list(figures.by_round(results["measurements"], busy.key, key, figure).values())  # noqa: E731 (used once)
        return bars(title, unit, _of_peers(results, busy.peers, rounds))

    title = f"{busy.title}: processor time of an order, orders a second"
    return page(title, [panel("Processor time of an order", "µs", "cpu_us"), panel("Orders a second on one core", "more is better", "per_second")])


def latency(results):
    """How long callers wait, in each situation."""

    def panel(situation):
        def values(key):
            found = [figures.middle(results["measurements"], situation.key, key, name) for name in ("p50_us", "p99_us", "p999_us")]
            return found if None not in found else []

        return ranges(situation.title, _of_peers(results, situation.peers, values))

    return page("How long a caller waits", [panel(situation) for situation in SITUATIONS])
