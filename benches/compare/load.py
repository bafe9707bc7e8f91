"""The load: wrk on one core, with carts that are all new, and what it saw."""

import json
import os
import re
import subprocess
import time

from processes import pinned

HERE = os.path.dirname(os.path.abspath(__file__))
GUID, NUMBER = "0" * 32, "0" * 10
GRACE = 30
#: wrk begins with so many carts of its own in each run, numbered one after the other.
NUMBERS_A_RUN = 5_000_000


class LoadFailed(Exception):
    """wrk did not tell what it saw."""


def cart():
    """The text of a cart, with places for its ids."""
    with open(os.path.join(HERE, "load", "cart.json")) as file:
        return file.read().replace("\n", "")


def with_ids(text):
    """The text with ids of the usual length."""
    return re.sub(r"{{(\w+)}}", lambda name: NUMBER if name[1] == "NUMBER" else GUID, text)


def request(port, path, token):
    """A whole request as cart.lua reads it; `path` may have {{GUID}}."""
    body = cart()
    lines = (
        f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}", "Content-Type: application/json",
        f"Content-Length: {len(with_ids(body))}",
    )
    return "\r\n".join(lines) + "\r\n\r\n" + body


class Load:
    """Runs wrk; no two runs of one command have a cart in common."""

    def __init__(self, folder, core, token):
        self.folder, self.core, self.token = folder, core, token
        self._runs = 0

    def run(self, port, path, connections, seconds):
        """What wrk saw: requests, seconds, latencies in µs, and what was no 2xx."""
        self._runs += 1
        file = os.path.join(self.folder, "request")
        with open(file, "w", newline="") as out:
            out.write(request(port, path, self.token))
        environment = {
            **os.environ, "COMPARE_REQUEST": file, "COMPARE_SEED": str(time.time_ns() // 1000),
            "COMPARE_NUMBER": str(1_000_000_000 + self._runs % 1000 * NUMBERS_A_RUN),
        }
        command = [
            "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", os.path.join(HERE, "load", "cart.lua"),
            f"http://127.0.0.1:{port}/",
        ]
        done = subprocess.run(
            pinned(self.core, command), env=environment, capture_output=True, text=True, timeout=seconds + GRACE, start_new_session=True,
        )
        return parsed(done.stdout, done.stderr)


def parsed(output, errors=""):
    """The line of cart.lua among what wrk wrote."""
    line = next((line for line in output.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise LoadFailed(f"wrk: {(output + errors).strip()[-500:]}")
    return json.loads(line.removeprefix("RESULT "))
