"""What a peer uses: processor time, memory and disk, as the kernel counts them; and what a synced write costs here."""

import os
import threading
import time

from figures import percentile

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLED_EVERY = 0.5
SYNC_BYTES = 4096
SYNCS = 400


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, which may contain blanks."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def family(roots):
    """Processes with all of their descendants, as they are now."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            children.setdefault(int(_stat(name)[1]), []).append(int(name))
        except OSError:
            continue
    found, open_ones = [], list(roots)
    while open_ones:
        pid = open_ones.pop()
        found.append(pid)
        open_ones.extend(children.get(pid, []))
    return found


def cpu_seconds(roots):
    """Processor time of processes and their descendants, with that of children that have ended.

    The clock of a process (clock_getcpuclockid) counts nanoseconds, and threads that have ended too.
    """
    total = 0.0
    for pid in family(roots):
        try:
            total += time.clock_gettime((~pid << 3) | 2)
            reaped = _stat(pid)[13:15]
            total += sum(map(int, reaped)) / TICKS
        except OSError:
            continue
    return total


def memory_bytes(roots):
    """Memory of processes and their descendants; a page that several share counts once."""
    total = 0
    for pid in family(roots):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
        except (OSError, ProcessLookupError):
            continue
    return total


def peak_memory_bytes(pid):
    """The most memory that one process ever had."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


class MemoryPeak(threading.Thread):
    """Samples the memory of processes until it is left, and keeps the largest sum."""

    def __init__(self, roots):
        super().__init__(daemon=True)
        self.roots = roots
        self.peak = 0
        self._done = threading.Event()

    def run(self):
        while not self._done.wait(SAMPLED_EVERY):
            self.peak = max(self.peak, memory_bytes(self.roots))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self.join()
        self.peak = max(self.peak, memory_bytes(self.roots))


def folder_bytes(folder):
    """Bytes of all files below a folder."""
    return sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names)


def core_times(core):
    """Time of a core since the start of the machine: (busy, all), in ticks."""
    with open("/proc/stat") as file:
        times = next([int(word) for word in line.split()[1:9]] for line in file if line.startswith(f"cpu{core} "))
    idle = times[3] + times[4]
    return sum(times) - idle, sum(times)


def busy_share(before, after):
    """The share of its time that a core worked between two looks."""
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def sync_us(folder):
    """The median of fdatasync after a write of 4 KiB into a file that has its size already, as a ledger's log has, in µs."""
    path = os.path.join(folder, "sync")
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(file, b"\1" * SYNC_BYTES * SYNCS, 0)
        os.fsync(file)
        taken = []
        for at in range(SYNCS):
            start = time.perf_counter()
            os.pwrite(file, os.urandom(16) * (SYNC_BYTES // 16), at * SYNC_BYTES)
            os.fdatasync(file)
            taken.append((time.perf_counter() - start) * 1e6)
        return percentile(taken, 0.5)
    finally:
        os.close(file)
        os.unlink(path)


def thread_seconds(pid):
    """Processor time of the threads of a process by name; those that have ended are missing."""
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/comm") as name, open(f"/proc/{pid}/task/{task}/schedstat") as times:
                key = name.read().strip()
                found[key] = found.get(key, 0.0) + int(times.read().split()[0]) / 1e9
        except OSError:
            continue
    return found
