"""One server of the simulated Azure for each project, started when it is first needed and kept for the next command.

`python -m simulator run` starts one for each command, which takes a second of every run.
"""

from __future__ import annotations

import atexit
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

from simulator.home import Home
from simulator.wrapper import running_server

_lock = threading.Lock()
_running: dict[Path, tuple[ExitStack, int]] = {}


def port_of(home: Home) -> int:
    """Return the port of the home's server; a new one takes the place of one that was killed."""
    with _lock:
        if home.path in _running and not _answers(_running[home.path][1]):
            _running.pop(home.path)[0].close()
        if home.path not in _running:
            home.prepare()
            kept = ExitStack()
            _running[home.path] = (kept, kept.enter_context(running_server(home)))
        return _running[home.path][1]


def stop(home: Home) -> None:
    """End the home's server, if it has one: its cloud is to be copied or thrown away."""
    with _lock:
        if home.path in _running:
            _running.pop(home.path)[0].close()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False


@atexit.register
def _stop_all() -> None:
    while _running:
        _running.popitem()[1][0].close()
