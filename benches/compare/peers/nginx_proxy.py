"""nginx with `proxy_pass`: what it costs to forward, and nothing else."""

import os
import subprocess

from bench import HERE, Running
from processes import Program, free_port, listens
from standin import filled, program

TITLE = "nginx `proxy_pass`"
NEEDS = ("nginx",)


def version(_bench):
    return subprocess.run([program("nginx"), "-v"], capture_output=True, text=True, check=True).stderr.strip().rpartition("/")[2]


def start(bench, folder, vms_port):
    port = free_port()
    settings = filled(os.path.join(HERE, "peers", "nginx.conf"), os.path.join(folder, "nginx.conf"), FOLDER=folder, PORT=port, VMS=vms_port)
    log = os.path.join(folder, "log")
    started = Program([program("nginx"), "-c", settings, "-e", log], bench.peer_core, log)
    return Running(started.wait_until(lambda: listens(port), "nginx listens"), port)
