"""This service on a SQLite file, as it is delivered: level info, in JSON, into a file of the same file system."""

import os
import re
import sqlite3
import subprocess
import time
from contextlib import closing

from bench import HERE, ROOT, Running
from processes import Program, answers, fetched, free_port
from standin import filled
from usage import folder_bytes, peak_memory_bytes

TITLE = "this service, SQLite"
NEEDS = ()
SETTLED = re.compile(r'^purchase_orders_settled_total\{state="created"\} (\d+)', re.MULTILINE)


def version_of(binary):
    """What a binary calls itself."""
    return subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


def version(bench):
    return version_of(bench.binary)


class RunningService(Running):
    """The service, with its metrics."""

    def __init__(self, program, port, management):
        super().__init__(program, port)
        self.management = management
        #: From its start until /readyz said that it is ready, in seconds.
        self.ready_s = program.ready_s

    def stored(self):
        """Orders that are created in the ledger, as the service has counted them."""
        found = SETTLED.search(fetched(f"http://127.0.0.1:{self.management}/metrics"))
        return int(found[1]) if found else 0

    def own_memory(self):
        return peak_memory_bytes(self.programs[-1].pid)


def serve(bench, binary, folder, vms_port, ledger, settings=""):
    """Starts a binary of the service, with further settings (lines of [ledger]): (program, port, management port)."""
    port, management, issuer = free_port(), free_port(), bench.stand_in
    config = filled(
        os.path.join(HERE, "peers", "this.toml"), os.path.join(folder, "config.toml"), PORT=port, MANAGEMENT=management,
        ISSUER=issuer.issuer_url, TOKEN_URL=issuer.token_url, VMS=f"http://127.0.0.1:{vms_port}/api", LEDGER=ledger,
        LEDGER_SETTINGS=settings, MAPPING=os.path.join(ROOT, "mapping"),
    )
    start = time.perf_counter()
    program = Program([binary, "serve", "--config", config], bench.peer_core, os.path.join(folder, "log"))
    program.wait_until(lambda: answers(f"http://127.0.0.1:{management}/readyz"), "the service is ready")
    program.ready_s = time.perf_counter() - start
    return program, port, management


class OnSqlite(RunningService):
    """The service with its file."""

    def __init__(self, program, port, management, ledger):
        super().__init__(program, port, management)
        self.ledger = ledger
        self.at_start = folder_bytes(ledger)

    def disk(self):
        return self.at_start

    def left(self):
        """The file, without the log beside it, which a clean stop writes back."""
        with closing(sqlite3.connect(f"file:{self.ledger}/orders.db?mode=ro", uri=True)) as file:
            rows = file.execute("SELECT count(*) FROM orders").fetchone()[0]
        return folder_bytes(self.ledger), rows


def start_binary(bench, binary, folder, vms_port, running=OnSqlite):
    """Starts a binary on a new file."""
    ledger = os.path.join(folder, "ledger")
    return running(*serve(bench, binary, folder, vms_port, f"sqlite:{ledger}/orders.db"), ledger)


def start(bench, folder, vms_port):
    return start_binary(bench, bench.binary, folder, vms_port)
