"""Runs inside the Python process of a Pulumi program and notes, when it ends, its peak memory, its
processor time and what it imported.

The interpreter imports a module of this name by itself. The engine starts other interpreters too, for instance to ask
for the installed packages; they are left alone.
"""

import atexit
import json
import os
import resource
import sys

_FOLDER = os.environ.get("AKS_GEODE_PROBE_FOLDER")


def _peak_memory() -> int:
    """Return bytes. The kernel's own field is exact; getrusage also counts the process that started this one."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _write(folder: str) -> None:
    times = os.times()
    note = {"memory": _peak_memory(), "processor": times.user + times.system, "modules": sorted(sys.modules)}
    with open(os.path.join(folder, f"{os.getpid()}.json"), "w", encoding="utf-8") as file:
        json.dump(note, file)


def _profile(folder: str) -> None:
    import cProfile

    profile = cProfile.Profile()

    def end() -> None:
        profile.disable()
        profile.dump_stats(os.path.join(folder, "program.profile"))

    atexit.register(end)
    profile.enable()


if _FOLDER and any(item.endswith("pulumi-language-python-exec") for item in sys.orig_argv):
    atexit.register(_write, _FOLDER)
    if os.environ.get("AKS_GEODE_PROBE_PROFILE") == "1":
        _profile(_FOLDER)
