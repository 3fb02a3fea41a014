"""How long Azure takes and what it does one at a time.

With no latency (the default) every request is answered at once and none collides. With one, writes to the same virtual
network, firewall policy, cluster or network watcher collide as in Azure: ``AnotherOperationInProgress``, after the
three tries
that azure-native makes itself.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

from simulator.azure_errors import conflict
from simulator.cloud_store import CloudStore

T = TypeVar("T")
_ONE_AT_A_TIME: Final = re.compile(
    r".*/providers/(microsoft\.network/(virtualnetworks|firewallpolicies|networkwatchers)|"
    r"microsoft\.containerservice/managedclusters|microsoft\.managedidentity/userassignedidentities)/[^/]+"
)
_TRIES: Final = 3


class Pacing:
    """Delays requests and lets those to one busy resource collide."""

    def __init__(self, store: CloudStore, latency: float) -> None:
        self._store = store
        self._latency = latency

    async def paced(self, resource_id: str, act: Callable[[], T]) -> T:
        """Run an act of the cloud after the time that Azure would take.

        Raises:
            AzureError: another operation on the same parent did not end in time.
        """
        if not self._latency:
            return act()
        match = _ONE_AT_A_TIME.match(resource_id.lower())
        if match is None or match.group(0) == resource_id.lower():
            await asyncio.sleep(self._latency)
            return act()
        await self._occupy(match.group(0))
        try:
            await asyncio.sleep(self._latency)
            return act()
        finally:
            with self._store.transaction():
                self._store.release(match.group(0))

    async def _occupy(self, key: str) -> None:
        for attempt in range(_TRIES):
            with self._store.transaction():
                now = time.time()
                if self._store.occupy(key, now, now + self._latency + 5):
                    return
            if attempt < _TRIES - 1:
                await asyncio.sleep(self._latency)
        raise conflict(
            "AnotherOperationInProgress", f"Another operation on this or dependent resource is in progress: {key}."
        )
