"""One measurement: a peer is started anew, warmed up, loaded and counted, and stopped."""

import shutil
import subprocess
import time
import urllib.error

import peers
import usage
from bench import ROOT
from load import LoadFailed
from processes import NotReady

MIB = 2**20

#: What can go wrong with a peer, and is its failure and not the command's.
FAILURES = (NotReady, LoadFailed, RuntimeError, OSError, subprocess.SubprocessError, urllib.error.URLError)


def measure(bench, load, situation, key, at, settings):
    """The measurement of a peer in a round, as results.json has it; with `failure` if it is none."""
    result = {"situation": situation.key, "peer": key, "round": at}
    name = f"{situation.key}-{key}-{at}"
    folder = bench.folder(name)
    running = None
    try:
        running = peers.load(key).start(bench, folder, bench.stand_in.vms_port(situation.vms_ms))
        result.update(_loaded(bench, load, situation, running, settings))
    except FAILURES as failure:
        result["failure"] = told(failure)
    finally:
        _stop(bench, running, result)
        shutil.rmtree(folder)
    return result


def told(failure):
    """A failure in one line, without the folders of this machine: it may stand in a document."""
    return " ".join(str(failure).replace(ROOT + "/", "").split())[:400]


def _loaded(bench, load, situation, running, settings):
    """Warms a peer up, and counts what it does and uses under load."""
    warm = load.run(running.port, running.path, situation.connections, settings["warm_up"])
    with usage.MemoryPeak(running.pids) as memory:
        before = _look(bench, running)
        saw = load.run(running.port, running.path, situation.connections, settings["seconds"])
        after = _look(bench, running)
    used = after["cpu"] - before["cpu"]
    peer_busy = usage.busy_share(before["peer_core"], after["peer_core"])
    own = running.own_memory()
    total = warm["requests"] + saw["requests"]
    wrong = complaint(warm, saw, running.stored(), situation.connections)
    return {
        **saw, **({"failure": wrong} if wrong else {}), "orders": total, "per_second": saw["requests"] / saw["seconds"],
        "cpu_us": used * 1e6 / max(1, saw["requests"]), "memory_mib": memory.peak / MIB,
        "own_memory_mib": own / MIB if own else None, "load_busy": usage.busy_share(before["load_core"], after["load_core"]),
        "foreign": max(0, peer_busy - used / (after["time"] - before["time"])),
    }


def _look(bench, running):
    """Times so far: of the peer, of both cores, of the clock."""
    return {
        "time": time.monotonic(), "cpu": usage.cpu_seconds(running.pids), "peer_core": usage.core_times(bench.peer_core),
        "load_core": usage.core_times(bench.load_core),
    }


def complaint(warm, saw, stored, connections):
    """Why the figures are none; `None` if all answers were 2xx and the peer has stored what it answered."""
    for run in (warm, saw):
        if run["refused"] or run["broken"]:
            return f"{run['refused']} of {run['requests']} answers were no 2xx, {run['broken']} requests broke"
    total = warm["requests"] + saw["requests"]
    if not saw["requests"]:
        return "nothing was answered"
    # wrk leaves what is under way at the end of a run: it does not count it, and the peer may have stored it.
    if stored is not None and not total <= stored <= total + 2 * connections:
        return f"{total} orders were answered, and {stored} are stored"
    return None


def _stop(bench, running, result):
    """Stops a peer, and adds what it has left on disk."""
    try:
        if running:
            running.stop()
            _count_disk(running, result)
    except FAILURES as failure:
        result.setdefault("failure", f"after the load: {told(failure)}")
    finally:
        if bench.database:
            bench.database.stop()


def _count_disk(running, result):
    size, rows = running.left()
    orders = result.get("orders")
    if rows is not None and orders and rows < orders:
        result.setdefault("failure", f"{orders} orders were answered, and the stopped ledger has {rows}")
    if size is not None and orders:
        result["disk_bytes"] = (size - running.disk()) / (rows or orders)
