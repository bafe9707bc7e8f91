"""Starts programs on one core each, and ends every one of them, however the command ends.

A program gets a session of its own, so that Ctrl-C reaches the driver alone, and dies with the driver (`setpriv --pdeathsig`).
"""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

STARTS_WITHIN = 60
STOPS_WITHIN = 40


class NotReady(Exception):
    """A program did not start; its text says what it wrote last."""


def free_port():
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(core, command):
    """A command on one core, that ends when its parent does."""
    return ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(core), *map(str, command)]


def identity(user):
    """How Popen becomes another user; nobody but root can, and a program that refuses root is nobody else's."""
    return {"user": user, "group": user, "extra_groups": []} if user and os.geteuid() == 0 else {}


class Program:
    """A running program, with its output in a file."""

    def __init__(self, command, core, log, env=None, folder=None, user=None):
        self.log = log
        self.name = os.path.basename(str(command[0]))
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                pinned(core, command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})}, cwd=folder or "/", start_new_session=True, **identity(user),
            )
        _running.append(self)

    @property
    def pid(self):
        return self.process.pid

    def last_words(self):
        """The end of what the program wrote."""
        with open(self.log, errors="replace") as output:
            return output.read()[-1500:].strip()

    def wait_until(self, is_ready, what):
        """Waits until the program does what it is there for."""
        end = time.monotonic() + STARTS_WITHIN
        while not is_ready():
            if self.process.poll() is not None:
                raise NotReady(f"{self.name} ended with {self.process.returncode}: {self.last_words()}")
            if time.monotonic() > end:
                raise NotReady(f"{self.name}: {what} not within {STARTS_WITHIN} s: {self.last_words()}")
            time.sleep(0.02)
        return self

    def stop(self, how=signal.SIGTERM):
        """Asks the program to end, and kills what is left of it."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                print(f"{self.name} did not stop within {STOPS_WITHIN} s, and is killed")
        self.kill()

    def kill(self):
        """Ends the program and its children at once."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        if self in _running:
            _running.remove(self)


#: Started, and not yet stopped.
_running = []


def kill_all():
    """Ends whatever is left, the youngest first."""
    for program in reversed(list(_running)):
        program.kill()


def listens(port):
    """Whether something accepts connections at a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url):
    """Whether a URL answers with 2xx."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def fetched(url, body=None, headers=None):
    """The text of an answer."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()
