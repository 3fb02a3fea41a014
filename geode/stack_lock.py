"""The lock that a killed engine leaves on its stack: who holds it, and whether that process still runs."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass

_HOLDER = re.compile(r"created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<process>\d+)\) at (?P<since>\S+)")


@dataclass(frozen=True)
class LockHolder:
    """Who locked a stack, as the engine tells it."""

    user: str
    host: str
    process: int
    since: str

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, process {self.process}, since {self.since}"

    @property
    def runs_here(self) -> bool:
        """Whether the process is one of this machine and still runs."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def holders(told: str) -> list[LockHolder]:
    """Return the holders that an engine's refusal names; empty when it speaks of something else."""
    return [
        LockHolder(match["user"], match["host"], int(match["process"]), match["since"])
        for match in _HOLDER.finditer(told)
    ]
