"""Waiting for Azure: which failures pass by themselves, and how often the program tries again.

Azure replicates identities and serialises writes; both show as errors that are gone a little later. The engine asks an
error hook after each failure; the hook waits with growing pauses and says "again" only for these codes.
Hooks run in the program, so a plain `pulumi destroy` does not use them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import pulumi

TRANSIENT_CODES: tuple[str, ...] = (
    "PrincipalNotFound",  # a new identity is not yet known to every directory replica
    "RoleDefinitionDoesNotExist",  # a custom role has not reached every replica yet
    "AnotherOperationInProgress",  # one write at a time to a virtual network or a Front Door profile
    "RetryableErrorDueToAnotherOperation",
    "ReferencedResourceNotProvisioned",  # a peering while its network is still being updated
    "ApplicationGatewayKeyVaultSecretException",  # the vault role or its DNS record has not reached the gateway
    "CustomKubeletIdentityMissingPermissionError",  # a role of the cluster's identity has not reached AKS yet
    "NetworkWatcherNotFound",  # Azure makes the region's watcher some time after the first network
    "ParentResourceNotFound",  # the same for a flow log, and a parent that ARM has not replicated yet
    # Cosmos DB has no codes of its own for these two, so its words stand here: one write at a time to an account
    # (azurerm#15842), and an identity that it looks up before Entra has replicated it (pulumi-azure-native#2816).
    "exclusive lock on",
    "was not found in the AAD tenant",
)
FIRST_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 120.0
MAXIMUM_TRIES = 12
_pauses = {"first": FIRST_PAUSE_SECONDS}


def is_transient(errors: Sequence[str]) -> bool:
    """Tell whether the newest error carries one of Azure's passing codes."""
    return bool(errors) and any(code in errors[0] for code in TRANSIENT_CODES)


def pause_seconds(tries: int) -> float:
    """Return the pause before try number `tries` + 1: doubled each time, at most two minutes."""
    return min(_LONGEST_PAUSE_SECONDS, _pauses["first"] * 2.0 ** max(0, tries - 1))


def pause_first(seconds: float) -> None:
    """Set the first pause of this program: a simulated cloud has no replicas to wait for."""
    _pauses["first"] = seconds


async def _again(arguments: pulumi.ErrorHookArgs) -> bool:
    if not is_transient(arguments.errors) or len(arguments.errors) >= MAXIMUM_TRIES:
        return False
    await asyncio.sleep(pause_seconds(len(arguments.errors)))
    return True


# One hook a program (a program is a loop): the engine refuses a second hook of the same name.
_hooks: WeakKeyDictionary[asyncio.AbstractEventLoop, pulumi.ErrorHook] = WeakKeyDictionary()


def transient_retry() -> pulumi.ResourceHookBinding:
    """Return hooks for a resource whose create meets Azure's replication or its one-at-a-time writes."""
    loop = asyncio.get_event_loop()
    if loop not in _hooks:
        _hooks[loop] = pulumi.ErrorHook("wait-for-azure", _again)
    return pulumi.ResourceHookBinding(on_error=[_hooks[loop]])
