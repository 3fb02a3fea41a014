"""What `/healthz/region` says to Front Door: may this region get users' requests.

Two things say no: the drain switch, and a shared dependency that fails here while it answers elsewhere. A dependency
that fails in every region, or about which nothing is known, counts as healthy: if all regions said no, Front Door would
show the maintenance page to everybody although requests without that dependency could still be served.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

DRAIN = "drain"
_WAIT_SECONDS = 1.0


class Reach(StrEnum):
    """How asking a dependency in one region went."""

    ANSWERED = "answered"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Judgement(StrEnum):
    """What that means for this region."""

    HEALTHY = "healthy"
    WORSE_HERE = "fails here, answers in another region"
    SHARED = "fails in every region that could be asked"
    UNKNOWN = "unknown"


class Dependency(Protocol):
    """A dependency that every region has for itself."""

    async def reach_own(self) -> Reach:
        """Ask in this region."""

    async def reach_others(self) -> list[Reach]:
        """Ask in all others."""


def judge(own: Reach, others: Sequence[Reach]) -> Judgement:
    """Say how this region compares; only `WORSE_HERE` is a reason to send users elsewhere."""
    if own is Reach.ANSWERED:
        return Judgement.HEALTHY
    if own is Reach.UNKNOWN:
        return Judgement.UNKNOWN
    return Judgement.WORSE_HERE if Reach.ANSWERED in others else Judgement.SHARED


@dataclass(frozen=True)
class RegionReport:
    """The answer: `healthy` decides the status, the rest tells an operator why."""

    healthy: bool
    draining: bool
    database: str


class RegionHealth:
    """Judges the region. The switch is read each time, the dependency asked at most once in `cache_seconds`."""

    def __init__(self, drain_file: Path, dependency: Dependency | None, cache_seconds: float) -> None:
        self._drain_file = drain_file
        self._dependency = dependency
        self._cache_seconds = cache_seconds
        self._judgement = Judgement.UNKNOWN
        self._judged = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    def draining(self) -> bool:
        """Whether the switch says drain; a file that is missing or says anything else does not."""
        try:
            return self._drain_file.read_text(encoding="utf-8").strip().lower() == DRAIN
        except (OSError, UnicodeDecodeError):
            return False

    async def report(self) -> RegionReport:
        """Return the report; a probe waits at most a second for a new judgement, then it gets the one before."""
        draining = self.draining()
        if self._dependency is None:
            return RegionReport(not draining, draining, "none")
        if time.monotonic() >= self._judged + self._cache_seconds:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask(self._dependency))
            await asyncio.wait({self._asking}, timeout=_WAIT_SECONDS)
        healthy = not draining and self._judgement is not Judgement.WORSE_HERE
        return RegionReport(healthy, draining, str(self._judgement))

    async def _ask(self, dependency: Dependency) -> None:
        try:
            own = await dependency.reach_own()
            others = await dependency.reach_others() if own is Reach.FAILED else []
            self._judgement = judge(own, others)
        except Exception:
            # A mistake of the check must not take the region out.
            self._judgement = Judgement.UNKNOWN
        self._judged = time.monotonic()
