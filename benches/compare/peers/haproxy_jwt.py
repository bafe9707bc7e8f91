"""HAProxy with `jwt_verify`: what it costs to verify a token and to forward. It verifies each anew."""

import os
import subprocess
import urllib.error

from bench import HERE, ORDERS, Running
from processes import NotReady, Program, fetched, free_port, listens
from standin import filled, program

TITLE = "HAProxy `jwt_verify`"
NEEDS = ("haproxy",)


def version(_bench):
    return subprocess.run([program("haproxy"), "-v"], capture_output=True, text=True, check=True).stdout.split()[2]


def start(bench, folder, vms_port):
    port, others = free_port(), bench.stand_in
    settings = filled(
        os.path.join(HERE, "peers", "haproxy.cfg"), os.path.join(folder, "haproxy.cfg"), PORT=port, VMS=vms_port,
        PUBLIC_KEY=others.issuer.public_key,
    )
    started = Program([program("haproxy"), "-db", "-f", settings], bench.peer_core, os.path.join(folder, "log"))
    started.wait_until(lambda: listens(port), "HAProxy listens")
    refuses_a_wrong_token(port, others.token)
    return Running(started, port)


def refuses_a_wrong_token(port, token):
    """A peer that let every token pass would be measured for nothing."""
    wrong = token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
    try:
        fetched(f"http://127.0.0.1:{port}{ORDERS}", b"{}", {"Authorization": f"Bearer {wrong}", "Content-Type": "application/json"})
    except urllib.error.HTTPError as answer:
        if answer.code == 401:
            return
        raise NotReady(f"a wrong token is answered with {answer.code}, not 401") from answer
    raise NotReady("a wrong token is accepted")
