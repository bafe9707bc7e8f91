"""What the command needs: installs what is missing, says what, and knows which peers can't run without the rest."""

import filecmp
import os
import shutil
import subprocess

import database
import node
from bench import HERE, ROOT, TOOLS
from standin import program

#: Debian package, the program that shows that it is there, and what it is for.
DEBIAN = (
    ("nginx", "nginx", "it plays 11VMS, and is a peer"), ("haproxy", "haproxy", "it is a peer"), ("wrk", "wrk", "it is the load"),
    ("openssl", "openssl", "it signs the token"), ("npm", "npm", "some peers are Node programs"),
)
#: Without these there is nothing to measure.
NEEDED = ("nginx", "wrk", "openssl", "node", "taskset", "setpriv")
BINARY = os.path.join(ROOT, "target", "release", "purchase-order-webhook")


class Missing(Exception):
    """What the command itself can't do without."""


def install(names, binary):
    """Installs for these peers, and builds unless there is a binary: (binary, why a peer can't run by what it needs)."""
    missing = {}
    for package, name, why in DEBIAN:
        if not program(name) and not debian(package, why):
            missing[name] = f"{name} is not installed (Debian: apt-get install {package})"
    if {"postgres", "dbos"} & set(names) and not database.programs() and not debian("postgresql", "two peers store in a private server"):
        missing["postgresql"] = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if {"fastify", "restate", "dbos"} & set(names):
        missing.update(packages())
    lacking = [name for name in NEEDED if not program(name)]
    if lacking:
        raise Missing(f"not installed, and needed: {', '.join(lacking)}")
    return os.path.abspath(binary) if binary else build(), missing


def debian(package, why):
    """Installs a Debian package, as root; whether it worked."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"installing the Debian package {package}: {why}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"stdout": subprocess.DEVNULL, "env": environment}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
    return subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], check=False, **quiet).returncode == 0


def packages():
    """Puts the npm packages of peers/package-lock.json into target/test-tools/compare: what is missing then."""
    lock, mark = os.path.join(HERE, "peers", "package-lock.json"), os.path.join(TOOLS, "installed")
    why = None
    if not shutil.which("npm"):
        why = "npm is not installed (Debian: apt-get install npm)"
    # Leaves a mark when it is done: an interrupted installation is begun anew.
    elif not (os.path.exists(mark) and filecmp.cmp(lock, mark, shallow=False)):
        print(f"installing fastify, jose, undici, Restate and DBOS (npm packages) into {os.path.relpath(TOOLS, ROOT)}", flush=True)
        os.makedirs(TOOLS, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(HERE, "peers", name), TOOLS)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=TOOLS, check=False)
        if done.returncode == 0:
            shutil.copy(lock, mark)
        else:
            why = "npm could not install the packages"
    if why:
        return {"npm packages": why}
    node.copy_programs()
    server = os.path.join(TOOLS, "node_modules", "@restatedev", "restate-server-linux-x64", "bin", "restate-server")
    return {} if os.access(server, os.X_OK) else {"restate-server": "npm has no Restate server for this processor"}


def build():
    """Builds the release binary, and returns its path."""
    print("building the release binary (cargo build --release --locked)", flush=True)
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    return BINARY
