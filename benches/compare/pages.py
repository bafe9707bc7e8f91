"""How long the pages of lists take: each kind that the API has, asked a dozen times."""

import base64
import json
import time
from statistics import median

from bench import ORDERS
from processes import fetched

TIMES = 12
#: Time of the first order of a filled ledger and between two: those of benches/fill.rs.
OLDEST_DAYS, APART_SECONDS = 365, 5


def kinds(size, now):
    """The pages of a ledger of a size: what each shows, and its path."""
    middle = now - OLDEST_DAYS * 86_400 + size // 2 * APART_SECONDS
    cursor = base64.urlsafe_b64encode(f"{middle * 1000} x".encode()).decode().rstrip("=")
    instant = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(middle))
    return {
        "newest 200 orders": f"{ORDERS}?limit=200",
        "200 orders from the middle": f"{ORDERS}?limit=200&cursor={cursor}",
        "200 created orders": f"{ORDERS}?limit=200&state=created",
        "rejected orders, of which there is none": f"{ORDERS}?limit=200&state=rejected",
        "parked orders, of which there is none": f"{ORDERS}?limit=200&state=parked",
        "open orders that wait for a retry": f"{ORDERS}?limit=200&state=retrying",
        "orders of a cart number": f"{ORDERS}?cartNumber={1_000_000_000 + size // 3}",
        "newest 200 entries of the audit trail": "/v2/audit?limit=200",
        "200 entries from before the middle": f"/v2/audit?limit=200&to={instant}",
        "entries of an hour in the middle": f"/v2/audit?limit=200&from={instant}&to={_later(middle)}",
        "entries of a client that never came": "/v2/audit?limit=200&client=nobody",
        "entries of people, of which there is none": "/v2/audit?limit=200&action=resolved",
    }


def _later(instant):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant + 3600))


def measured(port, token, size):
    """Each kind of page."""
    return {kind: timed(port, token, path) for kind, path in kinds(size, int(time.time())).items()}


def timed(port, token, path):
    """A page: the median of several answers and the first one, in ms, and how many rows it shows."""
    taken, content = [], {}
    for _ in range(TIMES):
        start = time.perf_counter()
        text = fetched(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
        taken.append((time.perf_counter() - start) * 1000)
        content = json.loads(text)
    return {"ms": median(taken), "first_ms": taken[0], "shown": len(content.get("orders", content.get("entries", ())))}
