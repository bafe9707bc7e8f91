"""The peers, one module each: `TITLE`, `NEEDS`, `version(bench)` and `start(bench, folder, vms_port)`, which returns a Running."""

import importlib

MODULES = {
    "sqlite": "this_on_sqlite", "postgres": "this_on_postgres", "baseline": "this_before", "nginx": "nginx_proxy", "haproxy": "haproxy_jwt",
    "fastify": "fastify_forward", "restate": "restate_sdk", "dbos": "dbos_sdk",
}


def load(key):
    """The module of a peer."""
    return importlib.import_module(f"peers.{MODULES[key]}")
