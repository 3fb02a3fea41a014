"""What Azure computes for network resources: addresses, host names, references to oneself.

Data structures come in as the SDK declares them; see ``computed_outputs`` for what holds for every type.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from simulator.cloud_store import CloudStore
from simulator.computed_database import host_names
from simulator.computed_outputs import OutputContext, label_hash, new_guid
from simulator.protocol_values import Properties, Secret, Value
from simulator.resource_ids import name_of

_PUBLIC_RANGES: Final = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "198.18.0.0/15")
"""Addresses reserved for documentation and tests (RFC 5737, RFC 2544): nobody on the internet has them."""
_RESERVED_FIRST: Final = 4
"""Azure keeps the first four addresses of each subnet; the first usable one follows."""


def subnet_prefix(store: CloudStore, subnet_id: str) -> str | None:
    """Return the address prefix of a subnet, inline or separate."""
    separate = store.get(subnet_id)
    if separate:
        return _prefix(separate.inputs)
    owner = store.owner_of(subnet_id)
    for subnet in (owner.inputs.get("subnets") or []) if owner else []:
        if str(subnet.get("name")).lower() == name_of(subnet_id).lower():
            return _prefix(subnet)
    return None


def first_usable_address(prefix: str) -> str:
    """Return the first address that Azure gives out in a subnet: the fifth."""
    return str(ipaddress.ip_network(prefix)[_RESERVED_FIRST])


def _prefix(subnet: Mapping[str, Any]) -> str | None:
    several = subnet.get("addressPrefixes") or [None]
    prefix: str | None = subnet.get("addressPrefix") or several[0]
    return prefix


def _public_ip(context: OutputContext) -> None:
    addresses = "SELECT json_extract(outputs, '$.ipAddress') FROM resources WHERE arm_type = ?"
    rows = context.store.connection.execute(addresses, ("microsoft.network/publicipaddresses",))
    used = {row[0] for row in rows}
    context.keep("ipAddress", lambda: next(item for item in _public_addresses() if item not in used))
    settings = context.outputs.get("dnsSettings")
    if isinstance(settings, dict) and settings.get("domainNameLabel"):
        region = str(context.outputs.get("location", "")).replace(" ", "").lower()
        settings["fqdn"] = f"{settings['domainNameLabel']}.{region}.cloudapp.azure.com"


def _public_addresses() -> Iterator[str]:
    for text in _PUBLIC_RANGES:
        yield from (str(address) for address in ipaddress.ip_network(text).hosts())


def _firewall(context: OutputContext) -> None:
    # A firewall takes the first usable address of its subnet; the program may compute the same.
    for configuration in context.outputs.get("ipConfigurations") or []:
        prefix = subnet_prefix(context.store, (configuration.get("subnet") or {}).get("id", ""))
        if prefix:
            configuration["privateIPAddress"] = first_usable_address(prefix)


def _application_gateway(context: OutputContext) -> None:
    # azure-native accepts "$self/frontendPorts/x" for references within the gateway and expands them.
    context.outputs.update(expand_self(context.outputs, context.id))
    context.outputs["operationalState"] = "Running"


def expand_self(value: Value, owner_id: str) -> Value:
    """Return a value with ``$self/...`` references written as full ids."""
    if isinstance(value, Secret):
        return Secret(expand_self(value.value, owner_id))
    if isinstance(value, str) and value.startswith("$self/"):
        return f"{owner_id}/{value.removeprefix('$self/')}"
    if isinstance(value, dict):
        return {key: expand_self(item, owner_id) for key, item in value.items()}
    if isinstance(value, list):
        return [expand_self(item, owner_id) for item in value]
    return value


def _private_endpoint(context: OutputContext) -> None:
    subnet_id = str((context.inputs.get("subnet") or {}).get("id", ""))
    interface = context.inputs.get("customNetworkInterfaceName") or f"{context.name}.nic.{label_hash(context.id)}"
    group = context.id.split("/providers/")[0]
    context.outputs["networkInterfaces"] = [
        {"id": f"{group}/providers/Microsoft.Network/networkInterfaces/{interface}"}
    ]
    prefix = subnet_prefix(context.store, subnet_id)
    if prefix:
        # What the service has got or lost since shows with the endpoint's next write.
        kept = {str(entry["fqdn"]): entry for entry in context.previous.get("customDnsConfigs") or []}
        addresses: list[Properties] = []
        for fqdn in _linked_names(context):
            given = [address for entry in addresses for address in entry["ipAddresses"]]
            free = kept.get(fqdn) or {
                "fqdn": fqdn,
                "ipAddresses": [_next_endpoint_address(context, subnet_id, prefix, given)],
            }
            addresses.append(free)
        context.outputs["customDnsConfigs"] = addresses
    for name in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
        for connection in context.outputs.get(name) or []:
            state = "Approved" if name == "privateLinkServiceConnections" else "Pending"
            connection["privateLinkServiceConnectionState"] = {
                "status": state,
                "description": "",
                "actionsRequired": "None",
            }


def _linked_names(context: OutputContext) -> list[str]:
    suffixes = {
        "microsoft.keyvault/vaults": "vault.azure.net",
        "microsoft.containerregistry/registries": "azurecr.io",
        "microsoft.storage/storageaccounts": "blob.core.windows.net",
    }
    names: list[str] = []
    for connection in context.inputs.get("privateLinkServiceConnections") or []:
        target = str(connection.get("privateLinkServiceId", ""))
        if "/microsoft.documentdb/databaseaccounts/" in target.lower():
            account = context.store.get(target)
            names += host_names(name_of(target), (account.inputs.get("locations") or []) if account else [])
            continue
        suffix = next((text for kind, text in suffixes.items() if kind in target.lower()), "azure.net")
        names.append(f"{name_of(target).lower()}.{suffix}")
    return names


def _next_endpoint_address(context: OutputContext, subnet_id: str, prefix: str, given: list[str]) -> str:
    used = set(given) | {
        address
        for item in context.store.of_type("Microsoft.Network/privateEndpoints", naming=subnet_id)
        if str((item.inputs.get("subnet") or {}).get("id", "")).lower() == subnet_id.lower()
        for entry in item.outputs.get("customDnsConfigs") or []
        for address in entry.get("ipAddresses") or []
    }
    network = ipaddress.ip_network(prefix)
    return next(str(network[i]) for i in range(_RESERVED_FIRST, network.num_addresses) if str(network[i]) not in used)


def _peering(context: OutputContext) -> None:
    remote = str((context.inputs.get("remoteVirtualNetwork") or {}).get("id", "")).lower()
    local = context.id.rsplit("/virtualNetworkPeerings/", 1)[0].lower()
    context.keep("resourceGuid", new_guid)
    context.outputs["peeringState"] = "Initiated"
    context.outputs["peeringSyncLevel"] = "FullyInSync"
    for other in context.store.below(remote):
        points_back = str((other.inputs.get("remoteVirtualNetwork") or {}).get("id", "")).lower() == local
        if other.arm_type.endswith("/virtualnetworkpeerings") and points_back:
            context.outputs["peeringState"] = "Connected"
            context.store.update_outputs(other.id, {**other.outputs, "peeringState": "Connected"})


def _private_zone(context: OutputContext) -> None:
    context.outputs["numberOfRecordSets"] = 1
    context.keep("internalId", lambda: label_hash(context.id))


def _zone(context: OutputContext) -> None:
    number = int(label_hash(context.id), 16) % 10
    context.outputs["nameServers"] = [
        f"ns{i}-0{number}.azure-dns.{tld}." for i, tld in enumerate(("com", "net", "org"), 1)
    ]
    context.outputs["numberOfRecordSets"] = 2


def _record_set(context: OutputContext) -> None:
    zone = context.inputs.get("privateZoneName") or context.inputs.get("zoneName")
    name = context.inputs.get("relativeRecordSetName")
    context.outputs["fqdn"] = f"{zone}." if name == "@" else f"{name}.{zone}."
    if isinstance(context.inputs.get("ttl"), (int, float)):
        context.outputs["ttl"] = context.inputs["ttl"]


def _zone_link(context: OutputContext) -> None:
    context.outputs["virtualNetworkLinkState"] = "Completed"


def _bastion(context: OutputContext) -> None:
    context.keep("dnsName", lambda: f"bst-{new_guid()}.bastion.azure.com")


def _flow_log(context: OutputContext) -> None:
    context.keep("targetResourceGuid", new_guid)


def _zone_group(context: OutputContext) -> None:
    endpoint = context.store.get(context.id.rsplit("/privateDnsZoneGroups/", 1)[0])
    records: list[Properties] = (endpoint.outputs.get("customDnsConfigs") or []) if endpoint else []
    for configuration in context.outputs.get("privateDnsZoneConfigs") or []:
        zone = name_of(str(configuration.get("privateDnsZoneId", "")))
        configuration["recordSets"] = [
            {
                "recordSetName": str(record["fqdn"]).split(".")[0],
                "recordType": "A",
                "ttl": 10,
                "fqdn": f"{str(record['fqdn']).split('.')[0]}.{zone}",
                "ipAddresses": record["ipAddresses"],
                "provisioningState": "Succeeded",
            }
            for record in records
        ]


NETWORK_OUTPUTS: Final[Mapping[str, Callable[[OutputContext], None]]] = {
    "dns:RecordSet": _record_set,
    "dns:Zone": _zone,
    "network:ApplicationGateway": _application_gateway,
    "network:AzureFirewall": _firewall,
    "network:BastionHost": _bastion,
    "network:FlowLog": _flow_log,
    "network:PrivateDnsZoneGroup": _zone_group,
    "network:PrivateEndpoint": _private_endpoint,
    "network:PublicIPAddress": _public_ip,
    "network:VirtualNetworkPeering": _peering,
    "privatedns:PrivateRecordSet": _record_set,
    "privatedns:PrivateZone": _private_zone,
    "privatedns:VirtualNetworkLink": _zone_link,
}
"""What single types compute, by ``module:Class``."""
