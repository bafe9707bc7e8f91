"""This service on a private PostgreSQL, which has the same core and counts as a part of the peer."""

import os

from peers.this_on_sqlite import RunningService, serve, version_of

TITLE = "this service, PostgreSQL"
NEEDS = ("postgresql",)


def version(bench):
    return version_of(bench.binary)


class OnPostgres(RunningService):
    """The service with its database."""

    def __init__(self, database, program, port, management):
        super().__init__(program, port, management)
        self.programs.insert(0, database.server)
        self.database = database
        self.at_start = database.bytes()

    def disk(self):
        return self.at_start

    def stop(self):
        self.programs[-1].stop()

    def left(self):
        size, rows = self.database.bytes(), int(self.database.sql("SELECT count(*) FROM orders"))
        self.database.stop()
        return size, rows


def start(bench, folder, vms_port):
    bench.database.start(bench.peer_core, os.path.join(folder, "postgres.log"))
    return OnPostgres(bench.database, *serve(bench, bench.binary, folder, vms_port, bench.database.url))
