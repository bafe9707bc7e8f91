"""openapi/11vms.openapi.json is what the service calls, what it understands, and what the sandbox answers."""

import csv
import json
import subprocess
import tempfile
import time
import unittest

from description import (
    ANY,
    DESCRIPTION,
    DescribedVms,
    content,
    examples,
    mistakes,
    mistakes_of_answer,
    mistakes_of_request,
    resolved,
)
from service import BINARY, ROOT, SERVICE, Dev, Serve, call, environment, fetch_token, new_cart

CREATE = DESCRIPTION["paths"]["/purchase-orders"]["post"]
ORDER = content(CREATE["requestBody"])["schema"]


class Orders(unittest.TestCase):
    def test_every_field_of_the_default_sheet_is_described_and_no_other(self):
        def fields(schema, before=""):
            schema = resolved(schema)
            for name, below in schema.get("properties", {}).items():
                below = resolved(below)
                if below["type"] == "array":
                    yield from fields(below["items"], f"{before}{name}[].")
                elif "properties" in below:
                    yield from fields(below, f"{before}{name}.")
                else:
                    yield before + name

        with (ROOT / "mapping/purchase-order.csv").open() as sheet:
            rows = [row for row in csv.DictReader(sheet) if not row["target"].endswith("[]")]
        self.assertEqual(sorted(fields(ORDER)), sorted({row["target"] for row in rows}))
        # What a cart may lack, an order may.
        for row in rows:
            *path, name = row["target"].replace("[]", "").split(".")
            schema = resolved(ORDER)
            for step in path:
                below = resolved(schema["properties"][step])
                schema = resolved(below.get("items", below))
            is_always_there = row["absent"] == "refuse" or row["absent"].startswith("use:")
            self.assertEqual(name in schema["required"] if "required" in schema else False, is_always_there, row["target"])

    def test_every_order_of_the_mappings_examples_is_described(self):
        files = sorted((ROOT / "mapping/examples").glob("*.order.json"))
        self.assertGreater(len(files), 20)
        for file in files:
            with self.subTest(file.name):
                self.assertEqual(mistakes(ORDER, json.loads(file.read_text())), [])

    def test_an_order_that_breaks_the_description_is_found(self):
        order = json.loads((ROOT / "mapping/examples/asjson-sample.order.json").read_text())
        share = order["lines"][0]["allocations"][0]
        for change in (
            lambda: order.update(totalAmount=1.5),
            lambda: order.pop("salesOrg"),
            lambda: order.update(orderDate="31.01.2025"),
            lambda: share.update(amount="1"),
        ):
            before = len(mistakes(ORDER, order))
            change()
            self.assertEqual(len(mistakes(ORDER, order)), before + 1)
        self.assertIn("idempotency-key is missing", mistakes_of_request("post", "/purchase-orders", {}, json.dumps(order)))
        self.assertEqual(len(mistakes_of_request("get", "/purchase-orders?id=1", {"x": "y"}, b"")), 3)

    def test_every_example_follows_its_own_schema(self):
        for method in ("get", "post"):
            for status, _, name, example in examples(method):
                with self.subTest(f"{method} {status} {name}"):
                    self.assertEqual(mistakes_of_answer(method, status, json.dumps(example["value"])), [])


class Sandbox(unittest.TestCase):
    def test_every_answer_of_the_sandbox_is_described(self):
        dev = Dev()
        self.addCleanup(dev.stop)
        token, url = fetch_token(dev.token_url, SERVICE), f"{dev.vms}/purchase-orders"
        order = {"externalId": "4711"}
        for method, body, search, bearer, expected in (
            ("post", order, "", token, 201),
            ("post", b"{", "", token, 400),
            ("post", order, "", "unknown", 401),
            ("get", None, "?externalId=4711", token, 200),
            ("get", None, "?externalId=4712", token, 200),
            ("get", None, "?externalId=4711", "unknown", 401),
        ):
            status, _, text = call(url + search, bearer, body)
            self.assertEqual(status, expected, text)
            self.assertEqual(mistakes_of_answer(method, status, text), [], text)


class Service(unittest.TestCase):
    """The service in front of an 11VMS that has nothing but the description."""

    @classmethod
    def setUpClass(cls):
        cls.dev, cls.vms = Dev(), DescribedVms()
        cls.addClassCleanup(cls.dev.stop)
        cls.addClassCleanup(cls.vms.stop)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.serve = Serve(cls.dev, cls.vms.url, folder.name)
        cls.addClassCleanup(cls.serve.stop)
        cls.token = cls.dev.token()

    def tearDown(self):
        self.assertEqual(self.vms.mistakes, [], "requests that are not described")
        self.assertEqual([queue for queue in self.vms.queues.values() if queue], [], "answers that nobody asked for")

    def attempts(self, *answers, count):
        """Sends a new cart; gives the state of its order and the outcomes of its attempts, once there are as many."""
        cart, identity = new_cart()
        self.vms.queues[identity].extend(answers)
        self.assertEqual(call(f"{self.serve.url}/v2/purchase-orders", self.token, cart, {"Prefer": "respond-async"})[0], 202)
        for _ in range(400):
            order = json.loads(call(f"{self.serve.url}/v2/purchase-orders/{identity}", self.token)[2])
            outcomes = [attempt["outcome"] for attempt in order["attempts"] if attempt.get("outcome")]
            if len(outcomes) >= count:
                return order, outcomes
            time.sleep(0.025)
        self.fail(f"{order}")

    @staticmethod
    def answer(status, headers, example):
        return status, {**headers, "Retry-After": "0"} if "Retry-After" in headers else headers, example["value"]

    def test_the_service_reads_each_answer_to_an_order_as_the_description_says(self):
        read = set()
        for status, headers, name, example in examples("post"):
            with self.subTest(f"{status} {name}"):
                answer = self.answer(status, headers, example)
                # A 401 is answered with a new token at once.
                _, outcomes = self.attempts(*[answer] * (2 if status == 401 else 1), count=1)
                self.assertEqual(outcomes[0], example["x-outcome"])
                read.add(outcomes[0])
        self.assertEqual(read, {"created", "rejected", "not-done", "unknown"})

    def test_the_service_reads_each_answer_to_a_look_up_as_the_description_says(self):
        expected = {"found": "found", "absent": "created", "inconclusive": "unknown", "not-done": "unknown"}
        for status, headers, name, example in examples("get"):
            with self.subTest(f"{status} {name}"):
                answer = self.answer(status, headers, example)
                failure = (500, {}, {"message": "internal error"})
                order, outcomes = self.attempts(failure, *[answer] * (2 if status == 401 else 1), count=2)
                self.assertEqual(outcomes[:2], ["unknown", expected[example["x-outcome"]]], order)

    def check_target(self):
        command = [BINARY, "check", "--target", "--config", self.serve.config]
        return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)

    def test_check_target_accepts_the_described_11vms(self):
        done = self.check_target()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("answers the look-up of an order that can't exist", done.stdout)

    def test_check_target_says_what_differs(self):
        for status, headers, name, example in examples("get"):
            if name == "absent":
                continue
            with self.subTest(f"{status} {name}"):
                self.vms.queues[ANY].extend([self.answer(status, headers, example)] * (2 if status == 401 else 1))
                done = self.check_target()
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn("FAIL 11VMS", done.stderr)


if __name__ == "__main__":
    unittest.main()
