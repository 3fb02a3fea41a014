"""Azure's time on this machine: every duration that a stack exports, shorter by one factor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class AzureTime:
    """`factor` seconds of Azure pass in one second of this machine."""

    factor: float

    def real(self, seconds: float) -> float:
        """Turn Azure's seconds into this machine's."""
        return seconds / self.factor

    def azure(self, seconds: float) -> float:
        """Turn this machine's seconds into Azure's."""
        return seconds * self.factor

    async def every(self, interval: float, after: float = 0) -> AsyncIterator[float]:
        """Give fixed moments of the event loop's time, Azure's seconds apart, whatever is done between them."""
        loop = asyncio.get_running_loop()
        at = loop.time() + self.real(after)
        while True:
            await asyncio.sleep(max(0.0, at - loop.time()))
            yield at
            at += self.real(interval)


@asynccontextmanager
async def alongside(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do endless work beside the block, end it with the block, and tell what went wrong in it."""
    tasks = [asyncio.create_task(item) for item in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
