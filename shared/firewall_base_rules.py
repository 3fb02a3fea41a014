"""The organisation's base rules for every firewall, as data.

They hold what each workload in a spoke may do whatever its stamp allows besides: ask Azure's resolver for names and
Microsoft's time servers for the time, and reach the host names that the organisation lists. The reference lets every
address be asked for names, which is a tunnel out; nodes need Azure's resolver only.
A parent's rule groups are always read before those of its children.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pulumi_azure_native import network

PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Where requests come from in any stamp: private addresses (RFC 1918, RFC 6598), whatever its address space is."""

AZURE_RESOLVER = "168.63.129.16"
"""https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16"""

AZURE_TIME_SERVERS = ("168.61.215.74", "20.101.57.9")
"""time.windows.com, by address: host names in network rules would need the firewall as the spokes' DNS server."""


class GroupPriority(IntEnum):
    """Rule collection groups of the base policy (Azure takes 100 to 65000)."""

    NETWORK = 200
    APPLICATION = 300


class CollectionPriority(IntEnum):
    """Rule collections inside their group."""

    ORGANISATION = 100


@dataclass(frozen=True)
class NetworkDestination:
    """One network rule: protocols and ports to addresses."""

    name: str
    why: str
    protocols: tuple[str, ...]
    addresses: tuple[str, ...]
    ports: tuple[str, ...]


NETWORK_DESTINATIONS = (
    NetworkDestination("dns", "names from Azure's resolver", ("UDP", "TCP"), (AZURE_RESOLVER,), ("53",)),
    NetworkDestination("ntp", "the time from Microsoft", ("UDP",), AZURE_TIME_SERVERS, ("123",)),
)


def network_collections(
    destinations: Sequence[NetworkDestination] = NETWORK_DESTINATIONS,
) -> list[network.FirewallPolicyFilterRuleCollectionArgs]:
    """Return the network rule collections of the base policy."""
    rules = [
        network.NetworkRuleArgs(
            rule_type="NetworkRule",
            name=each.name,
            description=each.why,
            ip_protocols=list(each.protocols),
            source_addresses=list(PRIVATE_RANGES),
            destination_addresses=list(each.addresses),
            destination_ports=list(each.ports),
        )
        for each in destinations
    ]
    return [_allowed("organisation-network", rules)]


def application_collections(allowed_fqdns: Sequence[str]) -> list[network.FirewallPolicyFilterRuleCollectionArgs]:
    """Return the application rule collections: HTTPS to the organisation's host names. None listed, none made."""
    if not allowed_fqdns:
        return []
    rule = network.ApplicationRuleArgs(
        rule_type="ApplicationRule",
        name="organisation-hosts",
        description="host names that every stamp may reach",
        source_addresses=list(PRIVATE_RANGES),
        target_fqdns=list(allowed_fqdns),
        protocols=[network.FirewallPolicyRuleApplicationProtocolArgs(protocol_type="Https", port=443)],
    )
    return [_allowed("organisation-hosts", [rule])]


def _allowed(
    name: str, rules: Sequence[network.NetworkRuleArgs | network.ApplicationRuleArgs]
) -> network.FirewallPolicyFilterRuleCollectionArgs:
    return network.FirewallPolicyFilterRuleCollectionArgs(
        rule_collection_type="FirewallPolicyFilterRuleCollection",
        name=name,
        priority=CollectionPriority.ORGANISATION.value,
        action=network.FirewallPolicyFilterRuleCollectionActionArgs(type="Allow"),
        rules=list(rules),
    )
