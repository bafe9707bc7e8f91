"""What every peer is given: folders, cores, the stand-ins; and what a running peer is."""

import os
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.path.join(ROOT, "target", "test-tools", "compare")
ORDERS = "/v2/purchase-orders"


@dataclass
class Bench:
    """One run of the command."""

    scratch: str
    peer_core: int
    load_core: int
    stand_in: object = None
    database: object = None
    binary: str = ""
    baseline: str = ""
    #: Why a peer can't run, by what it needs: a program's name, "postgresql", "npm packages".
    missing: dict = field(default_factory=dict)

    def folder(self, name):
        """A new folder for one start of a peer."""
        path = os.path.join(self.scratch, name)
        os.makedirs(path)
        return path


class Running:
    """A peer that takes carts at `path` of `port`. The methods are those of a peer that stores nothing."""

    def __init__(self, program, port, path=ORDERS):
        self.programs = [program]
        self.port, self.path = port, path

    @property
    def pids(self):
        """The processes whose descendants are the whole peer."""
        return [program.pid for program in self.programs]

    def stored(self):
        """Orders that the peer has stored so far; `None` if it can't say."""
        return None

    def disk(self):
        """Bytes on disk when it was started; `None` if it stores nothing."""
        return None

    def own_memory(self):
        """The peak of the peer's memory without a database, if the kernel keeps it."""
        return None

    def stop(self):
        """Ends the peer."""
        for program in reversed(self.programs):
            program.stop()

    def left(self):
        """What a stopped peer has left: (bytes on disk, rows of orders); `None` for what it can't say. A database is stopped here."""
        return None, None
