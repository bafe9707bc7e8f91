"""The service under `dev` or `serve`, calls of its API, and a server that answers from a script."""

import base64
import json
import os
import pathlib
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "target/test-tools/clients"
BINARY = os.environ.get("PO_WEBHOOK_BINARY") or ROOT / "target/debug/purchase-order-webhook"
TIMEOUT = 60

# SRM, and the service itself, at the sandbox's issuer.
CALLER = ("srm7", "srm7-secret")
SERVICE = ("purchase-order-webhook", "webhook-secret")


def call(url, token=None, body=None, headers=None):
    """Status, headers and text of an answer; the body is sent as JSON unless it is a text."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        with OPENER.open(urllib.request.Request(url, data, headers), timeout=TIMEOUT) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


# No proxy: everything is on this host.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch_token(token_url, client):
    basic = base64.b64encode(":".join(client).encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    status, _, text = call(token_url, body=b"grant_type=client_credentials", headers=headers)
    assert status == 200, f"no token for {client[0]}: {status} {text}"
    return json.loads(text)["access_token"]


class Dev:
    """`dev`, until it is stopped."""

    def __init__(self):
        # Two that start at one moment may want one port: the second one is started again.
        found = self.start() or self.start()
        assert found, "dev does not start"
        self.issuer, self.vms, self.url = found["issuer"], found["11VMS"].rstrip("/"), found["service"]
        _, _, metadata = call(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        self.token_url = json.loads(metadata)["token_endpoint"]
        # Whatever it prints later, and the pipe never is full.
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def start(self):
        """Its addresses; nothing if it ended at once."""
        self.process = subprocess.Popen([BINARY, "dev"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        found = {}
        for line in self.process.stdout:
            found.update(re.findall(r"^(issuer|11VMS|service) +(http://\S+)$", line))
            if line.startswith("Stop:"):
                return found
        self.process.wait()
        self.process.stdout.close()
        return None

    def token(self):
        token = fetch_token(self.token_url, CALLER)
        assert token.count(".") == 2, "the sandbox's issuer makes no JWT for SRM"
        return token

    def orders(self):
        """The orders of the sandbox's 11VMS, number by id."""
        orders = json.loads(call(f"{self.vms}/sandbox/orders")[2])["orders"]
        return {order["order"]["externalId"]: order["poNumber"] for order in orders}

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


SETTINGS = """
server.listen = "127.0.0.1:0"
server.management_listen = "127.0.0.1:0"
auth.issuer = "{issuer}"
auth.audience = "purchase-order-webhook"
target.base_url = "{vms}"
target.unknown_grace = "10ms"
target.oauth2.token_url = "{token}"
target.oauth2.client_id = "purchase-order-webhook"
target.oauth2.client_secret = "webhook-secret"
target.breaker_failures = 1000
retry.initial_delay = "10ms"
ledger.url = "sqlite:{folder}/orders.db"
mapping.directory = "{mapping}"
"""


class Serve:
    """`serve` beside the issuer of a `dev`, in front of any 11VMS, until it is stopped."""

    def __init__(self, dev, vms, folder, further=""):
        self.config, self.log = pathlib.Path(folder) / "config.toml", pathlib.Path(folder) / "log"
        self.config.write_text(
            SETTINGS.format(issuer=dev.issuer, vms=vms, token=dev.token_url, folder=folder, mapping=ROOT / "mapping")
            + further
        )
        with self.log.open("w") as log:
            self.process = subprocess.Popen([BINARY, "serve", "--config", self.config], stdout=log, stderr=log, env=environment())
        self.url, self.management = self.addresses()

    def addresses(self):
        for _ in range(400):
            for line in self.log.read_text().splitlines():
                record = json.loads(line)
                # The line before has the ports that were asked for.
                if not record.get("server.address", ":0").endswith(":0"):
                    return f"http://{record['server.address']}", f"http://{record['server.management.address']}"
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.025)
        raise AssertionError(f"serve did not start:\n{self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def environment(**own):
    """That of a caller: no proxy, and the given variables."""
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**inherited, **own}


def new_cart(name="cart.json", **header):
    """The cart of examples/ with a GUID and a number of its own, and its id."""
    text = (ROOT / "examples" / name).read_text()
    identity = uuid.uuid4().hex
    cart = json.loads(text)
    cart["HEADER"].update(GUID=identity.upper(), OBJECT_ID=str(1_000_000_000 + uuid.uuid4().int % 1_000_000_000), **header)
    return cart, identity


class FakeServer:
    """A server on a free port, whose answers are those of `respond`."""

    def __init__(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                found = fake.respond(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                if found is None:
                    self.close_connection = True
                    return self.connection.close()
                status, headers, body = found
                text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def respond(self, request, body):
        """The answer to a request: (status, headers, body); `None` is a hang-up."""
        raise NotImplementedError

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Script(FakeServer):
    """Gives its answers in their order, each (status, headers, body); `None` is a hang-up. At /token, it gives a token."""

    def __init__(self, answers):
        self.script, self.requests = iter(answers), []
        super().__init__()

    def respond(self, request, body):
        if request.path == "/token":
            return 200, {}, {"access_token": f"token-{len(self.requests)}", "token_type": "Bearer"}
        self.requests.append((request.command, request.path, request.headers.get("Authorization"), body))
        return next(self.script, (500, {}, {"title": "the script is at its end"}))
