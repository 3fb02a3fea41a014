"""How a write to the simulated Azure runs: throttling, one at a time where Azure demands it, latency, faults, the log.

Sits between the engine's protocol and ``AzureCloud``. With an instant clock every request is answered at once and none
collides. With any other, writes to the same virtual network, firewall policy, cluster or network watcher collide as in
Azure: ``AnotherOperationInProgress``, after the repetitions that azure-native makes itself.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

from simulator.azure_errors import AzureError, conflict
from simulator.clock import Clock
from simulator.cloud_store import CloudStore
from simulator.engine_process import strike
from simulator.faults import Fault, Faults, Operation
from simulator.latency import seconds_for
from simulator.operation_log import OperationLog
from simulator.propagation import Propagation
from simulator.throttling import TRIES, TokenBucket

T = TypeVar("T")
_ONE_AT_A_TIME: Final = (
    re.compile(
        r"(.*/providers/(?:microsoft\.network/(?:virtualnetworks|firewallpolicies|networkwatchers)|"
        r"microsoft\.managedidentity/userassignedidentities|microsoft\.documentdb/databaseaccounts)/[^/]+)"
        r"(?!.*/providers/).*"  # role assignments and diagnostics on such a resource are another provider's
    ),
    # Pools and extensions make a cluster busy (https://github.com/Azure/telescope/pull/1213); maintenance does not.
    re.compile(
        r"(.*/providers/microsoft\.containerservice/managedclusters/[^/]+)"
        r"(?:/agentpools/[^/]+|/providers/microsoft\.kubernetesconfiguration/extensions/[^/]+)?"
    ),
)
_BUSY_TRIES: Final = 3
_BUSY_RETRY_SECONDS: Final = 10
_FORGET_BUSY_AFTER: Final = 900
"""Wall seconds after which the mark of a server that died is no longer believed."""


class Operations:
    """Runs the writes of one server."""

    def __init__(self, store: CloudStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._faults = Faults(store)
        self._log = OperationLog(store)
        self._propagation = Propagation(store)
        self._writes, self._deletes = TokenBucket(), TokenBucket()

    async def run(
        self,
        operation: Operation,
        peer: str,
        act: Callable[[], T],
    ) -> T:
        """Run an act of the cloud as Azure would, and log it.

        Raises:
            AzureError: Azure refuses it, a fault strikes, or what it belongs to stays busy.
        """
        requested = self._clock.now()
        fault = self._faults.struck_by(operation)
        outcome = "succeeded"
        begun: float | None = None
        try:
            await self._admit(operation, fault)
            key = busy_key(operation.resource_id)
            await self._occupy(key)
            begun = self._clock.now()
            try:
                await self._work(operation, fault, peer)
                result = act()
                self._propagation.note(operation, self._clock.now())
                _answer(operation, fault, peer)
                return result
            finally:
                self._release(key)
        except AzureError as error:
            outcome = error.code
            raise
        finally:
            ended = self._clock.now()
            self._log.add(operation, requested, ended if begun is None else begun, ended, outcome)

    async def _work(self, operation: Operation, fault: Fault | None, peer: str) -> None:
        if fault and fault.kind.startswith("kill") and not fault.after:
            strike(fault, peer)
        await self._clock.sleep(seconds_for(operation.token, operation.kind))
        if fault and fault.kind == "fail":
            raise AzureError(
                500, "InternalServerError", f"The service failed {operation.resource_id} (a fault set on)."
            )

    async def _admit(self, operation: Operation, fault: Fault | None) -> None:
        """Wait as azure-native does when Resource Manager has had too many requests."""
        refusals = fault.times if fault and fault.kind == "throttle" else 0
        bucket = self._deletes if operation.kind == "delete" else self._writes
        for attempt in range(1, TRIES + 1):
            wait = 1.0 if refusals >= attempt else 0.0
            if not wait and not self._clock.instant:
                wait = bucket.take(self._clock.now())
            if not wait:
                return
            if attempt < TRIES:
                await self._clock.sleep(wait)
        raise AzureError(
            429,
            "SubscriptionRequestsThrottled",
            f"Number of requests for the subscription exceeded the limit; Retry-After: {max(1, round(wait))}.",
        )

    async def _occupy(self, key: str | None) -> None:
        if key is None or self._clock.instant:
            return
        for attempt in range(_BUSY_TRIES):
            with self._store.transaction():
                now = time.time()
                if self._store.occupy(key, now, now + _FORGET_BUSY_AFTER):
                    return
            if attempt < _BUSY_TRIES - 1:
                await self._clock.sleep(_BUSY_RETRY_SECONDS)
        raise conflict(
            "AnotherOperationInProgress", f"Another operation on this or dependent resource is in progress: {key}."
        )

    def _release(self, key: str | None) -> None:
        if key is not None and not self._clock.instant:
            with self._store.transaction():
                self._store.release(key)


def _answer(operation: Operation, fault: Fault | None, peer: str) -> None:
    if fault and fault.kind.startswith("kill") and fault.after:
        strike(fault, peer)
    if fault and fault.kind == "lose-answer":
        raise AzureError(504, "GatewayTimeout", f"The answer for {operation.resource_id} was lost (a fault set on).")


def busy_key(resource_id: str) -> str | None:
    """Return the id of what Azure writes one at a time and a resource is or belongs to."""
    matches = (pattern.fullmatch(resource_id.lower()) for pattern in _ONE_AT_A_TIME)
    return next((match.group(1) for match in matches if match), None)
