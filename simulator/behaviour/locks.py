"""Management locks: what is locked, lies below a lock or holds one cannot be deleted.

https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
"""

from __future__ import annotations

from typing import Final

from simulator.azure_errors import conflict
from simulator.cloud_store import CloudStore, StoredResource
from simulator.resource_ids import name_of

_LOCK: Final = "microsoft.authorization/locks"


def refuse_locked(store: CloudStore, stored: StoredResource) -> None:
    """Refuse the deletion of a resource that a lock keeps; a lock itself may always go.

    Raises:
        AzureError: ``ScopeLocked``.
    """
    if stored.arm_type == _LOCK:
        return
    own = stored.id.lower() + "/"
    for lock in store.of_type(_LOCK):
        scope = lock.id.lower().partition(f"/providers/{_LOCK}/")[0] + "/"
        if own.startswith(scope) or scope.startswith(own):
            raise conflict(
                "ScopeLocked",
                f"The scope '{stored.id}' cannot perform delete operation because following scope(s) are locked: "
                f"'{scope.rstrip('/')}' by '{name_of(lock.id)}'. Please remove the lock and try again.",
            )
