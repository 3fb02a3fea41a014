"""Subnets as rules see them: what lives in one, its addresses, its security group's verdict, its default route.

Owns no table of rules: the ``behaviour_*`` modules of the services ask here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.azure_errors import bad_request
from simulator.cloud_store import CloudStore, StoredResource
from simulator.computed_network import subnet_prefix
from simulator.protocol_values import Properties, Value
from simulator.resource_ids import name_of

SUBNET_USERS: Final = (
    "microsoft.network/azurefirewalls",
    "microsoft.network/bastionhosts",
    "microsoft.network/applicationgateways",
    "microsoft.network/privateendpoints",
    "microsoft.containerservice/managedclusters",
    "microsoft.containerservice/managedclusters/agentpools",
)
"""Types whose resources live in a subnet and hold it."""
GATEWAY_MANAGEMENT_PORT: Final = 65200
"""First of the ports 65200-65535 that the gateway's management needs (Application Gateway infrastructure page)."""
RESERVED_ADDRESSES: Final = 5
"""Azure keeps the first four addresses of each subnet and the last."""
_REGISTRY: Final = "microsoft.containerregistry/registries"
_DATABASE_ACCOUNT: Final = "microsoft.documentdb/databaseaccounts"


@dataclass(frozen=True)
class Flow:
    """Traffic that a security group judges. An end is a prefix such as ``10.0.0.0/24`` or a service tag."""

    direction: str
    source: str
    destination: str
    port: int
    protocol: str = "Tcp"
    virtual_network: tuple[str, ...] = ()
    """The prefixes that the tag VirtualNetwork stands for."""


def subnets_of(network: Properties) -> Iterator[Properties]:
    """Yield the inline subnets of a virtual network's inputs."""
    yield from network.get("subnets") or []


def subnet_properties(store: CloudStore, subnet_id: str) -> Properties:
    """Return the inputs of a subnet, inline or separate; empty when there is none."""
    separate = store.get(subnet_id)
    if separate:
        return separate.inputs
    owner = store.owner_of(subnet_id)
    wanted = name_of(subnet_id).lower()
    return next((s for s in subnets_of(owner.inputs) if str(s.get("name")).lower() == wanted), {}) if owner else {}


def network_of(subnet_id: str) -> str:
    """Return the id of a subnet's virtual network, in lower case."""
    return subnet_id.lower().split("/subnets/")[0]


def address_spaces(store: CloudStore, network_id: str) -> tuple[str, ...]:
    """Return the prefixes of a virtual network; none when it does not exist."""
    stored = store.get(network_id)
    return tuple((stored.inputs.get("addressSpace") or {}).get("addressPrefixes") or ()) if stored else ()


def connected_networks(store: CloudStore, network_id: str) -> list[str]:
    """Return a virtual network and those that it is peered with, in lower case."""
    peerings = [item for item in store.below(network_id) if item.arm_type.endswith("/virtualnetworkpeerings")]
    return [
        network_id.lower(),
        *(str((item.inputs.get("remoteVirtualNetwork") or {}).get("id", "")).lower() for item in peerings),
    ]


def subnet_users(store: CloudStore, subnet_id: str) -> list[StoredResource]:
    """Return what lives in a subnet."""
    return [item for item in store.referring_to(subnet_id) if item.arm_type in SUBNET_USERS]


def addresses_of(store: CloudStore, inputs: Properties) -> int:
    """Return how many addresses a private endpoint takes.

    A registry's endpoint has one for the registry and one for the data of each of its regions
    (https://learn.microsoft.com/azure/container-registry/container-registry-private-link), a database account's one for
    the account and one for each of its regions
    (https://learn.microsoft.com/azure/cosmos-db/how-to-configure-private-endpoints).
    """
    taken = 0
    for connection in inputs.get("privateLinkServiceConnections") or []:
        target = store.get(str(connection.get("privateLinkServiceId", "")))
        if target and target.arm_type == _DATABASE_ACCOUNT:
            taken += 1 + len(target.inputs.get("locations") or [])
            continue
        replicas = store.below(target.id) if target and target.arm_type == _REGISTRY else []
        registry = bool(target and target.arm_type == _REGISTRY)
        taken += 2 + sum(item.arm_type.endswith("/replications") for item in replicas) if registry else 1
    return max(taken, 1)


def free_addresses(store: CloudStore, subnet_id: str, without: str = "") -> int | None:
    """Return how many addresses of a subnet nobody has, as if one resource were not there; ``None`` if unknown."""
    prefix = subnet_prefix(store, subnet_id)
    if prefix is None:
        return None
    users = [item for item in subnet_users(store, subnet_id) if item.id.lower() != without.lower()]
    endpoints = [item for item in users if item.arm_type.endswith("/privateendpoints")]
    used = sum(addresses_of(store, item.inputs) for item in endpoints) + len(users) - len(endpoints)
    return ipaddress.ip_network(prefix).num_addresses - RESERVED_ADDRESSES - used


def default_route(store: CloudStore, table_id: str) -> Properties | None:
    """Return the route for everything to an appliance in a route table, if there is one."""
    table = store.get(table_id)
    routes = list((table.inputs.get("routes") or []) if table else [])
    routes += [item.inputs for item in store.below(table_id)] if table else []
    return next(
        (r for r in routes if r.get("addressPrefix") == "0.0.0.0/0" and r.get("nextHopType") == "VirtualAppliance"),
        None,
    )


def group_of_subnet(store: CloudStore, subnet: Properties) -> StoredResource | None:
    """Return a subnet's network security group."""
    return store.get(str((subnet.get("networkSecurityGroup") or {}).get("id", "")))


def verdict(store: CloudStore, group: StoredResource | None, flow: Flow) -> bool | None:
    """Tell whether a group's own rules allow or deny a flow; ``None`` when only Azure's default rules speak."""
    for rule in _rules(store, group):
        ports = [*(rule.get("destinationPortRanges") or []), rule.get("destinationPortRange")]
        allows = str(rule.get("access")) == "Allow"
        if (
            rule.get("direction") == flow.direction
            and str(rule.get("protocol", "*")).lower() in ("*", flow.protocol.lower())
            and any(_covers(item, flow.port) for item in ports)
            and _meets(rule, "source", flow.source, flow, whole=allows)
            and _meets(rule, "destination", flow.destination, flow, whole=allows)
        ):
            return allows
    return None


def check_gateway_subnet(store: CloudStore, subnet: Properties, name: str) -> None:
    """Refuse a gateway's subnet whose traffic to the gateway's management is diverted or blocked.

    Source: "Application Gateway infrastructure configuration": v2 supports no 0.0.0.0/0 to an appliance, needs ports
    65200-65535 from the service tag GatewayManager and Azure's probes, and no outbound deny rule of TCP, not even one
    that leaves the Internet open (azure-docs#84599, azure-docs#87202).
    """
    table = (subnet.get("routeTable") or {}).get("id")
    if table and default_route(store, table):
        raise bad_request(
            "ApplicationGatewaySubnetUserDefinedRouteNotSupported",
            f"Subnet '{name}' has a route for 0.0.0.0/0 to an appliance, which a v2 "
            "application gateway does not support.",
        )
    group = group_of_subnet(store, subnet)
    if group is None:
        return
    manager = Flow("Inbound", "GatewayManager", "*", GATEWAY_MANAGEMENT_PORT)
    probes = Flow("Inbound", "AzureLoadBalancer", "*", GATEWAY_MANAGEMENT_PORT)
    if not verdict(store, group, manager):  # the default rule DenyAllInBound
        raise bad_request(
            "ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup",
            f"Network security group {group.id} blocks incoming internet traffic on "
            f"ports 65200 - 65535 to subnet '{name}'.",
        )
    if verdict(store, group, probes) is False:
        raise bad_request(
            "ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup",
            f"Network security group {group.id} blocks incoming traffic from AzureLoadBalancer to subnet '{name}'.",
        )
    if any(
        rule.get("direction") == "Outbound" and rule.get("access") == "Deny" and rule.get("protocol") in ("*", "Tcp")
        for rule in _rules(store, group)
    ):
        raise bad_request(
            "ApplicationGatewaySubnetOutboundTrafficBlockedByNetworkSecurityGroup",
            f"Network security group {group.id} blocks outgoing internet traffic on subnet '{name}'. This is not "
            "permitted for Application Gateways that have fast update enabled or have V2 Sku.",
        )


def _rules(store: CloudStore, group: StoredResource | None) -> list[Mapping[str, Any]]:
    if group is None:
        return []
    rules = list(group.inputs.get("securityRules") or []) + [item.inputs for item in store.below(group.id)]
    return sorted(rules, key=lambda item: item.get("priority") or 0)


def _meets(rule: Mapping[str, Any], end: str, wanted: str, flow: Flow, *, whole: bool) -> bool:
    """Tell whether a rule's source or destination is the flow's: an allow must cover it, a deny only touch it."""
    given = [*(rule.get(f"{end}AddressPrefixes") or []), rule.get(f"{end}AddressPrefix")]
    prefixes = [
        text
        for item in given
        if item is not None
        for text in (flow.virtual_network if item == "VirtualNetwork" else (str(item),))
    ]
    if any(text in ("*", "0.0.0.0/0", wanted) or (text == "Internet" and _is_service(wanted)) for text in prefixes):
        return True
    if wanted == "*":  # some address of the subnet: a rule for its prefix is about it
        return any(_is_prefix(text) for text in prefixes)
    if not _is_prefix(wanted):
        return False
    network = ipaddress.IPv4Network(wanted)
    ranges = [ipaddress.IPv4Network(text) for text in prefixes if _is_prefix(text)]
    return any(network.subnet_of(item) if whole else network.overlaps(item) for item in ranges)


def _is_service(text: str) -> bool:
    return text == "GatewayManager"


def _is_prefix(text: str) -> bool:
    return text[:1].isdigit() and ":" not in text


def _covers(ports: Value, port: int) -> bool:
    if ports in (None, "*"):
        return ports is not None
    first, _, last = str(ports).partition("-")
    return int(first) <= port <= int(last or first)
