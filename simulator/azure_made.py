"""Resources that Azure itself makes beside those that a program asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simulator.behaviour.facts import read_facts, write_fact
from simulator.behaviour.fleet_manager import members_of_cluster
from simulator.behaviour.time import Moment
from simulator.cloud_store import CloudStore, StoredResource
from simulator.immutability import same_location
from simulator.protocol_values import Properties
from simulator.resource_ids import ResourceType, arm_type_of, group_of, name_of

MADE_BY_AZURE: Final = "azure"
WATCHER_SECONDS: Final = 30.0
"""After a region's first network until its watcher is there. Assumed: no figure is published
(https://learn.microsoft.com/azure/network-watcher/network-watcher-create)."""
_WATCHERS: Final = "Microsoft.Network/networkWatchers"
_WATCHER_DUE: Final = "watcherDue:"
"""Begin of the fact that tells when a region's first network was made."""
_STORAGE_SERVICES: Final = ("blobServices", "fileServices", "queueServices", "tableServices")


def add_made_by_azure(
    store: CloudStore, kind: ResourceType, resource_id: str, outputs: Properties, moment: Moment
) -> None:
    """Add what Azure makes when a resource of some types is written."""
    subscription = f"/subscriptions/{store.fact('subscriptionId')}"
    location = str(outputs.get("location", "")).replace(" ", "").lower()
    if kind.token == "network:VirtualNetwork":  # noqa: S105 - a type token
        # Azure makes one watcher per region after the first network there, unless somebody has made one; flow logs are
        # its children.
        if moment.seconds is None:
            _add_watcher(store, location)
        elif location not in read_facts(store, _WATCHER_DUE):
            write_fact(store, _WATCHER_DUE + location, moment.mark())
    elif kind.token == "containerservice:ManagedCluster":  # noqa: S105 - a type token
        _add(store, f"{subscription}/resourceGroups/{outputs['nodeResourceGroup']}", location)
    elif kind.token == "monitor:AzureMonitorWorkspace":  # noqa: S105 - a type token
        for made in outputs["defaultIngestionSettings"].values():
            _add(store, str(group_of(made)), location)
            _add(store, made, location)
    elif kind.token == "storage:StorageAccount":  # noqa: S105 - a type token
        # An account comes with its services: programs only set their properties.
        # https://learn.microsoft.com/rest/api/storagerp/blob-services/set-service-properties
        for service in _STORAGE_SERVICES:
            _add(store, f"{resource_id}/{service}/default", location)
    elif kind.token == "storage:StorageAccountStaticWebsite":  # noqa: S105 - a type token
        account = resource_id.removesuffix("/staticWebsite")
        _add(store, f"{account}/blobServices/default/containers/$web", location)


def make_what_is_due(store: CloudStore, moment: Moment) -> None:
    """Add what Azure makes by itself some time after a program's write."""
    for location, mark in read_facts(store, _WATCHER_DUE).items():
        if mark and moment.noticed(mark, WATCHER_SECONDS):
            write_fact(store, _WATCHER_DUE + location, "")
            _add_watcher(store, location)


def remove_made_by_azure(store: CloudStore, stored: StoredResource) -> None:
    """Remove what Azure made for a resource that was deleted, with all that somebody put there; a deleted cluster also
    leaves its fleet."""
    if stored.arm_type == "microsoft.containerservice/managedclusters":
        group = (
            f"/subscriptions/{store.fact('subscriptionId')}/resourceGroups/{stored.outputs.get('nodeResourceGroup')}"
        )
        for item in store.below(group):
            store.delete(item.id)
        store.delete(group)
        for member in members_of_cluster(store, stored.id):  # https://github.com/Azure/fleet/issues/881
            store.delete(member.id)
    if stored.arm_type == "microsoft.monitor/accounts":
        ingestion: Mapping[str, Any] = stored.outputs.get("defaultIngestionSettings") or {}
        for made in ingestion.values():
            store.delete(made)
            store.delete(str(group_of(made)))


def comes_with_its_parent(resource_id: str) -> bool:
    """Tell whether Azure makes a resource with its parent, so that a program sets it and never removes it."""
    segments = resource_id.rsplit("/", 2)
    return len(segments) == 3 and segments[2] == "default" and segments[1] in _STORAGE_SERVICES


def reset_to_default(store: CloudStore, stored: StoredResource) -> None:
    """Put back what comes with its parent, as it was before a program set it."""
    _add(store, stored.id, str(stored.outputs.get("location") or ""))


def _add_watcher(store: CloudStore, location: str) -> None:
    if any(same_location(item.outputs.get("location"), location) for item in store.of_type(_WATCHERS)):
        return
    group = f"/subscriptions/{store.fact('subscriptionId')}/resourceGroups/NetworkWatcherRG"
    _add(store, group, location)
    _add(store, f"{group}/providers/{_WATCHERS}/NetworkWatcher_{location}", location)


def _add(store: CloudStore, resource_id: str, location: str) -> None:
    if not store.exists(resource_id):
        outputs = {"name": name_of(resource_id), "location": location}
        store.put(resource_id, arm_type_of(resource_id), MADE_BY_AZURE, {}, outputs, [], set())
