"""Which names a virtual network resolves: through Azure's resolver or an Azure Firewall, private zones before public.

The simulated Internet knows the names below Azure's own domains and those in the cloud's public zones, no others.
Source: https://learn.microsoft.com/azure/dns/private-dns-privatednszone, https://learn.microsoft.com/azure/firewall/dns-settings
"""

from __future__ import annotations

from typing import Final

from simulator.behaviour.subnets import connected_networks
from simulator.cloud_store import CloudStore, StoredResource
from simulator.resource_ids import name_of

_AZURES_RESOLVER: Final = "168.63.129.16"
_PUBLIC_DOMAINS: Final = (
    "azure.com", "azure.net", "windows.net", "microsoft.com", "azurewebsites.net", "azurefd.net", "azurecr.io",
    "azmk8s.io", "azurecontainerapps.io", "azure-api.net", "microsoftonline.com",
)  # fmt: skip
_ZONE_LINK: Final = "microsoft.network/privatednszones/virtualnetworklinks"
_ZONE_GROUP: Final = "microsoft.network/privateendpoints/privatednszonegroups"


def firewall_at(store: CloudStore, network_id: str, address: str) -> StoredResource | None:
    """Return the Azure Firewall with a private address in a virtual network or one that it is peered with."""
    for network in connected_networks(store, network_id):
        for item in store.referring_to(network):
            configurations = item.outputs.get("ipConfigurations") or []
            if item.arm_type == "microsoft.network/azurefirewalls" and any(
                configuration.get("privateIPAddress") == address for configuration in configurations
            ):
                return item
    return None


def asking_network(store: CloudStore, network_id: str) -> str | None:
    """Return the network whose private zones answer a virtual network; empty when nobody does, ``None`` if unknown.

    A firewall that is the DNS server resolves in its own network, so zones that only the spoke is linked to are not
    seen, and it answers only when its policy has the DNS proxy on.
    """
    stored = store.get(network_id)
    servers = ((stored.inputs.get("dhcpOptions") or {}).get("dnsServers") or []) if stored else []
    if not servers or _AZURES_RESOLVER in servers:
        return network_id.lower()
    for address in servers:
        firewall = firewall_at(store, network_id, address)
        if firewall is None:
            continue
        policy = store.get(str((firewall.inputs.get("firewallPolicy") or {}).get("id", "")))
        settings = (policy.inputs.get("dnsSettings") or {}) if policy else {}
        if not settings.get("enableProxy"):
            return ""
        if settings.get("servers"):
            return None
        first: dict[str, dict[str, str]] = next(iter(firewall.inputs.get("ipConfigurations") or [{}]))
        return str((first.get("subnet") or {}).get("id", "")).lower().split("/subnets/")[0]
    return None


def linked_zones(store: CloudStore, network_id: str) -> list[str]:
    """Return the ids of the private zones that a virtual network is linked to."""
    links = [item for item in store.referring_to(network_id) if item.arm_type == _ZONE_LINK]
    return [item.id.rsplit("/virtualNetworkLinks/", 1)[0] for item in links]


def resolves(store: CloudStore, network_id: str, host: str) -> bool | None:
    """Tell whether a name resolves in a virtual network; ``None`` when its DNS server is nothing of this cloud."""
    asking = asking_network(store, network_id)
    if asking is None:
        return None
    if not asking:
        return False
    name = host.lower().rstrip(".")
    zones = [zone for zone in linked_zones(store, asking) if _inside(name, name_of(zone))]
    if zones:
        longest = max(zones, key=lambda zone: len(name_of(zone)))
        return _has_record(store, longest, name)
    if any(_inside(name, domain) for domain in _PUBLIC_DOMAINS):
        return True
    public = [zone for zone in store.of_type("Microsoft.Network/dnsZones") if _inside(name, name_of(zone.id))]
    return any(_has_record(store, zone.id, name) for zone in public)


def _inside(name: str, zone: str) -> bool:
    return name == zone.lower() or name.endswith("." + zone.lower())


def _has_record(store: CloudStore, zone_id: str, name: str) -> bool:
    relative = name.removesuffix(name_of(zone_id).lower()).rstrip(".") or "@"
    for record in store.below(zone_id):
        kind = record.arm_type.rsplit("/", 1)[1]
        if kind in ("a", "aaaa", "cname") and name_of(record.id).lower() in (relative, "*"):
            return True
    return any(
        str(made.get("recordSetName", "")).lower() == relative
        for group in store.referring_to(zone_id)
        if group.arm_type == _ZONE_GROUP
        for configuration in group.outputs.get("privateDnsZoneConfigs") or []
        for made in configuration.get("recordSets") or []
    )
