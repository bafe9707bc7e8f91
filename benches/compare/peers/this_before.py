"""An older binary of this service, on a SQLite file."""

from peers.this_on_sqlite import start_binary, version_of

TITLE = "this service before, SQLite"
NEEDS = ()


def version(bench):
    return version_of(bench.baseline)


def start(bench, folder, vms_port):
    return start_binary(bench, bench.baseline, folder, vms_port)
