"""A service with many open orders: 11VMS has them all, and answers none."""

import json
import os
import re
import signal
import uuid

from bench import HERE, ORDERS
from load import cart
from pages import timed
from processes import Program, fetched, free_port, listens

ORDERS_OPEN = 10_000
BATCH = 500
NAME = "open"
#: Longer than anything here takes.
NEVER_MS = 3_600_000


def with_open_orders(bench, ledgers):
    """Sends carts that nobody waits for; then kills the service, and starts it again. Memory in MiB, times in seconds and ms."""
    port = free_port()
    silent = Program(["node", os.path.join(HERE, "standin", "slow.mjs"), port, NEVER_MS], bench.load_core, os.path.join(bench.scratch, "silent.log"))
    silent.wait_until(lambda: listens(port), "the silent stand-in listens")
    try:
        ledgers.add(NAME)
        ledgers.changed.add(NAME)
        first = _watched(bench, ledgers, port, _send)
        again = _watched(bench, ledgers, port, lambda *_: None)
        return {"orders": ORDERS_OPEN, "first": first, "again": again}
    finally:
        silent.stop()


def _watched(bench, ledgers, vms_port, act):
    running = ledgers.start(NAME, vms_port)
    try:
        act(running, bench.stand_in.token)
        page = timed(running.port, bench.stand_in.token, f"{ORDERS}?limit=200&state=accepted")
        return {"ready_s": running.ready_s, "memory_mib": running.own_memory() / 2**20, "page_ms": page["ms"], "shown": page["shown"]}
    finally:
        # A stop would wait for 11VMS.
        running.programs[-1].stop(signal.SIGKILL)
        ledgers.close()


def _send(running, token):
    text, number = cart(), 2_000_000_000
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Prefer": "respond-async"}
    for start in range(0, ORDERS_OPEN, BATCH):
        carts = [_with_ids(text, number + at) for at in range(start, start + BATCH)]
        answer = fetched(f"http://127.0.0.1:{running.port}{ORDERS}/batch", f"[{','.join(carts)}]".encode(), headers)
        accepted = sum(one["status"] == 202 for one in json.loads(answer)["results"])
        if accepted != BATCH:
            raise RuntimeError(f"{accepted} of {BATCH} carts were accepted: {answer[:300]}")


def _with_ids(text, number):
    ids = {"NUMBER": str(number)}
    # An item's id stands wherever a row belongs to it.
    return re.sub(r"{{(\w+)}}", lambda name: ids.setdefault(name[1], uuid.uuid4().hex.upper()), text)
