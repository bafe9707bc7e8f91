"""One comparison at a time on a machine, as each would spoil the other's figures."""

import fcntl
import glob
import os
import shutil

from bench import ROOT
from install import Missing

FOLDER = os.path.join(ROOT, "target", "compare")


def alone():
    """Keeps a second run out, and removes what a killed run has left. The lock is held until it is closed."""
    os.makedirs(FOLDER, exist_ok=True)
    lock = open(os.path.join(FOLDER, "lock"), "w")  # noqa: SIM115 (open until the end of the run)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Missing("another comparison runs") from None
    for left in glob.glob(os.path.join(FOLDER, "scratch-*")):
        shutil.rmtree(left, ignore_errors=True)
    return lock
