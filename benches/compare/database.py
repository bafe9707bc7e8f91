"""A private PostgreSQL: a new cluster under the scratch folder, started for one peer at a time, on the core of that peer."""

import glob
import os
import shutil
import signal
import subprocess

from processes import Program, free_port, identity

#: Those of a new cluster, but for where it listens; commits go to disk.
OPTIONS = ("listen_addresses=127.0.0.1", "max_connections=100")


def programs():
    """The folder of the server's programs: Debian keeps them out of PATH. `None` if there is no server."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(path.split("/")[4]))
    in_path = shutil.which("initdb")
    return os.path.dirname(found[-1] if found else in_path) if found or in_path else None


class Database:
    """One cluster; PostgreSQL refuses root, so it then belongs to the user postgres."""

    #: Made anew at each start.
    DEFAULT = "orders"

    def __init__(self, folder):
        self.folder = os.path.join(folder, "postgres")
        self.bin = programs()
        self.user = "postgres" if os.geteuid() == 0 else None
        self.port, self.server = free_port(), None
        os.makedirs(self.folder)
        if self.user:
            shutil.chown(self.folder, self.user, self.user)
        self._run("initdb", "--auth=trust", "--username=postgres", "-D", os.path.join(self.folder, "data"))

    def _run(self, name, *arguments):
        done = subprocess.run(
            [os.path.join(self.bin, name), *arguments], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            start_new_session=True, **identity(self.user),
        )
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr.strip()[-500:]}")
        return done.stdout.strip()

    def start(self, core, log):
        """Starts the server, and makes an empty database."""
        settings = [word for option in OPTIONS for word in ("-c", option)]
        command = [os.path.join(self.bin, "postgres"), "-D", os.path.join(self.folder, "data"), "-p", self.port, "-k", self.folder, *settings]
        self.server = Program(command, core, log, user=self.user)
        self.server.wait_until(self._accepts, "PostgreSQL accepts connections")
        self.sql("DROP DATABASE IF EXISTS orders", "postgres")
        self.sql("CREATE DATABASE orders", "postgres")

    def _accepts(self):
        try:
            return self.sql("SELECT 1", "postgres") == "1"
        except RuntimeError:
            return False

    @property
    def url(self):
        """The database's address."""
        return self.url_of(self.DEFAULT)

    def url_of(self, database):
        """The address of another database."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def sql(self, statement, database=DEFAULT):
        """What psql prints for a statement."""
        return self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database, "-qAtX", "-c", statement)

    def bytes(self, database=DEFAULT):
        """The size of a database, once all of it is in its files. Its log (WAL), which is reused, is no part of it."""
        self.sql("CHECKPOINT")
        return int(self.sql(f"SELECT pg_database_size('{database}')"))

    def stop(self):
        """Stops the server without waiting for its callers."""
        if self.server:
            self.server.stop(signal.SIGINT)
            self.server = None
