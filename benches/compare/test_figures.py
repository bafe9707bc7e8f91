"""The arithmetic: percentiles, medians, ratios within a round, bars, and when a measurement is none."""

import unittest

import figures
from measure import complaint
from situations import BARS, Bar


def one(peer, at, situation="busy", **values):
    return {"situation": situation, "peer": peer, "round": at, **values}


class Percentiles(unittest.TestCase):
    def test_a_percentile_is_a_value_that_was_measured(self):
        for share, expected in ((0, 1), (0.5, 50), (0.99, 99), (0.999, 100), (1, 100)):
            self.assertEqual(figures.percentile(range(100, 0, -1), share), expected, share)
        self.assertEqual(figures.percentile([7], 0.999), 7)
        self.assertIsNone(figures.percentile([], 0.5))


class Rounds(unittest.TestCase):
    def test_a_failed_round_counts_in_no_median(self):
        measured = [one("sqlite", 1, cpu_us=10), one("sqlite", 2, cpu_us=30), one("sqlite", 3, cpu_us=1, failure="refused")]
        self.assertEqual(figures.middle(measured, "busy", "sqlite", "cpu_us"), 20)
        self.assertEqual(figures.failures(measured, "busy", "sqlite"), ["refused"])
        self.assertIsNone(figures.middle(measured, "alone", "sqlite", "cpu_us"))

    def test_a_ratio_compares_within_a_round(self):
        # The machine is three times slower in round 2: medians of each peer alone would compare two machines.
        measured = [one("sqlite", 1, cpu_us=20), one("haproxy", 1, cpu_us=10), one("sqlite", 2, cpu_us=60), one("haproxy", 3, cpu_us=90)]
        self.assertEqual(figures.ratio(measured, "busy", "sqlite", "haproxy", "cpu_us"), 2)
        self.assertIsNone(figures.ratio(measured, "busy", "sqlite", "dbos", "cpu_us"))


class Bars(unittest.TestCase):
    def test_a_bar_is_reached_up_to_its_limit_and_no_further(self):
        for at_least, limit, reached in ((False, 2, True), (False, 1.9, False), (True, 2, True), (True, 2.1, False)):
            bar = Bar("", "busy", "sqlite", "cpu_us", limit, at_least=at_least, against="haproxy")
            results = {"measurements": [one("sqlite", 1, cpu_us=20), one("haproxy", 1, cpu_us=10)]}
            self.assertEqual(figures.held(bar, results), (2, limit, reached))

    def test_two_synced_writes_are_allowed_beside_fastify(self):
        bar = next(bar for bar in BARS if bar.syncs)
        measured = [one("sqlite", 1, "alone", p50_us=800), one("fastify", 1, "alone", p50_us=300)]
        self.assertEqual(figures.held(bar, {"measurements": measured, "sync_us": [250, 260, 240]}), (800, 800, True))
        self.assertEqual(figures.held(bar, {"measurements": measured, "sync_us": [249]}), (800, 798, False))
        self.assertEqual(figures.held(bar, {"measurements": measured, "sync_us": []}), (800, None, None))

    def test_a_bar_without_its_peer_is_not_measured(self):
        results = {"measurements": [one("sqlite", 1, cpu_us=20, per_second=9)], "sync_us": [250]}
        for bar in BARS:
            self.assertIsNone(figures.held(bar, results)[2], bar.text)


class Complaints(unittest.TestCase):
    def test_a_measurement_counts_only_if_all_answers_are_2xx_and_all_orders_are_stored(self):
        def run(requests, refused=0, broken=0):
            return {"requests": requests, "refused": refused, "broken": broken}

        self.assertIsNone(complaint(run(10), run(90), 100, 64))
        self.assertIsNone(complaint(run(10), run(90), None, 64))
        self.assertIsNone(complaint(run(10), run(90), 228, 64), "what was under way may be stored")
        for warm, saw, stored in (
            (run(10), run(90), 99), (run(10), run(90), 229), (run(10), run(0), None), (run(10, refused=1), run(90), 100), (run(10), run(90, broken=1), 100),
        ):
            self.assertIsNotNone(complaint(warm, saw, stored, 64), (warm, saw, stored))
