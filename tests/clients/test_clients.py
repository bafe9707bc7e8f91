"""The examples and the generated clients create orders under `dev`; each example does with every answer what it says."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from service import BINARY, PLACE, ROOT, Dev, Script, call, environment, new_cart

NUMBER = re.compile(r"45\d{8}")
COMMANDS = {
    "curl": ["bash", ROOT / "examples/curl/send-cart.sh"],
    "python": [sys.executable, ROOT / "examples/python/send_cart.py"],
    "typescript": ["node", PLACE / "typescript/dist/send-cart.js"],
}
ORDER = {"id": "1", "cartNumber": "1", "state": "retrying", "receivedAt": "2025-01-01T00:00:00Z"}
CREATED = {**ORDER, "state": "created", "purchaseOrderNumber": "4500000009"}
AT_ONCE = {"Retry-After": "0"}


def run(*command, cwd=ROOT, **variables):
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment(**variables), capture_output=True, text=True, timeout=300
    )


def build(*command, cwd):
    # As npm runs a script.
    path = f"{PLACE}/node_modules/.bin:{os.environ['PATH']}"
    done = run(*command, cwd=cwd, PATH=path)
    if done.returncode != 0:
        raise AssertionError(f"{command}:\n{done.stdout}{done.stderr}")


def tool(name):
    return PLACE / "node_modules/.bin" / name


def fresh_folder(name):
    folder = PLACE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dev = Dev()
        cls.addClassCleanup(cls.dev.stop)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        source, typescript = ROOT / "examples/typescript", fresh_folder("typescript")
        for name in ("package.json", "tsconfig.json", "send-cart.ts"):
            shutil.copy(source / name, typescript)
        script = json.loads((source / "package.json").read_text())["scripts"]["types"]
        build("sh", "-c", script.replace("../../", f"{ROOT}/"), cwd=typescript)
        build("tsc", "--project", ".", cwd=typescript)

    def write(self, cart):
        file = self.folder / f"{cart['HEADER']['OBJECT_ID']}.json"
        file.write_text(json.dumps(cart))
        return file

    def send(self, language, file, url=None, token_url=None):
        return run(
            *COMMANDS[language],
            file,
            PO_WEBHOOK_URL=url or self.dev.url,
            TOKEN_URL=token_url or self.dev.token_url,
            CLIENT_ID="srm7",
            CLIENT_SECRET="srm7-secret",
        )

    def for_each_language(self):
        for language in COMMANDS:
            with self.subTest(language):
                yield language

    def test_each_example_creates_one_order_of_a_cart_that_is_sent_twice(self):
        for language in self.for_each_language():
            cart, identity = new_cart()
            file = self.write(cart)
            first, second = self.send(language, file), self.send(language, file)
            self.assertEqual((first.returncode, second.returncode), (0, 0), first.stderr + second.stderr)
            self.assertRegex(first.stdout.strip(), NUMBER)
            self.assertEqual(first.stdout, second.stdout)
            self.assertEqual(self.dev.orders()[identity], first.stdout.strip())
            print(f"{language}: {first.stdout.strip()}")

    def test_the_commands_of_the_page_print_the_number_of_the_same_order(self):
        commands = re.findall(r"`((?:python3 )?examples/\S+ examples/cart\.json)`", (ROOT / "examples/README.md").read_text())
        self.assertEqual(len(commands), 2)
        numbers = set()
        for command in commands:
            done = run(
                "sh", "-c", command,
                PO_WEBHOOK_URL=self.dev.url, TOKEN_URL=f"{self.dev.issuer}/token", CLIENT_ID="srm7", CLIENT_SECRET="srm7-secret",
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)
            numbers.add(done.stdout.strip())
        self.assertEqual(len(numbers), 1)
        self.assertRegex(numbers.pop(), NUMBER)

    def test_each_example_prints_every_mistake_of_a_cart(self):
        file = ROOT / "examples/cart-with-mistakes.json"
        preview = call(f"{self.dev.url}/v2/purchase-orders/preview", self.dev.token(), file.read_bytes())[2]
        messages = [message["message"] for message in json.loads(preview)["messages"]]
        self.assertEqual(len(messages), 3)
        for language in self.for_each_language():
            done = self.send(language, file)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            for message in messages:
                self.assertIn(message, done.stderr)

    def test_each_example_gives_up_on_another_cart_of_the_same_id(self):
        for language in self.for_each_language():
            cart, _ = new_cart()
            self.assertEqual(self.send(language, self.write(cart)).returncode, 0)
            cart["HEADER"]["DESCRIPTION"] = "Another title"
            done = self.send(language, self.write(cart))
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("came from another cart", done.stderr)

    def follow(self, language, answers):
        """Runs an example against a service with these answers, and gives the methods and paths of its requests."""
        script = Script(answers)
        self.addCleanup(script.stop)
        done = self.send(language, ROOT / "examples/cart.json", script.url, f"{script.url}/token")
        return done, [f"{method} {path}" for method, path, _, _ in script.requests], script

    def test_each_example_sends_again_until_there_is_an_outcome(self):
        post = "POST /v2/purchase-orders"
        problem = {"type": "/problems/overloaded", "title": "x", "status": 503}
        answers = [(status, AT_ONCE, problem) for status in (503, 429, 504, 408)] + [(201, {}, CREATED)]
        page = [(502, AT_ONCE, "<html>gateway</html>"), (200, {}, CREATED)]
        open_at_first = [
            (202, {**AT_ONCE, "Location": "/v2/purchase-orders/1"}, ORDER),
            (200, {}, ORDER),
            (200, {}, CREATED),
        ]
        for language in self.for_each_language():
            done, requests, _ = self.follow(language, answers)
            self.assertEqual((done.returncode, done.stdout.strip(), requests), (0, "4500000009", [post] * 5), done.stderr)
            done, requests, _ = self.follow(language, page)
            self.assertEqual((done.returncode, done.stdout.strip(), requests), (0, "4500000009", [post] * 2), done.stderr)
            done, requests, _ = self.follow(language, open_at_first)
            get = "GET /v2/purchase-orders/1"
            self.assertEqual((done.returncode, done.stdout.strip(), requests), (0, "4500000009", [post, get, get]), done.stderr)

    def test_each_example_says_that_a_person_has_to_act(self):
        message = {"type": "E", "id": "PO_WEBHOOK", "number": "043", "message": "parked: look into 11VMS", "row": 0}
        parked = {"type": "/problems/parked", "title": "The order waits", "status": 502, "messages": [message]}
        rejected = {**ORDER, "state": "rejected", "messages": [{**message, "message": "cost center closed"}]}
        for language in self.for_each_language():
            done, requests, _ = self.follow(language, [(502, {}, parked)])
            self.assertEqual((done.returncode, done.stdout, len(requests)), (1, "", 1))
            self.assertIn("parked: look into 11VMS", done.stderr)
            located = {**AT_ONCE, "Location": "/v2/purchase-orders/1"}
            done, requests, _ = self.follow(language, [(202, located, ORDER), (200, {}, rejected)])
            self.assertEqual((done.returncode, done.stdout, len(requests)), (1, "", 2))
            self.assertIn("cost center closed", done.stderr)
            done, requests, _ = self.follow(language, [(503, AT_ONCE, {})] * 5)
            self.assertEqual((done.returncode, done.stdout, len(requests)), (2, "", 5))

    def test_each_example_gets_a_new_token_once(self):
        refused = (401, {}, {"type": "/problems/invalid-token", "title": "x", "status": 401})
        for language in self.for_each_language():
            done, _, script = self.follow(language, [refused, (201, {}, CREATED)])
            self.assertEqual((done.returncode, done.stdout.strip()), (0, "4500000009"), done.stderr)
            tokens = [token for _, _, token, _ in script.requests]
            self.assertEqual(tokens, ["Bearer token-0", "Bearer token-1"])
            done, requests, _ = self.follow(language, [refused] * 2)
            self.assertEqual((done.returncode, len(requests)), (1, 2))

    def test_a_connection_that_breaks_is_no_end(self):
        # TypeScript and Python wait for ten seconds, as nothing names a time; so one language stands for all.
        done, requests, _ = self.follow("curl", [None, (201, {}, CREATED)])
        self.assertEqual((done.returncode, done.stdout.strip(), len(requests)), (0, "4500000009", 2), done.stderr)

    def test_a_cart_written_by_hand_has_a_type(self):
        folder = fresh_folder("typed-cart")
        shutil.copy(ROOT / "tests/clients/typed-cart.ts", folder)
        shutil.copy(PLACE / "typescript/api.d.ts", folder)
        options = ("--strict", "--noEmit", "--module", "nodenext", "--target", "es2022")
        build("tsc", *options, "typed-cart.ts", cwd=folder)
        # A field of another type is refused, where the description has fields.
        if '"CartHeader"' in (ROOT / "openapi/openapi-3.0.json").read_text():
            (folder / "typed-cart.ts").write_text(
                (folder / "typed-cart.ts").read_text().replace('OBJECT_ID: "1000004801",', "OBJECT_ID: { number: 1 },")
            )
            with self.assertRaises(AssertionError):
                build("tsc", *options, "typed-cart.ts", cwd=folder)

    def create_twice(self, name, *command):
        cart, identity = new_cart()
        done = run(*command, self.write(cart), PO_WEBHOOK_URL=self.dev.url, TOKEN=self.dev.token())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        number = self.dev.orders()[identity]
        lines = re.findall(r"^20\d .*$", done.stdout, re.M)
        self.assertEqual(lines, [f"201 {number}", f"200 {number}"], done.stdout + done.stderr)
        print(f"{name}: {number}")

    def test_the_client_of_saps_generator_creates_an_order(self):
        folder, source = fresh_folder("sap"), ROOT / "tests/clients/sap"
        (folder / "descriptions").mkdir()
        shutil.copy(ROOT / "openapi/openapi-3.0.json", folder / "descriptions/purchase-orders.json")
        for name in ("create-order.ts", "tsconfig.json"):
            shutil.copy(source / name, folder)
        (folder / "package.json").write_text('{"type": "commonjs"}')
        build("openapi-generator", "--input", "descriptions", "--outputDir", ".", cwd=folder)
        build("tsc", "--project", ".", cwd=folder)
        self.create_twice("SAP Cloud SDK", "node", folder / "dist/create-order.js")

    def test_the_client_of_openapi_generator_for_java_creates_an_order(self):
        folder = fresh_folder("java")
        generator = next((PLACE / "venv/lib").glob("python3*/site-packages/openapi_generator_cli/openapi-generator.jar"))
        # The generator's jar has Jackson; Debian's has the annotations.
        libraries = f"{generator}:/usr/share/java/jakarta-annotation-api.jar"
        options = "hideGenerationTimestamp=true,openApiNullable=false,useJakartaEe=true,useSingleRequestParameter=true"
        # What is not compiled is not generated.
        parts = "apis,models,supportingFiles,apiDocs=false,modelDocs=false,apiTests=false,modelTests=false"
        build(
            "java", "-jar", generator, "generate", "-g", "java", "--library", "native", "-o", folder,
            "-i", ROOT / "openapi/openapi-3.0.json", f"--global-property={parts}", f"--additional-properties={options}",
            cwd=folder,
        )  # fmt: skip
        sources = [*(folder / "src/main/java").rglob("*.java"), ROOT / "tests/clients/java/CreateOrder.java"]
        build("javac", "-nowarn", "-d", folder / "classes", "-cp", libraries, *sources, cwd=folder)
        self.create_twice("Java", "java", "-cp", f"{folder}/classes:{libraries}", "CreateOrder")

    def test_the_collection_runs_from_token_to_order(self):
        collection = ROOT / "examples/bruno"
        report = self.folder / "bruno.json"
        done = run(
            tool("bru"), "run", "--env", "variables", "--output", report,
            cwd=collection,
            PO_WEBHOOK_URL=self.dev.url, TOKEN_URL=self.dev.token_url, CLIENT_ID="srm7", CLIENT_SECRET="srm7-secret",
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        summary = json.loads(report.read_text())[0]["summary"]
        requests = len([file for file in collection.glob("[0-9]*.bru")])
        self.assertEqual((summary["passedRequests"], summary["failedAssertions"]), (requests, 0), summary)
        self.assertGreaterEqual(summary["passedAssertions"], 3 * requests, summary)
        print(f"Bruno: {summary['passedRequests']} requests, {summary['passedAssertions']} assertions")


class Files(unittest.TestCase):
    def test_the_example_names_the_versions_that_are_tested(self):
        example = json.loads((ROOT / "examples/typescript/package.json").read_text())
        tested = json.loads((ROOT / "tests/clients/package.json").read_text())["dependencies"]
        for name, version in {**example["dependencies"], **example["devDependencies"]}.items():
            self.assertEqual(tested[name], version, name)

    def test_the_binary_is_the_one_that_is_tested(self):
        self.assertTrue(pathlib.Path(BINARY).is_file(), BINARY)


if __name__ == "__main__":
    unittest.main()
