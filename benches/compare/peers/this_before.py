"""An older binary of this service, on a SQLite file."""

import urllib.error

from peers.this_on_sqlite import OnSqlite, start_binary, version_of

TITLE = "this service before, SQLite"
NEEDS = ()


def version(bench):
    return version_of(bench.baseline)


class Before(OnSqlite):
    """It may be from before the metrics: then the rows of the stopped ledger alone say what it has stored."""

    def stored(self):
        try:
            return super().stored()
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None


def start(bench, folder, vms_port):
    return start_binary(bench, bench.baseline, folder, vms_port, Before)
