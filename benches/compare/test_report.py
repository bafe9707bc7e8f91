"""The tables, the document and the plots: complete from any results, and loud about what is missing."""

import json
import os
import unittest
import xml.etree.ElementTree as xml

import load
import plot
import report
from bench import HERE
from situations import PEERS, SITUATIONS

FIGURES = {
    "per_second": 8500.4, "p50_us": 7321, "p99_us": 12_000, "p999_us": 31_000, "cpu_us": 94.26, "memory_mib": 33.1, "own_memory_mib": 31,
    "disk_bytes": 1234.5, "load_busy": 0.5, "foreign": 0.01,
}


def results(**changed):
    measured = [
        {"situation": situation.key, "peer": peer, "round": at, **FIGURES} for at in (1, 2) for situation in SITUATIONS for peer in situation.peers
    ]
    machine = {
        "processor": "Some CPU", "cores": 2, "peer_core": 1, "load_core": 0, "memory_gib": 8.0, "kernel": "6.1", "file_system": "ext4",
        "system": "Debian", "load_average": 0.1,
    }
    return {
        "date": "2026-01-02", "rounds": 2, "seconds": 10, "warm_up": 5, "machine": machine, "sync_us": [250.0, 260.0], "measurements": measured,
        "peers": {key: {"title": f"the {key}", "version": "1.0", "not_run": None} for key in PEERS}, **changed,
    }


def template():
    with open(os.path.join(HERE, "template.md")) as file:
        return file.read()


class Numbers(unittest.TestCase):
    def test_numbers_have_three_digits_and_a_unit_that_suits_them(self):
        for value, expected in ((None, "–"), (0, "0"), (0.0864, "0.0864"), (1, "1"), (2.5, "2.5"), (9.999, "10"), (94.26, "94.3"), (8500.4, "8,500")):
            self.assertEqual(report.number(value), expected)
        for value, expected in ((None, "–"), (250, "250 µs"), (1000, "1 ms"), (7321, "7.32 ms"), (1_382_000, "1,382 ms")):
            self.assertEqual(report.duration(value), expected)


class Tables(unittest.TestCase):
    def test_a_row_has_every_figure(self):
        cells = report.row(results(), SITUATIONS[0], "sqlite")
        self.assertEqual(cells, ["**the sqlite**", "8,500", "7.32 ms", "12 ms", "31 ms", "94.3", "33.1", "1,234"])

    def test_a_figure_that_the_load_limits_is_marked(self):
        given = results()
        for one in given["measurements"]:
            one["load_busy"] = 0.99
        self.assertEqual(report.row(given, SITUATIONS[0], "nginx")[1], "8,500†")

    def test_a_peer_that_is_missing_or_failed_keeps_its_row(self):
        given = results()
        given["peers"]["dbos"]["not_run"] = "npm is not installed"
        for one in given["measurements"]:
            if one["peer"] == "restate":
                one["failure"] = "5 of 9 answers were no 2xx"
        table = report.markdown(report.HEADINGS, report.rows(given, SITUATIONS[0]))
        self.assertIn("| the dbos | NOT RUN: npm is not installed |", table)
        self.assertIn("| the restate | FAILED: 5 of 9 answers were no 2xx |", table)
        self.assertEqual({line.count("|") for line in table.splitlines()}, {len(report.HEADINGS) + 1})
        self.assertIn("NOT RUN: npm is not installed", report.summary(given, SITUATIONS))
        self.assertIn("NOT MEASURED", report.document(given, template()))

    def test_columns_of_a_terminal_are_aligned(self):
        table = report.plain(["peer", "a", "b"], [["**one**", "1", "22"], ["a long name", "NOT RUN: it is too long for a column"]])
        self.assertEqual(table.splitlines(), [
            "peer         a  b", "one          1  22", "a long name  NOT RUN: it is too long for a column",
        ])

    def test_a_machine_that_is_not_quiet_is_said(self):
        given = results()
        self.assertNotIn("not quiet", report.quiet(given))
        for one in given["measurements"]:
            one["foreign"] = 0.3
        self.assertIn("not quiet", report.document(given, template()))


class Document(unittest.TestCase):
    def test_the_template_is_filled_whole(self):
        text = report.document(results(), template())
        self.assertNotIn("{{", text)
        for word in ("Some CPU", "ext4", "2026-01-02", "reached", "255 µs"):
            self.assertIn(word, text)
        with self.assertRaises(ValueError):
            report.document(results(), template() + "{{UNKNOWN}}")

    def test_the_figures_may_come_from_a_file(self):
        self.assertEqual(report.document(json.loads(json.dumps(results())), template()), report.document(results(), template()))


class Plots(unittest.TestCase):
    def test_a_plot_is_xml_with_every_peer_and_has_a_dark_form(self):
        for draw in (plot.cost, plot.latency):
            text = draw(results())
            xml.fromstring(text)
            self.assertIn("prefers-color-scheme: dark", text)
            for key in PEERS:
                self.assertIn(f"the {key}", text)

    def test_a_plot_says_what_was_not_measured(self):
        for draw in (plot.cost, plot.latency):
            self.assertIn("not measured", draw(results(measurements=[])))

    def test_axes_have_round_numbers(self):
        self.assertEqual(plot.steps(94.26), [0, 20, 40, 60, 80])
        self.assertEqual(plot.steps(11_572), [0, 2500, 5000, 7500, 10_000])
        self.assertEqual(plot.decades(250, 31_000), [100, 1000, 10_000, 100_000])
        self.assertEqual(plot.decades(203_000, 421_000), [200_000, 500_000])
        self.assertEqual(plot.decades(1000, 1000), [1000, 2000])
        self.assertEqual([plot.waiting(us) for us in (250, 5000, 2_000_000)], ["250 µs", "5 ms", "2 s"])


class Carts(unittest.TestCase):
    def test_a_cart_is_json_of_five_items_and_about_3500_bytes(self):
        text = load.with_ids(load.cart())
        self.assertEqual(len(json.loads(text)["CART"]["ITEM"]), 5)
        self.assertTrue(3400 < len(text) < 3600, len(text))
        self.assertTrue(text.isascii(), "its length in characters is its length in bytes")

    def test_a_request_says_how_long_its_cart_is(self):
        head, _, body = load.with_ids(load.request(80, "/orders/{{GUID}}/create", "token")).partition("\r\n\r\n")
        self.assertIn(f"Content-Length: {len(body)}", head)
        self.assertIn(f"POST /orders/{load.GUID}/create HTTP/1.1", head)

    def test_what_wrk_saw_is_read_from_its_output(self):
        self.assertEqual(load.parsed('Running 1s test\nRESULT {"requests":5}\n'), {"requests": 5})
        with self.assertRaises(load.LoadFailed):
            load.parsed("unable to connect")
