"""The page about growth: complete from any results, with each bar reached or missed."""

import os
import unittest

import pages
import scaling
from bench import HERE

SIZES = [1000, 5000]


def measured(at, size, cpu_us=100.0, page_ms=2.0):
    kinds = {kind: {"ms": page_ms, "first_ms": page_ms, "shown": 200} for kind in pages.kinds(size, 1_800_000_000)}
    return {
        "round": at, "size": size, "ready_s": 0.05, "pages": kinds, "per_second": 3000.0, "p50_us": 19_000, "p99_us": 30_000, "cpu_us": cpu_us,
        "threads_us": {"ledger": 80.0, "worker": 20.0}, "own_memory_mib": 30.0,
    }


def results(**grown):
    opened = {"ready_s": 0.1, "memory_mib": 60.0, "page_ms": 20.0, "shown": 200}
    backend = {
        "disk_bytes": {str(size): 1430.0 for size in SIZES}, "open": {"orders": 10_000, "first": opened, "again": opened},
        "rounds": [measured(at, size, **(grown if size else {})) for at in (1, 2, 3) for size in [0, *SIZES]],
        "purge": {**measured(1, SIZES[0]), "removed": 900}, "cores": {"date": "2026-01-03", "seconds": 8, "rounds": [{**measured(1, 0), "cores": cores} for cores in (1, 2)]},
    }
    # A database's server has a part of the cost.
    shared = {**backend, "cores": {"date": "2026-01-04", "seconds": 8, "rounds": [{**measured(1, 0, cpu_us=500.0), "cores": cores} for cores in (1, 2)]}}
    machine = {
        "processor": "Some CPU", "cores": 2, "peer_core": 1, "load_core": 0, "memory_gib": 8.0, "kernel": "6.1", "file_system": "ext4",
        "system": "Debian", "load_average": 0.1,
    }
    return {
        "date": "2026-01-02", "rounds": 3, "seconds": 8, "warm_up": 4, "sizes": SIZES, "machine": machine, "sqlite": backend, "postgres": shared,
        "burst": [{"form": "each alone", "ratio": 1.019, "bare": 1.004, "memory_mib": 127}],
    }


class Page(unittest.TestCase):
    def test_the_page_is_complete_with_one_backend_and_with_two(self):
        with open(os.path.join(HERE, "scaling.md")) as file:
            template = file.read()
        whole = results()
        one = {name: value for name, value in whole.items() if name != "postgres"}
        for given, missing in ((whole, None), (one, "| PostgreSQL")):
            text = scaling.document(given, template)
            self.assertNotIn("{{", text)
            self.assertIn("| SQLite | 5,000 | 100 | 1 × | 3,000 | 19 ms | 30 ms | 0.05 s | 30 | 1,430 |", text)
            self.assertIn("about 12,500 orders a second", text)
            self.assertIn("3 rounds on SQLite", text)
            self.assertIn("| SQLite | 2 | 3,000 | 100 | 100 | 80 | 30 ms |", text)
            self.assertIn("| each alone | 1.019 × | 1.004 × | 127 |", text)
            if missing:
                self.assertNotIn(missing, text)
            else:
                self.assertIn("1 rounds of 8 s on 2026-01-03 and 1 rounds of 8 s on 2026-01-04", text)
                self.assertIn("| PostgreSQL | 1 | 3,000 | 500 | 100 | 80 | 30 ms |", text)
                self.assertIn("use\n480 µs an order, all of the server's processes together, so one replica ends at about 2,083 orders", text)

    def test_a_bar_is_reached_or_missed(self):
        for grown, missed in (({}, 0), ({"cpu_us": 114.0}, 0), ({"cpu_us": 116.0}, 2), ({"page_ms": 51.0}, 2)):
            self.assertEqual(scaling.table_of_bars(results(**grown)).count("MISSED"), missed, grown)
        for burst, missed in (({"ratio": 1.021}, 1), ({"memory_mib": 129}, 1), ({"ratio": 1.1, "memory_mib": 200}, 2)):
            given = results()
            given["burst"][0].update(burst)
            self.assertEqual(scaling.table_of_bars(given).count("MISSED"), missed, burst)

    def test_a_run_leaves_the_figures_that_it_did_not_measure(self):
        last = {**results(), "rounds": 5, "date": "2025-12-31"}
        cores = {"sizes": [9], "rounds": 1, "date": "2026-01-02", "sqlite": {"cores": "new"}}
        one_backend = {"sizes": SIZES, "rounds": 1, "date": "2026-01-02", "sqlite": {"rounds": "new", "cores": "new"}}
        for new, cores_only, kept in ((cores, True, last), (one_backend, False, one_backend)):
            found = scaling.combined(last, new, cores_only)
            self.assertEqual(found["sqlite"], {**last["sqlite"], **new["sqlite"]})
            self.assertEqual(found["postgres"], last["postgres"])
            self.assertEqual({name: found[name] for name in ("sizes", "rounds", "date")}, {name: kept[name] for name in ("sizes", "rounds", "date")})
        other = scaling.combined(last, {**one_backend, "sizes": [7]}, False)
        self.assertEqual((other["sqlite"], "postgres" in other), (one_backend["sqlite"], False))
        self.assertEqual(scaling.combined({}, cores, True), cores)

    def test_what_is_missing_is_named(self):
        whole = results()
        for given, missing in (
            (whole, None), ({}, "SQLite (rounds)"), ({**whole, "sqlite": {"cores": 1}}, "SQLite (rounds)"), ({"sqlite": whole["sqlite"]}, None),
            ({**whole, "postgres": {"rounds": 1}}, "PostgreSQL (cores)"),
        ):
            self.assertEqual(scaling.missing(given), missing)

    def test_growth_is_the_ratio_to_the_empty_ledger_of_the_same_round(self):
        rounds = [{"round": at, "size": size, "cpu_us": cpu} for at, size, cpu in ((1, 0, 100), (1, 9, 110), (2, 0, 200), (2, 9, 240), (3, 0, 50), (3, 9, 65))]
        self.assertAlmostEqual(scaling.growth(rounds, 9, "cpu_us"), 1.2)


if __name__ == "__main__":
    unittest.main()
