"""What the figures were measured on, without names of the machine or of its folders."""

import os
import platform


def described(folder, peer_core, load_core):
    """The machine as the document has it."""
    load = os.getloadavg()[0]
    return {
        "processor": _field("/proc/cpuinfo", "model name"), "cores": os.cpu_count(), "peer_core": peer_core, "load_core": load_core,
        "memory_gib": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1), "kernel": platform.release().split("-")[0],
        "file_system": file_system(folder), "system": _system(), "load_average": round(load, 2),
    }


def _field(path, name):
    with open(path) as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return "unknown"


def _system():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except (OSError, AttributeError):
        return platform.system()


def file_system(folder):
    """The type of the file system of a folder."""
    folder = os.path.realpath(folder)
    with open("/proc/mounts") as file:
        mounts = [line.split()[1:3] for line in file]
    holding = [(place, kind) for place, kind in mounts if folder == place or folder.startswith(place.rstrip("/") + "/")]
    # The last of several mounts on one place is the one that is seen.
    return max(enumerate(holding), key=lambda found: (len(found[1][0]), found[0]))[1][1] if holding else "unknown"
