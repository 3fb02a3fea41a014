"""What makes the creation of an AKS cluster fail in the network: nodes that get no way out or no way to the API server.

AKS runs a script on each new node; its exit status tells what the node could not reach: 50 the hosts outside, 51 the
API server, 52 the API server's name (support articles "OutboundConnFailVMExtensionError" and its neighbours, AKS#1918).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from simulator.azure_errors import AzureError, AzureRequest, Rule, bad_request
from simulator.behaviour.egress import Call, refusal
from simulator.behaviour.names import asking_network, linked_zones
from simulator.behaviour.subnets import (
    Flow,
    group_of_subnet,
    network_of,
    subnet_properties,
    subnet_users,
    verdict,
)
from simulator.computed_network import subnet_prefix
from simulator.resource_ids import name_of

_DELEGATION: Final = "Microsoft.ContainerService/managedClusters"
_SMALLEST: Final = 28
_WITHOUT_INTEGRATION: Final = frozenset({"qatarcentral"})
"""Public regions without API Server VNet Integration as of March 2026 (Azure-Samples/aks-labs PR 131)."""
_NEEDED: Final = (
    "mcr.microsoft.com", "management.azure.com", "login.microsoftonline.com", "packages.aks.azure.com",
)  # fmt: skip
"""What every node calls while it starts (https://learn.microsoft.com/azure/aks/outbound-rules-control-egress)."""
_STATUS: Final = {
    50: "Unable to establish outbound connection from agents, please see "
    "https://aka.ms/aks-required-ports-and-addresses for more information.",
    51: "Unable to establish connection from agents to Kubernetes API server, please see "
    "https://aka.ms/aks-required-ports-and-addresses for more information.",
    52: "Agents are unable to resolve Kubernetes API server name. It's likely custom DNS server is not correctly "
    "configured, please see https://aka.ms/aks/private-cluster#hub-and-spoke-with-custom-dns for more information.",
}


def node_subnets(inputs: Mapping[str, Any]) -> list[str]:
    """Return the subnets of a cluster's inline pools, each once."""
    found = [str(pool.get("vnetSubnetID") or "") for pool in inputs.get("agentPoolProfiles") or []]
    return list(dict.fromkeys(subnet for subnet in found if subnet))


def region_of(location: object) -> str:
    """Return a region as host names spell it."""
    return str(location or "").replace(" ", "").lower()


def _node_failure(status: int, reason: str) -> AzureError:
    return AzureError(
        400,
        "VMExtensionProvisioningError",
        f"{_STATUS[status]} Details: VM has reported a failure when processing extension 'vmssCSE'. Error message: "
        f"Enable failed: failed to execute command: command terminated with exit status={status}. {reason}",
    )


def _api_server_subnet(request: AzureRequest) -> None:
    access = request.inputs.get("apiServerAccessProfile") or {}
    subnet = str(access.get("subnetId") or "")
    region = region_of(request.outputs.get("location"))
    if not access.get("enableVnetIntegration"):
        return
    if region in _WITHOUT_INTEGRATION:
        raise bad_request("BadRequest", f"API Server VNet Integration is not available in the region {region}.")
    if not subnet:
        return
    delegations = subnet_properties(request.store, subnet).get("delegations") or []
    if not any(item.get("serviceName") == _DELEGATION for item in delegations):
        raise bad_request("SubnetNotDelegated", f"Subnet {subnet} must be delegated to {_DELEGATION}.")
    prefix = subnet_prefix(request.store, subnet)
    if prefix and ipaddress.ip_network(prefix).prefixlen > _SMALLEST:
        raise bad_request("ApiserverSubnetConfigError", f"Subnet {subnet} {prefix} must be /{_SMALLEST} or larger.")
    others = [item.id for item in subnet_users(request.store, subnet) if "/managedclusters" not in item.arm_type]
    others += [item for item in node_subnets(request.inputs) if item.lower() == subnet.lower()]
    if others:
        raise bad_request(
            "ApiserverSubnetConfigError", f"Subnet {subnet} must hold nothing but the API server; {others[0]} uses it."
        )


def _api_server_ports(request: AzureRequest) -> None:
    """Fail the nodes when a security group keeps them, or Azure's probes, from the API server's subnet.

    443 and 4443 from the nodes, 9988 from the load balancer
    (https://learn.microsoft.com/azure/aks/api-server-vnet-integration#nsg-security-rules).
    """
    access = request.inputs.get("apiServerAccessProfile") or {}
    subnet = str(access.get("subnetId") or "")
    to = subnet_prefix(request.store, subnet) if access.get("enableVnetIntegration") else None
    if request.previous or to is None:
        return
    group = group_of_subnet(request.store, subnet_properties(request.store, subnet))
    if verdict(request.store, group, Flow("Inbound", "AzureLoadBalancer", to, 9988)) is False:
        raise _node_failure(51, f"Network security group {name_of(group.id) if group else ''} denies the probes, 9988.")
    for nodes in node_subnets(request.inputs):
        own = group_of_subnet(request.store, subnet_properties(request.store, nodes))
        source = subnet_prefix(request.store, nodes) or ""
        for port in (443, 4443):
            for judge, direction in ((group, "Inbound"), (own, "Outbound")):
                flow = Flow(direction, source, to, port, virtual_network=(source, to))
                if source and verdict(request.store, judge, flow) is False:
                    name = name_of(judge.id) if judge else ""
                    raise _node_failure(51, f"Network security group {name} denies {source} to {to} TCP {port}.")


def _way_out(request: AzureRequest) -> None:
    if request.previous:
        return
    access = request.inputs.get("apiServerAccessProfile") or {}
    public = not access.get("enablePrivateCluster") and not access.get("enableVnetIntegration")
    for subnet in node_subnets(request.inputs):
        _reaches_its_hosts(request, subnet)
        # Nodes call a public API server by its name, which an application rule can read.
        name = f"api.hcp.{region_of(request.outputs.get('location'))}.azmk8s.io"
        reason = refusal(request.store, subnet, Call(name)) if public else None
        if reason:
            raise _node_failure(51, reason)


def _pool_way_out(request: AzureRequest) -> None:
    for subnet in node_subnets({"agentPoolProfiles": [request.inputs]}) if request.previous is None else ():
        _reaches_its_hosts(request, subnet)


def _reaches_its_hosts(request: AzureRequest, subnet: str) -> None:
    for host in _NEEDED:
        reason = refusal(request.store, subnet, Call(host))
        if reason:
            raise _node_failure(50, f"{host}: {reason}.")


def _api_server_name(request: AzureRequest) -> None:
    """Fail the nodes of a private cluster whose DNS server sees no zone with the API server's name.

    AKS links its own zone to the nodes' network only, so a DNS server in the hub does not see it; nodes of a cluster
    with VNet integration use the address (https://learn.microsoft.com/azure/aks/private-clusters, hub and spoke).
    """
    access = request.inputs.get("apiServerAccessProfile") or {}
    zone = str(access.get("privateDNSZone") or "system")
    if (
        request.previous
        or not access.get("enablePrivateCluster")
        or access.get("enableVnetIntegration")
        or zone == "none"
    ):
        return
    for network in dict.fromkeys(network_of(subnet) for subnet in node_subnets(request.inputs)):
        asking = asking_network(request.store, network)
        if asking is None:
            continue
        seen = [item.lower() for item in linked_zones(request.store, asking)] if asking else []
        if asking != network and zone.lower() not in seen:
            raise _node_failure(52, f"The DNS server of {name_of(network)} does not see the zone of the API server.")


CLUSTER_NETWORK_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "containerservice:AgentPool": (_pool_way_out,),
    "containerservice:ManagedCluster": (_api_server_subnet, _api_server_ports, _api_server_name, _way_out),
}
"""Rules before a write, by ``module:Class``; they follow those of ``cluster``."""
