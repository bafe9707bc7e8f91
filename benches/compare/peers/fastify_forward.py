"""Fastify with jose and undici: a plain Node service that verifies, maps and forwards, and stores nothing."""

import os

import node
from bench import Running
from peers.haproxy_jwt import refuses_a_wrong_token
from processes import free_port, listens
from standin import AUDIENCE, WRITE_SCOPE

TITLE = "Fastify, jose, undici"
NEEDS = ("npm packages",)


def version(_bench):
    return ", ".join(node.package_version(name) for name in ("fastify", "jose", "undici"))


def start(bench, folder, vms_port):
    port, others = free_port(), bench.stand_in
    settings = {
        "port": port, "vmsPort": vms_port, "tokenUrl": others.token_url, "issuer": others.issuer_url, "jwksUrl": f"{others.issuer_url}/jwks.json",
        "audience": AUDIENCE, "scope": WRITE_SCOPE,
    }
    started = node.run("fastify_forward.mjs", settings, bench.peer_core, os.path.join(folder, "log"))
    started.wait_until(lambda: listens(port), "Fastify listens")
    refuses_a_wrong_token(port, others.token)
    return Running(started, port)
