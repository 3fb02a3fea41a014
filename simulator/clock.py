"""The simulated Azure's time: at once, scaled to the wall clock, or virtual.

All times are simulated seconds since the cloud was made. Knows nothing of what is waited for.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Final, Protocol

_QUIET_SECONDS: Final = 0.2
_QUIET_AT_MOST: Final = 1.5
_QUIET_PER_JUMP: Final = 0.01


class Clock(Protocol):
    """How operations wait and when they ran."""

    @property
    def instant(self) -> bool:
        """Whether no operation takes time."""

    def now(self) -> float:
        """Return the simulated time in seconds."""

    def touch(self) -> None:
        """Note that the engine has just asked or been answered."""

    async def sleep(self, seconds: float) -> None:
        """Wait for simulated seconds."""


class InstantClock:
    """Nothing takes time; ``now`` is the wall clock's, so that a time line still has an order."""

    instant = True

    def __init__(self, start: float = 0) -> None:
        self._offset = start - time.monotonic()

    def now(self) -> float:
        """Return wall seconds since the cloud was made."""
        return self._offset + time.monotonic()

    def touch(self) -> None:
        """Do nothing."""

    async def sleep(self, seconds: float) -> None:
        """Return at once."""


class ScaledClock:
    """Azure's own times, multiplied by ``scale``: 1 is real time, 0.01 a hundredth of it."""

    instant = False

    def __init__(self, scale: float, start: float = 0) -> None:
        self._scale = scale
        self._offset = start - time.monotonic() / scale

    def now(self) -> float:
        """Return the scaled seconds since the cloud was made."""
        return self._offset + time.monotonic() / self._scale

    def touch(self) -> None:
        """Do nothing."""

    async def sleep(self, seconds: float) -> None:
        """Wait for the scaled time."""
        await asyncio.sleep(seconds * self._scale)


class VirtualClock:
    """Time that jumps to the next end of an operation as soon as the engine has nothing more to ask.

    The engine's and the program's own computing takes no simulated time, so a makespan is Azure's part of it alone.
    The engine counts as done when it was silent for a moment, the longer the further the jump would be.
    """

    instant = False

    def __init__(self, start: float = 0, quiet: float = _QUIET_SECONDS) -> None:
        self._now = start
        self._quiet = quiet
        self._active = 0.0
        self._number = itertools.count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._driver: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Return the virtual time."""
        return self._now

    def touch(self) -> None:
        """Begin the silence anew."""
        self._active = time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has jumped that far."""
        if seconds <= 0:
            return
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self._now + seconds, next(self._number), end))
        self.touch()
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._drive())
        await end

    async def _drive(self) -> None:
        while self._waiting:
            jump = self._waiting[0][0] - self._now
            needed = min(self._quiet + jump * _QUIET_PER_JUMP, max(self._quiet, _QUIET_AT_MOST))
            silent = time.monotonic() - self._active
            if silent < needed:
                await asyncio.sleep(needed - silent)
                continue
            self._now = self._waiting[0][0]
            while self._waiting and self._waiting[0][0] <= self._now:
                end = heapq.heappop(self._waiting)[2]
                if not end.done():
                    end.set_result(None)
            self.touch()


def clock_for(latency: str, start: float = 0) -> Clock:
    """Return the clock for a ``--latency`` option: ``none``, ``virtual`` or a factor such as ``0.01``.

    Raises:
        ValueError: it is none of these.
    """
    if latency in ("none", "0"):
        return InstantClock(start)
    if latency == "virtual":
        return VirtualClock(start)
    scale = float(latency)
    if not 0 < scale <= 100:  # a hundred times slower than Azure would be a slip of the pen
        raise ValueError(f"{latency} is not between 0 and 100")
    return ScaledClock(scale, start)
