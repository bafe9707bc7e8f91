"""What is measured: the situations, which peers take part in each, and the bars that the figures are held against."""

from dataclasses import dataclass

THIS = "sqlite"
THIS_ON_POSTGRES = "postgres"
BASELINE = "baseline"

#: Every peer, in the order of its tables. A module of peers/ describes each.
PEERS = (THIS, THIS_ON_POSTGRES, BASELINE, "nginx", "haproxy", "fastify", "restate", "dbos")

#: A peer can't be faster than the load: above this share of its time, the load's core is called full.
LOAD_IS_FULL = 0.97

#: The share of the peer's core that other programs and the kernel's own work may take on a quiet machine.
FOREIGN = 0.05


@dataclass(frozen=True)
class Situation:
    """One load: how many callers, and how long 11VMS takes."""

    key: str
    title: str
    connections: int
    vms_ms: int
    peers: tuple


SITUATIONS = (
    Situation("busy", "64 callers, 11VMS takes 0 ms", 64, 0, PEERS),
    Situation("alone", "One caller alone, 11VMS takes 0 ms", 1, 0, PEERS),
    Situation("slow", "64 callers, 11VMS takes 200 ms", 64, 200, (THIS, THIS_ON_POSTGRES, BASELINE, "haproxy", "fastify")),
)

#: What CONTRIBUTING.md asks for before a merge.
SHORT = (Situation("busy", "64 callers, 11VMS takes 0 ms", 64, 0, (THIS, BASELINE, "haproxy")),)


@dataclass(frozen=True)
class Bar:
    """A promise about one figure of a situation: at most, or at least, `limit`.

    With `against`, the figure is the ratio to that peer's in the same round. With `syncs`, the limit is that peer's figure and
    so many synced writes of 4 KiB.
    """

    text: str
    situation: str
    peer: str
    figure: str
    limit: float
    at_least: bool = False
    against: str = ""
    syncs: int = 0
    unit: str = ""


BARS = (
    Bar("CPU an order, against HAProxy that verifies the token", "busy", THIS, "cpu_us", 2.5, against="haproxy", unit=" ×"),
    Bar("Throughput, against Fastify", "busy", THIS, "per_second", 1.3, at_least=True, against="fastify", unit=" ×"),
    Bar("Throughput, against Restate", "busy", THIS, "per_second", 20, at_least=True, against="restate", unit=" ×"),
    Bar("Throughput, against DBOS", "busy", THIS, "per_second", 20, at_least=True, against="dbos", unit=" ×"),
    Bar("Throughput on PostgreSQL, against DBOS", "busy", THIS_ON_POSTGRES, "per_second", 10, at_least=True, against="dbos", unit=" ×"),
    Bar("Peak memory under load", "busy", THIS, "own_memory_mib", 64, unit=" MiB"),
    Bar("Disk an order", "busy", THIS, "disk_bytes", 2000, unit=" B"),
    Bar("One caller alone, median: Fastify's and two synced writes", "alone", THIS, "p50_us", 0, against="fastify", syncs=2, unit=" µs"),
)
