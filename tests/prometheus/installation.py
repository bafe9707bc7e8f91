"""A running installation: the service, its sandbox (issuer and 11VMS of `dev`), a Prometheus that scrapes it, and carts of every fate.

Only Python's own library. Everything is on 127.0.0.1, in a folder that is removed at the end.
"""

import base64
import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PO_WEBHOOK_BINARY", str(ROOT / "target/debug/purchase-order-webhook"))
CHART = ROOT / "helm/purchase-order-webhook"
RULES = CHART / "rules/purchase-order-webhook.yaml"
DASHBOARD = CHART / "dashboards/purchase-order-webhook.json"
SAMPLE = json.loads((ROOT / "mapping/examples/asjson-sample.cart.json").read_text())

# As short as a busy machine bears: the windows of the dashboard then fill within seconds.
SCRAPE_INTERVAL = "1s"

SETTINGS = """
[server]
listen = "127.0.0.1:{api}"
management_listen = "127.0.0.1:{management}"
deadline = "2s"
rate_limit_per_client = 1000
[auth]
issuer = "{issuer}"
audience = "purchase-order-webhook"
ca = "{folder}/certificate.pem"
# Fetched again and again, so that the chart of it has a line.
jwks_refresh = "5s"
jwks_cool_down = "1s"
[target]
base_url = "{vms}"
timeout = "1s"
breaker_failures = 6
breaker_pause = "1s"
ca = "{folder}/certificate.pem"
[target.oauth2]
token_url = "{issuer}/token"
client_id = "purchase-order-webhook"
client_secret = "webhook-secret"
[retry]
attempts = 2
initial_delay = "1s"
multiplier = 1.5
# Also the longest pause of the breaker: the outage ends soon after its last fault.
max_delay = "3s"
[ledger]
url = "sqlite:{folder}/orders.db"
[mapping]
directory = "{folder}/mapping"
{more}
"""

# A receiver that is down: its alerts wait.
ALERTS = """
[alerts.webhook]
url = "http://127.0.0.1:9/alerts"
secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, condition, seconds=60):
    """Waits for a condition; fails by name."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    raise SystemExit(f"FAILED: {what} did not happen within {seconds} s")


def http(url, data=None, headers=None, method=None):
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Installation:
    """`with Installation() as running:`; then `running.drive(seconds)`, and `running.query(…)`."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="po-webhook-"))
        self.processes = []
        self.random = random.Random(1)
        self.carts = 0
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self, name, command):
        log = open(self.folder / f"{name}.log", "wb")
        self.processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder))

    def _log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _start(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=Acme CA", "-keyout",
             "key.pem", "-out", "certificate.pem"], cwd=self.folder, check=True, capture_output=True)
        shutil.copytree(ROOT / "mapping", self.folder / "mapping")
        self._spawn("dev", [BINARY, "dev"])
        until("the sandbox", lambda: "Stop: Ctrl-C" in self._log("dev"))
        dev = self._log("dev")
        issuer = re.search(r"^issuer +(\S+?)/?$", dev, re.M)[1]
        self.vms = re.search(r"^11VMS +(\S+?)/?$", dev, re.M)[1]
        self.token = re.search(r"Bearer ([^']+)'", dev)[1]
        self.api, self.management, self.prometheus = free_port(), free_port(), free_port()
        places = dict(api=self.api, management=self.management, issuer=issuer, vms=self.vms, folder=self.folder)
        config = self.folder / "config.toml"
        config.write_text(SETTINGS.format(more=ALERTS, **places))
        self._spawn("service", [BINARY, "serve", "--config", str(config)])
        ready = lambda: http(f"http://127.0.0.1:{self.management}/readyz")[0] == 200
        try:
            until("readiness of the service", ready)
        except SystemExit:
            print(self._log("service"))
            raise
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": SCRAPE_INTERVAL, "evaluation_interval": SCRAPE_INTERVAL},
            "rule_files": [str(RULES)],
            "scrape_configs": [{
                "job_name": "purchase-order-webhook",
                "static_configs": [{"targets": [f"127.0.0.1:{self.management}"]}],
            }],
        }))
        self._spawn("prometheus", [
            "prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.prometheus}", "--log.level=warn"])
        until("readiness of Prometheus", lambda: http(f"http://127.0.0.1:{self.prometheus}/-/ready")[0] == 200)

    # -- carts --

    def cart(self):
        self.carts += 1
        cart = json.loads(json.dumps(SAMPLE))
        guid = base64.b64encode(self.random.randbytes(16)).decode()
        cart["CART"]["HEADER"].update(GUID=guid, OBJECT_ID=str(2000000000 + self.carts))
        return cart

    def send(self, body, token=None, path="", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.token}", **headers}
        return http(f"http://127.0.0.1:{self.api}/v2/purchase-orders{path}", data, headers)

    def get(self, path):
        return http(f"http://127.0.0.1:{self.api}{path}", headers={"Authorization": f"Bearer {self.token}"})

    def faults(self, *faults):
        http(f"{self.vms}/sandbox/faults", json.dumps(faults).encode())

    def one_round(self):
        """Carts of every fate, one after the other."""
        status = lambda code: {"effect": {"status": {"status": code}}}
        for _ in range(self.random.randint(2, 9)):
            self.send(self.cart())
        again = self.cart()
        self.send(again)
        self.send(again)
        self.faults(status(422))
        self.send(self.cart())
        self.faults(status(503))
        self.send(self.cart())
        self.faults({"effect": "hang-up-after"})
        self.send(self.cart(), Prefer="respond-async")
        self.faults({"delayMs": 300, "effect": "normal"})
        self.send(self.cart())
        self.send([self.cart(), {"CART": {}}], path="/batch")
        self.send(self.cart(), path="/preview")
        self.send({"CART": {"HEADER": {}}})
        self.send(b"{")
        self.send(self.cart(), token=self.token[:-4] + "AAAA")
        self.get("/v2/purchase-orders?limit=5")
        self.get("/docs")

    def outage(self):
        """11VMS answers 503 until the breaker opens; some orders are parked."""
        self.faults(*[{"effect": {"status": {"status": 503}}}] * 16)
        callers = [threading.Thread(target=self.send, args=(self.cart(),)) for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

    def change_mapping(self):
        """A changed mapping, then one that is refused, then the first again."""
        sheet = self.folder / "mapping/purchase-order.csv"
        text = sheet.read_text()
        # The counters are scraped before they count.
        time.sleep(5)
        for content in (text + "nonsense\n", text.replace(",refuse,", ",refuse,a remark ", 1), text):
            sheet.write_text(content)
            time.sleep(4)

    def drive(self, seconds):
        """Sends carts for a time, with one outage in its middle."""
        begin = time.monotonic()
        changes = threading.Thread(target=self.change_mapping)
        changes.start()
        was_down = False
        while (elapsed := time.monotonic() - begin) < seconds:
            self.one_round()
            if elapsed > seconds / 2 and not was_down:
                was_down = True
                self.outage()
            time.sleep(0.2)
        changes.join()

    # -- Prometheus --

    def prometheus_api(self, path, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        status, body = http(f"http://127.0.0.1:{self.prometheus}/api/v1/{path}?{query}")
        answer = json.loads(body)
        if answer["status"] != "success":
            raise ValueError(f"{status} {answer.get('error')}")
        return answer["data"]

    def query(self, expression):
        return self.prometheus_api("query", query=expression)["result"]

    def query_range(self, expression, seconds, step="1s"):
        now = time.time()
        return self.prometheus_api("query_range", query=expression, start=now - seconds, end=now, step=step)["result"]

    def rules(self):
        """Every rule that Prometheus has loaded: name, expression, health, last error."""
        groups = self.prometheus_api("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]


def panels():
    """The panels of the dashboard that have queries."""
    dashboard = json.loads(DASHBOARD.read_text())
    return [panel for panel in dashboard["panels"] if panel.get("targets")]


def without_variables(expression, window="15s"):
    """An expression of the dashboard, for all jobs and instances."""
    for variable, value in (("$__rate_interval", window), ("$job", ".*"), ("$instance", ".*")):
        expression = expression.replace(variable, value)
    return expression
