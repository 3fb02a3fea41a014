"""What Azure's network services refuse.

Each rule is one function that raises ``AzureError``; the tables at the end name the types it holds for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from simulator.azure_errors import AzureRequest, Rule, bad_request
from simulator.behaviour.subnets import (
    addresses_of,
    check_gateway_subnet,
    default_route,
    free_addresses,
    subnet_users,
    subnets_of,
)
from simulator.cloud_store import CloudStore
from simulator.computed_network import subnet_prefix
from simulator.immutability import same_location
from simulator.protocol_values import Properties
from simulator.resource_ids import name_of

_SMALLEST_SUBNET: Final = {"azurebastionsubnet": 26, "azurefirewallsubnet": 26, "gatewaysubnet": 29}
"""Longest prefix by reserved subnet name. Bastion needs /26 since November 2021 (its settings page)."""


def _prefixes(subnet: Mapping[str, Any]) -> list[str]:
    return [text for text in (subnet.get("addressPrefixes") or [subnet.get("addressPrefix")]) if text]


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise bad_request("InvalidCIDRNotation", f"The address prefix {text} is not a network: {error}.") from None


def _virtual_network(request: AzureRequest) -> None:
    spaces = [_network(text) for text in (request.inputs.get("addressSpace") or {}).get("addressPrefixes") or []]
    taken: list[tuple[str, ipaddress.IPv4Network | ipaddress.IPv6Network]] = []
    for subnet in subnets_of(request.inputs):
        _check_subnet(request.store, request.id, subnet, spaces, taken)
    if request.previous:
        kept = {str(subnet.get("name")).lower() for subnet in subnets_of(request.inputs)}
        for subnet in subnets_of(request.previous.inputs):
            if str(subnet.get("name")).lower() not in kept:
                refuse_used_subnet(request.store, f"{request.id}/subnets/{subnet.get('name')}")


def _subnet(request: AzureRequest) -> None:
    network = request.store.get(request.id.rsplit("/subnets/", 1)[0])
    spaces = (
        [_network(t) for t in (network.inputs.get("addressSpace") or {}).get("addressPrefixes") or []]
        if network
        else []
    )
    taken = (
        [(str(s.get("name")), _network(t)) for s in subnets_of(network.inputs) for t in _prefixes(s)] if network else []
    )
    for other in request.store.below(network.id) if network else []:
        if other.arm_type.endswith("/subnets") and other.id.lower() != request.id.lower():
            taken += [(name_of(other.id), _network(text)) for text in _prefixes(other.inputs)]
    subnet = {**request.inputs, "name": request.name}
    _check_subnet(request.store, request.id.rsplit("/subnets/", 1)[0], subnet, spaces, taken)


def _check_subnet(
    store: CloudStore,
    network_id: str,
    subnet: Properties,
    spaces: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
    taken: list[tuple[str, ipaddress.IPv4Network | ipaddress.IPv6Network]],
) -> None:
    name = str(subnet.get("name"))
    for text in _prefixes(subnet):
        prefix = _network(text)
        if not any(prefix.version == s.version and prefix.subnet_of(s) for s in spaces):  # type: ignore[arg-type]  # same version, as just checked
            raise bad_request(
                "NetcfgSubnetRangeOutsideVnet", f"Subnet '{name}' {text} is outside the address space of its network."
            )
        other = next((n for n, t in taken if prefix.overlaps(t)), None)
        if other:
            raise bad_request("NetcfgSubnetRangesOverlap", f"Subnet '{name}' {text} overlaps with subnet '{other}'.")
        taken.append((name, prefix))
        smallest = _SMALLEST_SUBNET.get(name.lower(), 29)
        if prefix.version == 4 and prefix.prefixlen > smallest:
            raise bad_request(
                "InvalidSubnetSize", f"Subnet '{name}' {text} is too small: it must be /{smallest} or larger."
            )
    group = (subnet.get("networkSecurityGroup") or {}).get("id")
    table = (subnet.get("routeTable") or {}).get("id")
    if group and name.lower() in ("gatewaysubnet", "azurefirewallsubnet"):
        raise bad_request("NetworkSecurityGroupNotAllowed", f"Subnet '{name}' takes no network security group.")
    if name.lower() == "gatewaysubnet" and table and default_route(store, table):
        raise bad_request("GatewaySubnetDefaultRouteNotAllowed", f"Subnet '{name}' takes no route for 0.0.0.0/0.")
    gateways = [
        item
        for item in store.referring_to(f"{network_id}/subnets/{name}")
        if item.arm_type == "microsoft.network/applicationgateways"
    ]
    if gateways:
        check_gateway_subnet(store, subnet, name)


def refuse_used_subnet(store: CloudStore, subnet_id: str) -> None:
    """Refuse the removal of a subnet that something lives in."""
    users = subnet_users(store, subnet_id)
    if users:
        raise bad_request(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {name_of(subnet_id)} is in use by {users[0].id} and cannot be deleted.",
        )


def _public_ip(request: AzureRequest) -> None:
    label = request.reference("dnsSettings", "domainNameLabel").lower()
    for other in request.store.of_type("Microsoft.Network/publicIPAddresses", naming=label) if label else ():
        same = str((other.inputs.get("dnsSettings") or {}).get("domainNameLabel", "")).lower() == label
        if (
            same
            and other.id.lower() != request.id.lower()
            and same_location(other.inputs.get("location"), request.inputs.get("location"))
        ):
            raise bad_request("DnsRecordInUse", f"DNS record {label} is already used by another public IP.")


def _bastion(request: AzureRequest) -> None:
    # https://learn.microsoft.com/azure/bastion/configuration-settings#subnet
    for configuration in request.inputs.get("ipConfigurations") or []:
        subnet = str((configuration.get("subnet") or {}).get("id", ""))
        if name_of(subnet).lower() != "azurebastionsubnet":
            raise bad_request("InvalidBastionHostSubnet", "A Bastion host lies in a subnet named AzureBastionSubnet.")


def _private_endpoint(request: AzureRequest) -> None:
    subnet = request.reference("subnet", "id")
    free = free_addresses(request.store, subnet, without=request.id)
    wanted = addresses_of(request.store, request.inputs)
    if free is not None and free < wanted:
        raise bad_request(
            "SubnetIsFull",
            f"Subnet {name_of(subnet)} with address prefix {subnet_prefix(request.store, subnet)} does not have enough "
            f"capacity for {wanted} IP addresses.",
        )


def _zone_group(request: AzureRequest) -> None:
    # https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration: one group with up to five zones.
    siblings = request.store.below(request.id.rsplit("/privateDnsZoneGroups/", 1)[0])
    if any(
        item.arm_type.endswith("/privatednszonegroups") and item.id.lower() != request.id.lower() for item in siblings
    ):
        raise bad_request(
            "PrivateDnsZoneGroupCountExceeded", "Cannot create more than one private DNS zone group for one endpoint."
        )


def _zone_link(request: AzureRequest) -> None:
    # A network resolves a name in one zone only: a second zone of the same name cannot be linked to it
    # (https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links).
    zone = name_of(request.id.rsplit("/virtualNetworkLinks/", 1)[0]).lower()
    network = request.reference("virtualNetwork", "id").lower()
    for other in request.store.of_type("Microsoft.Network/privateDnsZones/virtualNetworkLinks", naming=network):
        same = str((other.inputs.get("virtualNetwork") or {}).get("id", "")).lower() == network
        if (
            same
            and other.id.lower() != request.id.lower()
            and other.id.lower().split("/privatednszones/")[1].startswith(zone + "/")
        ):
            raise bad_request(
                "BadRequest",
                "A virtual network cannot be linked to several zones with the name "
                f"{zone}; it is linked by {other.id}.",
            )


def _delete_network(request: AzureRequest) -> None:
    refuse_used_subnet(request.store, request.id)


NETWORK_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "network:BastionHost": (_bastion,),
    "network:PrivateDnsZoneGroup": (_zone_group,),
    "network:PrivateEndpoint": (_private_endpoint,),
    "network:PublicIPAddress": (_public_ip,),
    "network:Subnet": (_subnet,),
    "network:VirtualNetwork": (_virtual_network,),
    "privatedns:VirtualNetworkLink": (_zone_link,),
}
"""Rules before a write, by ``module:Class``."""

NETWORK_DELETIONS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "network:Subnet": (_delete_network,),
    "network:VirtualNetwork": (_delete_network,),
}
"""Rules before a deletion, by ``module:Class``."""
