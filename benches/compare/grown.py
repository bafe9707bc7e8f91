"""Ledgers that have grown: filled with settled orders once, and then served as often as it takes."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

from bench import ROOT
from peers.this_on_postgres import OnPostgres
from peers.this_on_sqlite import OnSqlite, serve
from usage import folder_bytes

#: Orders that a measurement adds count little against a grown ledger's; an empty one is new each time.
EMPTY = 0
BACKENDS = ("sqlite", "postgres")


class NotFilled(RuntimeError):
    """A ledger could not be filled."""


def filler():
    """Builds the program that fills a ledger, and returns its path."""
    command = ["cargo", "bench", "--bench", "fill", "--no-run", "--locked", "--message-format", "json"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "fill" and message.get("executable"):
            return message["executable"]
    raise NotFilled("cargo built no program that fills")


class SqliteLedgers:
    """A file for each size, in a folder of its own; those in `kept` outlive the run."""

    def __init__(self, bench, fill, kept):
        self.bench, self.fill, self.kept = bench, fill, kept
        self.filled = {}
        #: Ledgers that are not any more what they were filled with.
        self.changed = set()
        self._starts = 0

    def grow(self, size):
        """Fills a ledger, unless it is kept from an earlier run: bytes on disk an order."""
        if self.kept:
            self.filled[size] = os.path.join(os.path.abspath(self.kept), f"sqlite-{size}")
            os.makedirs(self.filled[size], exist_ok=True)
        else:
            self.add(size)
        folder = self.filled[size]
        if not os.path.exists(f"{folder}/orders.db"):
            _run(self.fill, f"sqlite:{folder}/orders.db", 0, size)
        return folder_bytes(folder) / self.count(size)

    def add(self, name):
        """A new ledger that stays from one start to the next."""
        self.filled[name] = self.bench.folder(f"sqlite-{name}")

    def start(self, size, vms_port, settings=""):
        """Starts the service on the ledger of a size."""
        self._starts += 1
        scratch = self.bench.folder(f"sqlite-start-{self._starts}")
        ledger = self.filled.get(size) or os.path.join(scratch, "ledger")
        started = serve(self.bench, self.bench.binary, scratch, vms_port, f"sqlite:{ledger}/orders.db", settings)
        return OnSqlite(*started, ledger)

    def count(self, name):
        """The orders in a ledger."""
        with closing(sqlite3.connect(f"file:{self.filled[name]}/orders.db?mode=ro", uri=True)) as file:
            return file.execute("SELECT count(*) FROM orders").fetchone()[0]

    def close(self):
        """A file needs no server."""

    def remove(self):
        """Makes room on the disk."""
        for name, folder in self.filled.items():
            if name in self.changed or not self.kept:
                shutil.rmtree(folder)


class PostgresLedgers:
    """A database for each size in one cluster, which has the core of the service when it serves."""

    def __init__(self, bench, fill, _):
        self.bench, self.fill = bench, fill
        self.filled = {}
        #: Ledgers that are not any more what they were filled with.
        self.changed = set()
        self._starts = 0

    def _server(self, cores):
        self.bench.database.start(cores, os.path.join(self.bench.scratch, "postgres.log"))

    def grow(self, size):
        """Fills a new database, from the next smaller one."""
        name, first = f"orders_{size}", max(self.filled, default=EMPTY)
        database = self.bench.database
        self._server(f"{self.bench.load_core},{self.bench.peer_core}")
        try:
            template = f" TEMPLATE {self.filled[first]} STRATEGY file_copy" if first else ""
            database.sql(f"CREATE DATABASE {name}{template}", "postgres")
            empty = database.bytes()
            _run(self.fill, database.url_of(name), first, size)
            # What autovacuum does in its own time.
            database.sql("VACUUM (ANALYZE)", name)
            self.filled[size] = name
            return (database.bytes(name) - empty) / size
        finally:
            database.stop()

    def add(self, name):
        """A new database that stays from one start to the next."""
        self.filled[name] = f"orders_{name}"
        self._server(self.bench.peer_core)
        self.bench.database.sql(f"CREATE DATABASE {self.filled[name]}", "postgres")
        self.bench.database.stop()

    def start(self, size, vms_port, settings=""):
        """Starts the server and the service on the ledger of a size."""
        self._starts += 1
        self._server(self.bench.peer_core)
        database = self.bench.database
        name = self.filled.get(size, database.DEFAULT)
        scratch = self.bench.folder(f"postgres-start-{self._starts}")
        return OnPostgres(database, *serve(self.bench, self.bench.binary, scratch, vms_port, database.url_of(name), settings))

    def count(self, name):
        """The orders in a database whose server still runs."""
        return int(self.bench.database.sql("SELECT count(*) FROM orders", self.filled[name]))

    def close(self):
        """Ends the server."""
        self.bench.database.stop()

    def remove(self):
        """Makes room on the disk."""
        self._server(self.bench.peer_core)
        for name in self.filled.values():
            self.bench.database.sql(f"DROP DATABASE {name}", "postgres")
        self.bench.database.stop()


def ledgers(backend, bench, fill, kept=None):
    """The ledgers of a backend."""
    return (SqliteLedgers if backend == "sqlite" else PostgresLedgers)(bench, fill, kept)


def _run(fill, url, first, end):
    done = subprocess.run([fill, url, str(first), str(end)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotFilled(f"{url.partition(':')[0]}: {done.stderr.strip()[-500:]}")
    print(f"filled {url.partition(':')[0]}: {done.stdout.strip()}", flush=True)
