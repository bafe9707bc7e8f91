"""Every command in a block of the documents is run as it is pasted: against a real service with a parked order, with the real
binary and its real log. `kubectl` alone is imitated. Blocks of cargo, docker, helm and pg_dump have their own checks. Every block of
settings is taken by `check`."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from description import DescribedVms
from service import BINARY, ROOT, Dev, Script, Serve, call, environment, new_cart

PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]

# Who runs a block that begins with such a program.
ELSEWHERE = {
    "cargo": "scripts/test; its targets are looked up here",
    "mkdir": "fuzzing, which needs a nightly compiler",
    "benches/compare/run": "half an hour, on an idle machine",
    "benches/compare/growth": "more than an hour, and 30 GB of disk",
    "docker": "scripts/test-image",
    "helm": "scripts/test-helm",
    "pg_dump": "PostgreSQL's own",
    "scripts/test": "it is what runs this",
}

KUBECTL = """#!/bin/sh
case "$1" in
  exec) shift 3; exec "$@" ;;
  logs) cat "$SERVICE_LOG" ;;
  get) echo pod/purchase-order-webhook-0 ;;
  describe) echo "Name: $3" ;;
  *) echo "kubectl $1 is not imitated" >&2; exit 1 ;;
esac
"""

FURTHER = """
ledger.keep_carts = "on"
alerts.webhook.url = "{alerts}"
alerts.webhook.secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
"""

BASICS = """
auth.issuer = "https://issuer.acme.test"
auth.audience = "purchase-order-webhook"
ledger.url = "sqlite:{folder}/block.db"
mapping.directory = "{folder}/mapping"
"""

TARGET = """
target.base_url = "https://vms.acme.test"
target.oauth2.token_url = "https://vms.acme.test/token"
target.oauth2.client_id = "webhook"
target.oauth2.client_secret = "secret"
"""


def blocks(page):
    """The line of each block of commands, and its text. Calls that change an order are alternatives: each is a block."""
    lines, found = (ROOT / page).read_text().splitlines(), []
    for at, line in enumerate(lines):
        if re.fullmatch(r" *```sh", line):
            end = next(below for below in range(at + 1, len(lines)) if lines[below].strip() == "```")
            text = "\n".join(lines[at + 1 : end])
            alternatives = re.split(r"\n(?= *curl -X POST)", text)
            found += [(at + 2, command) for command in alternatives]
    return found


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dev, cls.vms, cls.receiver = Dev(), DescribedVms(), Script([(204, {}, "")] * 50)
        for part in (cls.dev, cls.vms, cls.receiver):
            cls.addClassCleanup(part.stop)
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.serve = Serve(cls.dev, cls.vms.url, cls.folder, FURTHER.format(alerts=cls.receiver.url))
        cls.addClassCleanup(cls.serve.stop)
        cls.token = cls.dev.token()
        cls.write_files()

    @classmethod
    def write_files(cls):
        """What the commands find in the folder in which they are pasted."""
        programs, carts = cls.folder / "bin", cls.folder / "carts"
        for folder in (programs, carts, cls.folder / "backup"):
            folder.mkdir()
        for name, text in (("kubectl", KUBECTL), ("purchase-order-webhook", f'#!/bin/sh\nexec "{BINARY}" "$@"\n')):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        # curl shows no progress, and uses no proxy.
        (cls.folder / ".curlrc").write_text('silent\nshow-error\nnoproxy = "*"\n')
        for name in ("mapping", "mapping-in-use", "mapping-changed"):
            shutil.copytree(ROOT / "mapping", cls.folder / name)
        shutil.copy(ROOT / "examples/cart.json", carts)
        (cls.folder / "more.ndjson").write_text(json.dumps(new_cart()[0]) + "\n")
        cls.park()
        command = [BINARY, "backup", "--config", cls.serve.config, cls.folder / "backup/orders-2026-11-28.db"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    @classmethod
    def park(cls):
        """The id of an order that waits for a person."""
        cart, identity = new_cart()
        unknown = (500, {}, {"message": "internal error"})
        cls.vms.queues[identity] = [unknown] * 40
        status, _, text = call(f"{cls.serve.url}/v2/purchase-orders", cls.token, cart)
        assert status == 502, text
        cls.vms.queues[identity] = []
        return identity

    def run_block(self, text):
        text = text.replace("https://orders.example.com ", f"{self.serve.url} ")
        text = text.replace("http://localhost:9090 ", f"{self.serve.management} ").replace("/backup/", f"{self.folder}/backup/")
        variables = environment(
            PATH=f"{self.folder}/bin:{os.environ['PATH']}",
            HOME=str(self.folder),
            PO_WEBHOOK_CONFIG=str(self.serve.config),
            SERVICE_LOG=str(self.serve.log),
            URL=self.serve.url,
            MANAGEMENT=self.serve.management,
            TOKEN=self.token,
            TOKEN_URL=self.dev.token_url,
            ISSUER=self.dev.issuer,
            CLIENT_ID="srm7",
            CLIENT_SECRET="srm7-secret",
            ID=self.park(),
        )
        return subprocess.run(
            ["bash", "-uc", text], cwd=self.folder, env=variables, capture_output=True, text=True, timeout=120
        )

    def test_every_block_of_commands_can_be_pasted(self):
        count = 0
        for page in PAGES:
            for line, text in blocks(page):
                if next(word for word in text.split() if "=" not in word) in ELSEWHERE:
                    continue
                with self.subTest(f"{page}:{line}"):
                    done = self.run_block(text)
                    # 1 may be an answer: of grep that finds nothing, of a comparison that finds something.
                    self.assertIn(done.returncode, (0, 1), done.stderr)
                    self.assertEqual(done.stderr, "", text)
                    self.assertNotIn('"/problems/', done.stdout, text)
                    count += 1
        self.assertGreater(count, 20)
        print(f"documents: {count} blocks")

    def test_every_block_of_settings_is_taken(self):
        secrets = self.folder / "secrets"
        secrets.mkdir()
        command = ["openssl", "genpkey", "-algorithm", "RSA", "-out", secrets / "salesforce-key.pem"]
        subprocess.run(command, check=True, capture_output=True)
        count = 0
        for page in PAGES:
            # Each recipe of that page has its own test, with the tokens of its system.
            if page == "docs/identity.md":
                continue
            for block in re.findall(r"^```toml\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S):
                with self.subTest(page):
                    others = BASICS if "[target]" in block else BASICS + TARGET
                    block = block.replace("/run/secrets/purchase-order-webhook", str(secrets))
                    file = self.folder / "block.toml"
                    file.write_text(others.format(folder=self.folder) + block)
                    done = subprocess.run(
                        [BINARY, "check", "--config", file], capture_output=True, text=True, env=environment(), timeout=60
                    )
                    self.assertEqual((done.returncode, done.stderr), (0, ""), block)
                    count += 1
        self.assertGreaterEqual(count, 2)

    def test_every_target_of_cargo_exists(self):
        manifest = (ROOT / "Cargo.toml").read_text()
        tests = {file.stem for file in (ROOT / "tests").glob("*.rs")} | set(re.findall(r'^name = "([\w-]+)"', manifest, re.M))
        named = {
            (page, name)
            for page in PAGES
            for name in re.findall(r"cargo (?:test|bench|nextest run)[^`|\n]* --(?:test|bench) ([\w-]+)", (ROOT / page).read_text())
        }
        self.assertGreater(len(named), 5)
        self.assertEqual({(page, name) for page, name in named if name not in tests}, set())


if __name__ == "__main__":
    unittest.main()
