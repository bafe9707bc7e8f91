"""Turns the figures of benches/compare/growth into lines, tables and docs/scaling.md. What people explain is in scaling.md here."""

import os
from statistics import median

from bench import HERE, ROOT
from report import NONE, duration, markdown, number

DOCUMENT = os.path.join(ROOT, "docs", "scaling.md")
BACKENDS = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
#: The bars: CPU an order against an empty ledger's, seconds until ready, milliseconds of a page.
MAX_GROWTH, MAX_READY_S, MAX_PAGE_MS = 1.15, 1, 50
#: Those of a burst: its time against the least possible one, MiB.
MAX_BURST, MAX_BURST_MIB = 1.02, 128
#: The thread that alone writes to a ledger.
WRITER = "ledger"


def line(one):
    """One measurement as it is printed while the command runs."""
    slowest = max(one.get("pages", {}).items(), key=lambda page: page[1]["ms"], default=None)
    parts = [f"ready {one['ready_s']:.2f} s"] if "ready_s" in one else []
    parts += [f"CPU {number(one['cpu_us'])} µs  {number(one['per_second'])}/s  p99 {duration(one['p99_us'])}  writer {number(writer_us(one))} µs"]
    parts += [f"slowest page {number(slowest[1]['ms'])} ms ({slowest[0]})"] if slowest else []
    return "  ".join(parts)


def open_line(found):
    """The open orders, in a line."""
    return "  ".join(
        f"{name}: {found['orders']:,} open  ready {one['ready_s']:.2f} s  memory {number(one['memory_mib'])} MiB  page {number(one['page_ms'])} ms"
        for name, one in (("first", found["first"]), ("again", found["again"]))
    )


def writer_us(one):
    """What the writer's thread uses an order, in µs."""
    return one["threads_us"].get(WRITER, 0.0)


def service_us(one):
    """What all threads of the service use an order, in µs: without those of a database."""
    return sum(one["threads_us"].values())


def of(rounds, size):
    """The rounds of a size."""
    return [one for one in rounds if one["size"] == size]


def middle(rounds, size, figure):
    """The median of a figure over the rounds of a size."""
    return median(one[figure] for one in of(rounds, size))


def growth(rounds, size, figure):
    """The median of the rounds' ratios to the empty ledger of the same round."""
    empty = {one["round"]: one[figure] for one in of(rounds, 0)}
    return median(one[figure] / empty[one["round"]] for one in of(rounds, size))


def page_ms(rounds, size, kind):
    """The median of a kind of page over the rounds."""
    return median(one["pages"][kind]["ms"] for one in of(rounds, size))


def slowest_page(rounds, size):
    """The kind of page that takes longest, and its time."""
    kinds = of(rounds, size)[0]["pages"]
    return max(((kind, page_ms(rounds, size, kind)) for kind in kinds), key=lambda found: found[1])


def table_of_growth(results):
    """What an order costs in ledgers of each size."""
    cells = []
    for backend, title in present(results):
        rounds = results[backend]["rounds"]
        for size in [0, *results["sizes"]]:
            disk = results[backend]["disk_bytes"].get(str(size))
            cells.append([
                title, f"{size:,}", number(middle(rounds, size, "cpu_us")), f"{number(growth(rounds, size, 'cpu_us'))} ×",
                number(middle(rounds, size, "per_second")), duration(middle(rounds, size, "p50_us")), duration(middle(rounds, size, "p99_us")),
                f"{middle(rounds, size, 'ready_s'):.2f} s", number(middle(rounds, size, "own_memory_mib")), number(disk),
            ])
    return markdown(
        ["ledger", "settled orders", "CPU an order, µs", "against empty", "orders/s", "p50", "p99", "ready in", "memory, MiB", "disk an order, B"], cells,
    )


def table_of_pages(results):
    """What pages of lists take in the largest ledgers."""
    size, backends = results["sizes"][-1], present(results)
    kinds = of(results[backends[0][0]]["rounds"], size)[0]["pages"]
    cells = [
        [kind, *(f"{number(page_ms(results[backend]['rounds'], each, kind))} ms" for backend, _ in backends for each in results["sizes"])] for kind in kinds
    ]
    return markdown(["page", *(f"{title}, {each:,}" for _, title in backends for each in results["sizes"])], cells)


def table_of_bars(results):
    """Each bar with what was measured."""
    size, cells = results["sizes"][-1], []
    for backend, title in present(results):
        rounds = results[backend]["rounds"]
        kind, slowest = slowest_page(rounds, size)
        cells += [
            _bar(f"{title}, {size:,} orders: CPU an order against an empty ledger", growth(rounds, size, "cpu_us"), MAX_GROWTH, " ×"),
            _bar(f"{title}, {size:,} orders: ready after a start", middle(rounds, size, "ready_s"), MAX_READY_S, " s"),
            _bar(f"{title}, {size:,} orders: slowest page ({kind})", slowest, MAX_PAGE_MS, " ms"),
        ]
    for one in results["burst"]:
        cells += [
            _bar(f"10,000 carts at once, {one['form']}: time against the least", one["ratio"], MAX_BURST, " ×"),
            _bar(f"10,000 carts at once, {one['form']}: memory", one["memory_mib"], MAX_BURST_MIB, " MiB"),
        ]
    return markdown(["bar", "limit", "measured", ""], cells)


def table_of_bursts(results):
    """How long a burst takes, and in how much memory."""
    cells = [[one["form"], f"{one['ratio']:.3f} ×", f"{one['bare']:.3f} ×", number(one["memory_mib"])] for one in results["burst"]]
    return markdown(["10,000 carts", "time against the least", "a bare client", "memory, MiB"], cells)


def _bar(text, value, limit, unit):
    return [text, f"≤ {limit}{unit}", f"{value:.4g}{unit}", "reached" if value <= limit else "**MISSED**"]


def table_of_purges(results):
    """The load while old orders are removed, beside the same without."""
    cells = []
    for backend, title in present(results):
        purge, rounds = results[backend]["purge"], results[backend]["rounds"]
        size = purge["size"]
        cells += [
            [f"{title}, {size:,} orders", number(middle(rounds, size, "per_second")), duration(middle(rounds, size, "p99_us")), number(middle(rounds, size, "cpu_us"))],
            [f"the same, while {purge['removed']:,} are removed", number(purge["per_second"]), duration(purge["p99_us"]), number(purge["cpu_us"])],
        ]
    return markdown(["ledger", "orders/s", "p99", "CPU an order, µs"], cells)


def table_of_open_orders(results):
    """Memory and times with many open orders."""
    cells = []
    for backend, title in present(results):
        for name, one in (("as they came", results[backend]["open"]["first"]), ("killed and started again", results[backend]["open"]["again"])):
            cells.append([f"{title}, {name}", number(one["memory_mib"]), f"{one['ready_s']:.2f} s", f"{number(one['page_ms'])} ms"])
    return markdown(["ledger", "memory, MiB", "ready in", "a page of 200 of them"], cells)


def table_of_cores(results):
    """One core and two."""
    cells = []
    for backend, title in present(results):
        for cores in (1, 2):
            rounds = on_cores(results, backend, cores)
            cells.append([
                title, str(cores), number(median(one["per_second"] for one in rounds)), number(median(one["cpu_us"] for one in rounds)),
                number(median(map(service_us, rounds))), number(median(map(writer_us, rounds))), duration(median(one["p99_us"] for one in rounds)),
            ])
    return markdown(["ledger", "cores", "orders/s", "CPU an order, µs", "the service's", "of it, the writer's thread", "p99"], cells)


def on_cores(results, backend, cores):
    """The rounds of a backend on so many cores."""
    return [one for one in results[backend]["cores"]["rounds"] if one["cores"] == cores]


def runs_of_cores(results):
    """When and how cores were compared; two backends may have a run each."""
    def told(cores):
        return f"{max(one['round'] for one in cores['rounds'])} rounds of {cores['seconds']} s on {cores['date']}"
    return " and ".join(sorted({told(results[backend]["cores"]) for backend, _ in present(results)}))


def model(results):
    """Where the one writer has no time left: orders a second, and how many cores the rest needs by then. On PostgreSQL a group takes the
    time of the writer and of the server, one after the other."""
    rounds = on_cores(results, "sqlite", 1)
    writer, whole = median(map(writer_us, rounds)), median(one["cpu_us"] for one in rounds)
    most = 1e6 / writer
    values = {"WRITER_US": number(writer), "REST_US": number(whole - writer), "WRITER_MOST": number(most), "WRITER_CORES": number(most * whole / 1e6)}
    if "postgres" not in results:
        return {**values, "TURN_US": NONE, "TURN_MOST": NONE}
    turn = median(writer_us(one) + one["cpu_us"] - service_us(one) for one in on_cores(results, "postgres", 1))
    return {**values, "TURN_US": number(turn), "TURN_MOST": number(1e6 / turn)}


def rounds_of(results):
    """The rounds of each backend; they may be from two runs."""
    counts = {title: len(of(results[backend]["rounds"], 0)) for backend, title in present(results)}
    return ", ".join(f"{count} rounds on {title}" for title, count in counts.items())


def present(results):
    """The backends that were measured, with their names."""
    return [(backend, title) for backend, title in BACKENDS.items() if backend in results]


def combined(last, new, cores_only):
    """The figures of a run with those of the last one that it did not measure. Those of ledgers of other sizes are no part of them."""
    if not cores_only and last.get("sizes") != new["sizes"]:
        last = {}
    backends = {name: {**last.get(name, {}), **new.get(name, {})} for name in BACKENDS if name in last or name in new}
    return {**new, **(last if cores_only else {}), **backends}


def missing(results):
    """What the document needs and nobody measured; `None` if it is complete."""
    for backend, title in {"sqlite": BACKENDS["sqlite"], **dict(present(results))}.items():
        for part in ("rounds", "cores"):
            if part not in results.get(backend, {}):
                return f"{title} ({part})"
    return None


def document(results, template):
    """The whole text of docs/scaling.md."""
    values = {
        "BARS": table_of_bars(results), "GROWTH": table_of_growth(results), "PAGES": table_of_pages(results), "PURGES": table_of_purges(results),
        "OPEN": table_of_open_orders(results), "CORES": table_of_cores(results), "CORES_RUNS": runs_of_cores(results),
        "BURST": table_of_bursts(results), "DATE": results["date"], "ROUNDS": rounds_of(results),
        "SECONDS": results["seconds"], "WARM_UP": results["warm_up"], **model(results),
        **{f"MACHINE_{name.upper()}": value for name, value in results["machine"].items()},
    }
    for name, value in values.items():
        template = template.replace("{{" + name + "}}", str(value))
    if "{{" in template:
        raise ValueError(f"scaling.md: nothing fills {template[template.index('{{'):][:40]}")
    return template


def write(results):
    """Writes the document."""
    with open(os.path.join(HERE, "scaling.md")) as file:
        text = document(results, file.read())
    with open(DOCUMENT, "w") as file:
        file.write(text)
    print("wrote docs/scaling.md")
