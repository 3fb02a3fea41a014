"""Which changed inputs replace a resource, and the comparison of old and new inputs.

``REPLACING`` holds what azure-native's provider replaces on (its force-new table); names, scopes and locations
replace for
every type. Where Azure itself refuses a change that the provider sends as an update, ``REFUSED_UPDATES`` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.protocol_values import Value, contains_unknown, unwrap
from simulator.resource_ids import ResourceType

REPLACING: Final[Mapping[str, tuple[str, ...]]] = {
    "authorization:RoleAssignment": ("principalId", "scope"),
    "containerregistry:Registry": ("location",),
    "containerservice:AgentPool": ("vmSize", "gpuInstanceProfile", "nodePublicIPTags"),
    "containerservice:ManagedCluster": (
        "diskEncryptionSetID", "dnsPrefix", "fqdnSubdomain", "linuxProfile", "nodeResourceGroup", "windowsProfile",
        *(
            f"networkProfile.{name}"
            for name in (
                "serviceCidr", "serviceCidrs", "podCidr", "podCidrs", "dnsServiceIP", "networkMode", "networkPlugin",
                "networkPluginMode", "networkDataplane", "networkPolicy", "outboundType", "ipFamilies",
            )
        ),
    ),
    "keyvault:Vault": ("properties.tenantId",),
    "monitor:ScheduledQueryRule": ("scopes",),
    "network:PrivateEndpoint": ("subnet",),
    "network:PublicIPAddress": ("publicIPAddressVersion", "publicIPPrefix", "sku"),
    "privatedns:VirtualNetworkLink": ("virtualNetwork",),
    "storage:StorageAccount": ("kind", "isHnsEnabled"),
    "index:Group": ("mailNickname",),
}  # fmt: skip
"""Input paths by ``module:Class``; a path stands for all below it."""

REFUSED_UPDATES: Final[Mapping[str, tuple[str, ...]]] = {
    "containerservice:AgentPool": (
        "availabilityZones", "enableEncryptionAtHost", "enableFIPS", "kubeletDiskType", "maxPods", "osDiskSizeGB",
        "osDiskType", "osType", "podSubnetID", "vnetSubnetID",
    ),
    "containerregistry:Replication": ("zoneRedundancy",),
    "authorization:RoleAssignment": ("roleDefinitionId",),
    "cdn:Profile": ("sku",),
    "network:AzureFirewall": ("sku.name", "zones"),
    "network:PublicIPAddress": ("zones",),
    "network:ApplicationGateway": ("zones",),
    "containerservice:FleetMember": ("clusterResourceId",),
    "cosmosdb:SqlResourceSqlContainer": (
        "resource.partitionKey", "resource.uniqueKeyPolicy", "resource.conflictResolutionPolicy",
    ),
    "cosmosdb:SqlResourceSqlRoleAssignment": ("principalId", "roleDefinitionId", "scope"),
    "containerservice:ManagedCluster": ("apiServerAccessProfile.enablePrivateCluster",),
}  # fmt: skip
"""Changes that the provider sends as an update and Azure answers with 400; programs use ``replace_on_changes``
there."""

_LOCATION: Final = "location"


@dataclass(frozen=True)
class Change:
    """One difference between old and new inputs."""

    path: str
    kind: str
    """``ADD``, ``UPDATE`` or ``DELETE``."""
    replaces: bool


def changes(resource: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return the differences that matter to Azure; the spelling of a location is none."""
    found = []
    for path, kind in _differences(unwrap(dict(old)), unwrap(dict(new)), ""):
        plain = re.sub(r"\[[^\]]*\]", "", path)
        replaces = (
            plain in resource.address_inputs or plain == _LOCATION or matches(plain, REPLACING.get(resource.token, ()))
        )
        found.append(Change(path, kind, replaces))
    return found


def matches(path: str, paths: tuple[str, ...]) -> bool:
    """Tell whether a path is one of the given paths or lies below one."""
    return any(path == item or path.startswith(item + ".") for item in paths)


def same_location(left: Value, right: Value) -> bool:
    """Tell whether two spellings name one region, such as ``East US 2`` and ``eastus2``."""
    return str(left).replace(" ", "").lower() == str(right).replace(" ", "").lower()


def _differences(old: Value, new: Value, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if key.startswith("__") and not path:
                continue
            below = f"{path}.{key}" if path else key
            if re.search(r"[^\w$-]", key):  # keys with dots or slashes are quoted, as the engine writes paths
                below = f'{path}["{key}"]'
            if new.get(key) is None and old.get(key) is None:
                continue
            if old.get(key) is None:
                yield below, "ADD"
            elif new.get(key) is None:
                yield below, "DELETE"
            elif key == _LOCATION and isinstance(new[key], str) and same_location(old[key], new[key]):
                continue
            else:
                yield from _differences(old[key], new[key], below)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            below = f"{path}[{index}]"
            if index >= len(old):
                yield below, "ADD"
            elif index >= len(new):
                yield below, "DELETE"
            else:
                yield from _differences(old[index], new[index], below)
    elif old != new or contains_unknown(new):
        yield path, "UPDATE"
