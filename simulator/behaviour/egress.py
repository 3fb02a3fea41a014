"""Whether a subnet reaches a host outside: default route, Azure Firewall, its policy and the base policy.

A firewall reads the rules of the base policy before those of the child, groups and collections by priority, and all
network rules before any application rule (https://learn.microsoft.com/azure/firewall/rule-processing).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.behaviour.names import asking_network, firewall_at
from simulator.behaviour.subnets import (
    Flow,
    address_spaces,
    connected_networks,
    default_route,
    group_of_subnet,
    network_of,
    subnet_properties,
    verdict,
)
from simulator.cloud_store import CloudStore, StoredResource
from simulator.computed_network import subnet_prefix
from simulator.resource_ids import name_of

_TAG: Final = "AzureKubernetesService"
_BEHIND_THE_TAG: Final = (
    "mcr.microsoft.com", "*.data.mcr.microsoft.com", "*.azmk8s.io", "management.azure.com", "login.microsoftonline.com",
    "packages.microsoft.com", "acs-mirror.azureedge.net", "packages.aks.azure.com",
)  # fmt: skip
"""What the FQDN tag AzureKubernetesService stands for (outbound-rules-control-egress, "Azure Firewall")."""


@dataclass(frozen=True)
class Call:
    """A connection by TLS from a subnet to a host outside."""

    host: str
    by_address: bool = False
    """The caller uses the address and sends no host name (SNI), as pods do with the API server."""
    region: str = ""
    port: int = 443


def refusal(store: CloudStore, subnet_id: str, call: Call) -> str | None:
    """Return why a call from a subnet does not get out; ``None`` when it does, or when this cloud cannot tell."""
    prefix = subnet_prefix(store, subnet_id)
    subnet = subnet_properties(store, subnet_id)
    if prefix is None:
        return None
    group = group_of_subnet(store, subnet)
    if verdict(store, group, Flow("Outbound", prefix, "Internet", call.port)) is False:
        return f"network security group {group.id if group else ''} denies outbound TCP {call.port}"
    route = default_route(store, str((subnet.get("routeTable") or {}).get("id", "")))
    if route is None:
        return None
    hop = str(route.get("nextHopIpAddress", ""))
    network = network_of(subnet_id)
    firewall = firewall_at(store, network, hop)
    if firewall is not None:
        return _judged(store, firewall, network, prefix, call)
    owner = _subnet_of_address(store, network, hop)
    # A next hop needs direct connectivity (https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview).
    if owner is None:
        return f"the next hop {hop} of 0.0.0.0/0 lies in no network that this one is peered with"
    if owner.lower() == "azurefirewallsubnet":
        return f"there is no firewall at the next hop {hop} of 0.0.0.0/0"
    return None  # an appliance of somebody else's


def _subnet_of_address(store: CloudStore, network_id: str, text: str) -> str | None:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return None
    for network in connected_networks(store, network_id):
        stored = store.get(network)
        for subnet in (stored.inputs.get("subnets") or []) if stored else []:
            prefixes = subnet.get("addressPrefixes") or [subnet.get("addressPrefix")]
            if any(address in ipaddress.ip_network(item) for item in prefixes if item):
                return str(subnet.get("name"))
        if any(address in ipaddress.ip_network(item) for item in address_spaces(store, network)):
            return ""
    return None


def _judged(store: CloudStore, firewall: StoredResource, network: str, source: str, call: Call) -> str | None:
    policy = store.get(str((firewall.inputs.get("firewallPolicy") or {}).get("id", "")))
    collections = list(_collections(store, policy))
    same_names = asking_network(store, network) == _network_of_firewall(firewall)
    for kind in ("NetworkRule", "ApplicationRule"):
        for collection in collections:
            for rule in collection.get("rules") or []:
                if rule.get("ruleType") != kind or not _from(store, rule, source):
                    continue
                if _network_rule(rule, call, same_names) or _application_rule(rule, call):
                    allowed = str((collection.get("action") or {}).get("type")) == "Allow"
                    return (
                        None if allowed else f"rule '{rule.get('name')}' of firewall {name_of(firewall.id)} denies it"
                    )
    if call.by_address:
        return f"firewall {name_of(firewall.id)}: Action: Deny. Reason: SNI TLS extension was missing"
    return f"firewall {name_of(firewall.id)}: Action: Deny. No rule matched {call.host}:{call.port}"


def _collections(store: CloudStore, policy: StoredResource | None) -> Iterator[Mapping[str, Any]]:
    if policy is None:
        return
    yield from _collections(store, store.get(str((policy.inputs.get("basePolicy") or {}).get("id", ""))))
    groups = [item.inputs for item in store.below(policy.id)]
    for group in sorted(groups, key=lambda item: item.get("priority") or 0):
        yield from sorted(group.get("ruleCollections") or [], key=lambda item: item.get("priority") or 0)


def _network_of_firewall(firewall: StoredResource) -> str:
    configurations = firewall.inputs.get("ipConfigurations") or [{}]
    return network_of(str((configurations[0].get("subnet") or {}).get("id", "")))


def _from(store: CloudStore, rule: Mapping[str, Any], source: str) -> bool:
    given = list(rule.get("sourceAddresses") or [])
    for group_id in rule.get("sourceIpGroups") or []:
        group = store.get(group_id)
        given += (group.inputs.get("ipAddresses") or []) if group else []
    network = ipaddress.IPv4Network(source)
    prefixes = [ipaddress.ip_network(text) for text in given if text != "*" and "-" not in text]
    return "*" in given or any(isinstance(p, ipaddress.IPv4Network) and network.subnet_of(p) for p in prefixes)


def _network_rule(rule: Mapping[str, Any], call: Call, same_names: bool) -> bool:
    """Tell whether a network rule meets a call. One with host names needs the firewall as the caller's DNS server."""
    if rule.get("ruleType") != "NetworkRule" or not _port(rule.get("destinationPorts") or [], call.port):
        return False
    if not {str(item).lower() for item in rule.get("ipProtocols") or []} & {"tcp", "any"}:
        return False
    to = set(rule.get("destinationAddresses") or [])
    tags = {"AzureCloud", f"AzureCloud.{call.region}"} if call.region else set()
    names = {str(item).lower() for item in rule.get("destinationFqdns") or []}
    return bool(to & {"*", "0.0.0.0/0", *tags}) or (same_names and call.host.lower() in names)


def _application_rule(rule: Mapping[str, Any], call: Call) -> bool:
    if rule.get("ruleType") != "ApplicationRule" or call.by_address:
        return False
    secure = [item for item in rule.get("protocols") or [] if str(item.get("protocolType", "")).lower() == "https"]
    if not any(item.get("port", 443) == call.port for item in secure):
        return False
    names = [*(rule.get("targetFqdns") or []), *(_BEHIND_THE_TAG if _TAG in (rule.get("fqdnTags") or []) else ())]
    return any(_matches(str(item).lower(), call.host.lower()) for item in names)


def _matches(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith("*") and host.endswith(pattern[1:]))


def _port(ports: list[str], wanted: int) -> bool:
    for text in ports:
        first, _, last = str(text).partition("-")
        if first == "*" or int(first) <= wanted <= int(last or first):
            return True
    return False
