"""Finds and kills the processes of the engine that asks, for faults that need it."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil

from simulator.faults import Fault


def strike(fault: Fault, peer: str) -> None:
    """Kill what a fault names, with SIGKILL: the engine that asked, its program, or this server."""
    if fault.kind == "kill-server":
        os.kill(os.getpid(), signal.SIGKILL)
    engine = engine_of(peer)
    if engine is None:
        return
    if fault.kind == "kill-engine":
        engine.kill()
        return
    for process in engine.children(recursive=True):
        if process.name().startswith("python"):  # not the language host, pulumi-language-python
            process.kill()


def engine_of(peer: str) -> psutil.Process | None:
    """Return the process at the other end of a connection that gRPC names as ``ipv4:127.0.0.1:PORT``."""
    port = int(peer.rsplit(":", 1)[1])
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid == os.getpid():
                continue
            for connection in process.net_connections(kind="tcp"):
                if connection.laddr and connection.laddr.port == port:
                    return process
    return None
