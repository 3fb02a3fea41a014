"""What virtual network peerings are refused for, and what becomes of one whose other side goes.

https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Final

from simulator.azure_errors import AzureRequest, Rule, bad_request
from simulator.cloud_store import CloudStore, StoredResource
from simulator.resource_ids import name_of

_PEERING: Final = "microsoft.network/virtualnetworks/virtualnetworkpeerings"
_DISCONNECTED: Final = "Disconnected"


def peerings_of(store: CloudStore, network_id: str) -> list[StoredResource]:
    """Return the peerings of a virtual network, its own side only."""
    return [item for item in store.below(network_id) if item.arm_type == _PEERING]


def remote_of(peering: StoredResource) -> str:
    """Return the id of the virtual network at the other side, in lower case."""
    return str((peering.inputs.get("remoteVirtualNetwork") or {}).get("id", "")).lower()


def disconnect_other_side(store: CloudStore, peering: StoredResource) -> None:
    """Leave the other side of a deleted peering behind as Azure does: disconnected until it is made anew."""
    local = peering.id.lower().rsplit("/virtualnetworkpeerings/", 1)[0]
    for other in peerings_of(store, remote_of(peering)):
        if remote_of(other) == local:
            store.update_outputs(other.id, {**other.outputs, "peeringState": _DISCONNECTED})


def _peering(request: AzureRequest) -> None:
    local = request.store.get(request.id.rsplit("/virtualNetworkPeerings/", 1)[0])
    remote = request.store.get(request.reference("remoteVirtualNetwork", "id"))
    if not local or not remote:
        return
    if local.id == remote.id:
        raise bad_request("InvalidPeering", f"Virtual network {local.id} cannot be peered with itself.")
    for other in peerings_of(request.store, remote.id):
        if remote_of(other) == local.id.lower() and other.outputs.get("peeringState") == _DISCONNECTED:
            raise bad_request(
                "RemotePeeringIsDisconnected",
                f"Cannot create or update peering {request.id} because remote peering {other.id} referencing parent "
                f"virtual network {local.id} is in Disconnected state. Update or re-create the remote peering to get it"
                " back to Initiated state.",
            )
    networks = [local]
    for item in peerings_of(request.store, local.id):
        known = request.store.get(remote_of(item)) if item.id.lower() != request.id.lower() else None
        if known and known.id != remote.id:
            networks.append(known)
        elif known:
            raise bad_request(
                "AnotherPeeringAlreadyReferencesRemoteVnet",
                f"Peering {name_of(item.id)} already references remote virtual "
                f"network {remote.id}; a network has one peering with another.",
            )
    for network in networks:
        _refuse_overlap(request, network, remote)


def _refuse_overlap(request: AzureRequest, network: StoredResource, remote: StoredResource) -> None:
    for text in _spaces(network):
        for foreign in _spaces(remote):
            if ipaddress.ip_network(text).overlaps(ipaddress.ip_network(foreign)):
                raise bad_request(
                    "VnetAddressSpacesOverlap",
                    f"Cannot create or update peering {request.name}: address space {text} of {name_of(network.id)} "
                    f"overlaps with {foreign} of {name_of(remote.id)}.",
                )


def _spaces(network: StoredResource) -> Iterator[str]:
    yield from (network.inputs.get("addressSpace") or {}).get("addressPrefixes") or []


def _network_of_peers(request: AzureRequest) -> None:
    """Refuse an address space that a peered network has."""
    prefixes = (request.inputs.get("addressSpace") or {}).get("addressPrefixes") or []
    for peering in peerings_of(request.store, request.id) if request.previous else ():
        remote = request.store.get(remote_of(peering))
        for foreign in _spaces(remote) if remote else ():
            if any(ipaddress.ip_network(text).overlaps(ipaddress.ip_network(foreign)) for text in prefixes):
                raise bad_request(
                    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                    f"The address space of {request.name} overlaps with {foreign} of its peer "
                    f"{name_of(remote_of(peering))}.",
                )


PEERING_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "network:VirtualNetwork": (_network_of_peers,),
    "network:VirtualNetworkPeering": (_peering,),
}
"""Rules before a write, by ``module:Class``; the network's own rules have read its prefixes before."""
