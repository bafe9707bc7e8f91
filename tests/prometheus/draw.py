"""Draws the dashboard from its own queries, against a real Prometheus that scraped the running service for some minutes.

Grafana's panels as a picture for the documentation: the same grid, titles, units and legends. installation.py starts everything.
"""

import io
import math
import pathlib
import re
import sys
import textwrap

import matplotlib

matplotlib.use("svg")
# The same bytes for the same data, and text that can be searched.
matplotlib.rcParams.update({"svg.hashsalt": "dashboard", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 7})
import matplotlib.pyplot as plt  # noqa: E402 (after the backend is chosen)
import json  # noqa: E402

from installation import DASHBOARD, Installation, without_variables  # noqa: E402

SECONDS = 180
COLUMNS, UNIT_HEIGHT, WIDTH = 24, 0.26, 15.0
BACKGROUND, PANEL, TEXT, GRID = "#f4f5f5", "#ffffff", "#24292e", "#e3e5e8"
COLORS = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300"]
NAMED = {"green": "#37872d", "orange": "#e0752d", "red": "#c4162a"}


def with_unit(value, unit):
    """A value as Grafana shows it."""
    if math.isnan(value):
        return "–"
    if unit == "s":
        for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}"
        return "0 s"
    if unit == "bytes":
        for size, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    suffix = {"reqps": " req/s", "ops": " ops/s"}.get(unit, "")
    return f"{value:.3g}{suffix}"


def legend(target, metric):
    text = target["legendFormat"]
    for label, value in metric.items():
        text = text.replace("{{" + label + "}}", value)
    # As in Grafana, a label that a series does not have is nothing.
    return re.sub(r"{{\w+}}", "", text).strip()


def axes(figure, grid, rows):
    gap = 0.0016
    height = 1.0 / rows
    return figure.add_axes([
        grid["x"] / COLUMNS + gap * 2, 1 - (grid["y"] + grid["h"]) * height + gap, grid["w"] / COLUMNS - gap * 4, grid["h"] * height - gap * 2,
    ])


def draw_row(figure, panel, rows):
    place = axes(figure, panel["gridPos"], rows)
    place.axis("off")
    place.text(0.002, 0.45, panel["title"], fontsize=10, fontweight="bold", color=TEXT, va="center")


def draw_title(place, panel):
    place.set_facecolor(PANEL)
    place.text(0.012, 0.985, panel["title"], transform=place.transAxes, fontsize=7.5, fontweight="bold", color=TEXT, va="top")


def draw_stat(figure, panel, rows, running):
    place = axes(figure, panel["gridPos"], rows)
    draw_title(place, panel)
    place.set_xticks([])
    place.set_yticks([])
    place.spines[:].set_visible(False)
    defaults = panel["fieldConfig"]["defaults"]
    target = panel["targets"][0]
    results = running.query(without_variables(target["expr"]))
    words = {key: option["text"] for mapping in defaults["mappings"] for key, option in mapping["options"].items()}
    shown = []
    for result in results:
        value = float(result["value"][1])
        steps = [step for step in defaults["thresholds"]["steps"] if step["value"] is None or value >= step["value"]]
        text = words.get(f"{value:g}", with_unit(value, defaults["unit"]))
        if "decimals" in defaults and f"{value:g}" not in words:
            text = f"{value:.{defaults['decimals']}f}"
        name = legend(target, result["metric"])
        mode = panel["options"]["textMode"]
        shown.append((name if mode == "name" else f"{name}  {text}" if mode == "value_and_name" else text, NAMED[steps[-1]["color"]]))
    for at, (text, color) in enumerate(shown):
        size = 15 if len(text) < 18 else 11
        place.text(0.5, 0.42 + (len(shown) - 1) * 0.15 - at * 0.3, text, fontsize=size, color=color, ha="center", va="center", transform=place.transAxes)
    return len(shown)


def draw_series(figure, panel, rows, running):
    place = axes(figure, panel["gridPos"], rows)
    draw_title(place, panel)
    place.axis("off")
    inner = place.inset_axes([0.13, 0.27, 0.85, 0.56])
    inner.set_facecolor(PANEL)
    unit = panel["fieldConfig"]["defaults"]["unit"]
    lines = []
    for target in panel["targets"]:
        for result in running.query_range(without_variables(target["expr"]), SECONDS, "3s"):
            points = [(float(at), float(value)) for at, value in result["values"]]
            points = [(at, value) for at, value in points if not math.isnan(value)]
            if points:
                lines.append((legend(target, result["metric"]), points))
    now = max((points[-1][0] for _, points in lines), default=0)
    stacked = panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    below = {}
    for at, (name, points) in enumerate(lines):
        color = COLORS[at % len(COLORS)]
        times = [(time - now) / 60 for time, _ in points]
        values = [value + (below.get(time, 0) if stacked else 0) for time, value in points]
        floor = [below.get(time, 0) for time, _ in points] if stacked else 0
        style = "steps-post" if panel["fieldConfig"]["defaults"]["custom"]["lineInterpolation"] == "stepAfter" else "default"
        inner.plot(times, values, color=color, linewidth=0.9, label=name or panel["title"], drawstyle=style)
        if stacked:
            inner.fill_between(times, floor, values, color=color, alpha=0.2, linewidth=0)
            below.update({time: value for (time, _), value in zip(points, values)})
    decorate(inner, unit, panel["fieldConfig"]["defaults"].get("min"))
    if lines:
        names = inner.get_legend_handles_labels()
        place.legend(*names, loc="lower left", ncols=min(4, len(lines)), fontsize=5.2, frameon=False, bbox_to_anchor=(0, -0.02),
                     handlelength=1, columnspacing=0.9, labelspacing=0.2, labelcolor=TEXT)
    return len(lines)


def decorate(inner, unit, least):
    inner.set_xlim(-SECONDS / 60, 0)
    low, high = inner.get_ylim()
    inner.set_ylim(least if least is not None else low, max(high, 1e-9))
    inner.grid(color=GRID, linewidth=0.5)
    inner.tick_params(length=0, labelsize=5.5, colors=TEXT)
    inner.locator_params(axis="y", nbins=4)
    inner.yaxis.set_major_formatter(lambda value, _: with_unit(value, unit))
    inner.xaxis.set_major_formatter(lambda value, _: f"{value:g} min" if value else "now")
    for side in inner.spines.values():
        side.set_visible(False)


def draw(running, destination):
    """Draws every panel; returns the titles of those without data."""
    dashboard = json.loads(DASHBOARD.read_text())
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    figure = plt.figure(figsize=(WIDTH, rows * UNIT_HEIGHT), facecolor=BACKGROUND)
    empty = []
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            draw_row(figure, panel, rows)
            continue
        drawn = (draw_stat if panel["type"] == "stat" else draw_series)(figure, panel, rows, running)
        if not drawn:
            empty.append(panel["title"])
    text = io.StringIO()
    figure.savefig(text, format="svg", facecolor=BACKGROUND, metadata={"Date": None, "Title": dashboard["title"]})
    # Two decimals of a point are finer than a screen.
    pathlib.Path(destination).write_text(re.sub(r"(\d+\.\d{2})\d+", r"\1", text.getvalue()))
    return empty


def main():
    with Installation() as running:
        running.drive(SECONDS + 20)
        empty = draw(running, sys.argv[1])
    for title in empty:
        print(textwrap.fill(f"FAILED: the panel {title!r} has no data"))
    sys.exit(1 if empty else 0)


if __name__ == "__main__":
    main()
