"""What Azure keeps of a deleted resource: a vault's name, a workspace with its data; both can be recovered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simulator.azure_errors import AzureRequest, Rule, bad_request, conflict
from simulator.behaviour.facts import read_fact, read_facts, write_fact
from simulator.behaviour.time import DAY, Moment
from simulator.cloud_store import CloudStore, StoredResource
from simulator.immutability import same_location
from simulator.protocol_values import Properties
from simulator.resource_ids import name_of

VAULT_NAMES: Final = "vault"
"""The kind of reserved name that a soft-deleted vault leaves behind."""
VAULT_TYPE: Final = "microsoft.keyvault/vaults"
WORKSPACE_TYPE: Final = "microsoft.operationalinsights/workspaces"
WORKSPACE_DAYS: Final = 14
"""https://learn.microsoft.com/azure/azure-monitor/logs/delete-workspace"""
_VAULT_DAYS: Final = 90
_VAULTS: Final = "deletedVault:"
_WORKSPACES: Final = "deletedWorkspace:"


@dataclass(frozen=True)
class DeletedWorkspace:
    """A workspace between its deletion and the end of its data."""

    customer_id: str
    location: str
    mark: str


def keep_deleted(store: CloudStore, stored: StoredResource, moment: Moment) -> None:
    """Keep what Azure keeps of a resource that is being deleted."""
    name = name_of(stored.id).lower()
    if stored.arm_type == VAULT_TYPE:
        properties: Properties = stored.inputs.get("properties") or {}
        store.reserve_name(VAULT_NAMES, name, stored.id, bool(properties.get("enablePurgeProtection")))
        days = properties.get("softDeleteRetentionInDays") or _VAULT_DAYS
        write_fact(store, _VAULTS + name, json.dumps([moment.mark(), days, str(stored.outputs.get("location"))]))
    if stored.arm_type == WORKSPACE_TYPE:
        kept = [str(stored.outputs.get("customerId")), str(stored.outputs.get("location")), moment.mark()]
        write_fact(store, _WORKSPACES + stored.id.lower(), json.dumps(kept))


def forget_deleted(store: CloudStore, resource_id: str, arm_type: str) -> None:
    """Forget what was kept of a resource that exists again."""
    name = name_of(resource_id).lower()
    if arm_type.lower() == VAULT_TYPE:
        store.free_name(VAULT_NAMES, name)
        write_fact(store, _VAULTS + name, None)
    if arm_type.lower() == WORKSPACE_TYPE:
        write_fact(store, _WORKSPACES + resource_id.lower(), None)


def deleted_workspace(store: CloudStore, resource_id: str, moment: Moment) -> DeletedWorkspace | None:
    """Return the workspace that a creation with this id would recover."""
    kept = read_fact(store, _WORKSPACES + resource_id.lower())
    found = DeletedWorkspace(*json.loads(kept)) if kept else None
    return None if found is None or moment.expired(found.mark, WORKSPACE_DAYS * DAY) else found


def recovered_outputs(store: CloudStore, resource_id: str, arm_type: str, moment: Moment) -> Properties:
    """Return the outputs that a resource keeps from before its deletion."""
    found = deleted_workspace(store, resource_id, moment) if arm_type.lower() == WORKSPACE_TYPE else None
    return {"customerId": found.customer_id} if found else {}


def describe_deleted(store: CloudStore) -> list[str]:
    """Return what is kept, one line each."""
    vaults = [
        f"vault {name} (soft-deleted; {'purge protection keeps the name' if protected else 'can be purged'})"
        for name, (_, protected) in store.reserved_names(VAULT_NAMES).items()
    ]
    return vaults + [
        f"workspace {name_of(key)} (soft-deleted; the same name, group and region recover it for {WORKSPACE_DAYS} days)"
        for key in sorted(read_facts(store, _WORKSPACES))
    ]


def _vault(request: AzureRequest) -> None:
    name, properties = request.name.lower(), request.inputs.get("properties") or {}
    if request.previous:
        return
    reserved = request.store.reserved_names(VAULT_NAMES).get(name)
    mark, days, location = json.loads(read_fact(request.store, _VAULTS + name) or '["", 0, ""]')
    if reserved and mark and request.moment.expired(mark, float(days) * DAY):
        reserved = None
    recovers = properties.get("createMode") == "recover"
    if reserved and not recovers:
        raise conflict(
            "ConflictError",
            f"A vault with the same name already exists in deleted state: {reserved[0]}. You need to either recover or "
            "purge the existing key vault, or take another name.",
        )
    here = reserved is not None and reserved[0].lower() == request.id.lower()
    if recovers and not (here and same_location(location, request.outputs.get("location"))):
        raise bad_request(
            "SoftDeletedVaultDoesNotExist",
            f"There is no soft-deleted vault named {name} in this group and region: recovery needs the same ones.",
        )


def _workspace(request: AzureRequest) -> None:
    if request.previous:
        return
    found = deleted_workspace(request.store, request.id, request.moment)
    if found and not same_location(found.location, request.outputs.get("location")):
        raise conflict(
            "Conflict",
            f"The workspace name '{request.name}' is not unique: a workspace of this name is soft-deleted in "
            f"{found.location}. The same region recovers it.",
        )


SOFT_DELETE_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "keyvault:Vault": (_vault,),
    "operationalinsights:Workspace": (_workspace,),
}
"""Rules before a write, by ``module:Class``."""
