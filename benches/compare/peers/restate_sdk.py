"""Restate, one server with its Node SDK: a durable engine as it is delivered. The token is not verified, which favours it."""

import json
import os

import node
from bench import TOOLS, Running
from processes import Program, answers, fetched, free_port, listens
from usage import folder_bytes

TITLE = "Restate, Node SDK"
NEEDS = ("npm packages", "restate-server")
SERVER = os.path.join(TOOLS, "node_modules", "@restatedev", "restate-server-linux-x64", "bin", "restate-server")


def version(_bench):
    return ", ".join(node.package_version(f"@restatedev/{name}") for name in ("restate-server", "restate-sdk"))


class RunningRestate(Running):
    """The server with its handler."""

    def __init__(self, server, handler, port, data):
        super().__init__(server, port, "/orders/{{GUID}}/create")
        self.programs.append(handler)
        self.data = data
        self.at_start = folder_bytes(data)

    def disk(self):
        return self.at_start

    def left(self):
        return folder_bytes(self.data), None


def server_of(bench, folder, ingress, admin):
    """Starts the server, all of it on 127.0.0.1."""
    environment = {
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}", "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{free_port()}", "RESTATE_LISTEN_MODE": "tcp", "RESTATE_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1", "RESTATE_LOG_FILTER": "warn",
    }
    data = os.path.join(folder, "data")
    server = Program([SERVER, "--no-logo", "--base-dir", data], bench.peer_core, os.path.join(folder, "server.log"), env=environment)
    server.wait_until(lambda: answers(f"http://127.0.0.1:{admin}/health"), "Restate is healthy")
    return server, data


def start(bench, folder, vms_port):
    ingress, admin, port = free_port(), free_port(), free_port()
    server, data = server_of(bench, folder, ingress, admin)
    settings = {"port": port, "vmsPort": vms_port, "tokenUrl": bench.stand_in.token_url}
    # Else the SDK writes a line for each call.
    handler = node.run("restate_sdk.mjs", settings, bench.peer_core, os.path.join(folder, "handler.log"), {"RESTATE_LOGGING": "ERROR"})
    handler.wait_until(lambda: listens(port), "the handler listens")
    deployment = json.dumps({"uri": f"http://127.0.0.1:{port}", "force": True}).encode()
    fetched(f"http://127.0.0.1:{admin}/deployments", deployment, {"Content-Type": "application/json"})
    server.wait_until(lambda: listens(ingress), "Restate's ingress listens")
    return RunningRestate(server, handler, ingress, data)
