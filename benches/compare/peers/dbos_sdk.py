"""DBOS in Node on a private PostgreSQL: a durable library as it is delivered. The token is not verified, which favours it."""

import os

import node
from bench import Running
from processes import free_port, listens

TITLE = "DBOS, Node, PostgreSQL"
NEEDS = ("npm packages", "postgresql")
FINISHED = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'"


def version(_bench):
    return node.package_version("@dbos-inc/dbos-sdk")


class RunningDbos(Running):
    """The program with its database."""

    def __init__(self, database, program, port):
        super().__init__(program, port)
        self.programs.insert(0, database.server)
        self.database = database
        self.at_start = database.bytes()

    def disk(self):
        return self.at_start

    def stored(self):
        return int(self.database.sql(FINISHED))

    def stop(self):
        self.programs[-1].stop()

    def left(self):
        size, rows = self.database.bytes(), self.stored()
        self.database.stop()
        return size, rows


def start(bench, folder, vms_port):
    bench.database.start(bench.peer_core, os.path.join(folder, "postgres.log"))
    port = free_port()
    settings = {"port": port, "vmsPort": vms_port, "tokenUrl": bench.stand_in.token_url, "databaseUrl": bench.database.url}
    started = node.run("dbos_sdk.mjs", settings, bench.peer_core, os.path.join(folder, "log"))
    started.wait_until(lambda: listens(port), "DBOS listens")
    return RunningDbos(bench.database, started, port)
