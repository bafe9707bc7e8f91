"""Node programs of peers/: run from a copy beside the npm packages, and what those packages' versions are."""

import json
import os
import shutil

from bench import HERE, TOOLS
from processes import Program

#: As in production: libraries leave out what is there for development.
ENVIRONMENT = {"NODE_ENV": "production"}


def package_version(name):
    """The version of an installed package."""
    with open(os.path.join(TOOLS, "node_modules", name, "package.json")) as file:
        return json.load(file)["version"]


def copy_programs():
    """Puts the programs where Node finds the packages: it searches upward from a program's own folder."""
    for name in os.listdir(os.path.join(HERE, "peers")):
        if name.endswith(".mjs"):
            shutil.copy(os.path.join(HERE, "peers", name), TOOLS)


def run(name, settings, core, log, env=None):
    """Starts a program with its settings as JSON."""
    return Program(["node", os.path.join(TOOLS, name), json.dumps(settings)], core, log, env={**ENVIRONMENT, **(env or {})})
