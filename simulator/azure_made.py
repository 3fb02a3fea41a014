"""Resources that Azure itself makes beside those that a program asks for."""

from __future__ import annotations

from simulator.cloud_store import CloudStore
from simulator.protocol_values import Properties
from simulator.resource_ids import ResourceType, arm_type_of, group_of, name_of

MADE_BY_AZURE = "azure"


def add_made_by_azure(
    store: CloudStore, kind: ResourceType, resource_id: str, inputs: Properties, outputs: Properties
) -> None:
    """Add what Azure makes when a resource of some types is written."""
    subscription = f"/subscriptions/{store.fact('subscriptionId')}"
    location = str(outputs.get("location", "")).replace(" ", "").lower()
    if kind.token == "network:VirtualNetwork":  # noqa: S105 - a type token
        # Azure makes one watcher per region with the first network there; flow logs are its children.
        group = f"{subscription}/resourceGroups/NetworkWatcherRG"
        _add(store, group, location)
        _add(store, f"{group}/providers/Microsoft.Network/networkWatchers/NetworkWatcher_{location}", location)
    elif kind.token == "containerservice:ManagedCluster":  # noqa: S105 - a type token
        _add(store, f"{subscription}/resourceGroups/{outputs['nodeResourceGroup']}", location)
    elif kind.token == "monitor:AzureMonitorWorkspace":  # noqa: S105 - a type token
        for made in outputs["defaultIngestionSettings"].values():
            _add(store, str(group_of(made)), location)
            _add(store, made, location)
    elif kind.token == "storage:StorageAccountStaticWebsite":  # noqa: S105 - a type token
        account = resource_id.removesuffix("/staticWebsite")
        _add(store, f"{account}/blobServices/default/containers/$web", location)


def _add(store: CloudStore, resource_id: str, location: str) -> None:
    if not store.exists(resource_id):
        outputs = {"name": name_of(resource_id), "location": location}
        store.put(resource_id, arm_type_of(resource_id), MADE_BY_AZURE, {}, outputs, [], set())
