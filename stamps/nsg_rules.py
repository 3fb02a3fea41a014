"""The rules of every network security group of the spoke, as data, and the words they are made of.

Every group ends its inbound rules with an explicit deny, so each way in is listed here. Priorities: 100 to 999 allow,
4000 deny (Azure takes 100 to 4096).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Literal

from pulumi_azure_native import network

from stamps.address_plan import AddressPlan

Direction = Literal["Inbound", "Outbound"]


class Priority(IntEnum):
    """The band's ends; allow rules count up from FIRST in steps of ten."""

    FIRST = 100
    DENY_REMOTE_SHELLS = 1000
    DENY_ALL = 4000


def allow(
    name: str,
    priority: int,
    description: str,
    *,
    source: str | Sequence[str] = "*",
    destination: str | Sequence[str] = "*",
    ports: Sequence[str] = ("*",),
    protocol: Literal["Tcp", "Udp", "*"] = "Tcp",
    direction: Direction = "Inbound",
) -> network.SecurityRuleArgsDict:
    """Return an allow rule; `source` and `destination` are one service tag or prefix, or several prefixes."""
    return _rule(name, priority, description, "Allow", direction, protocol, source, destination, ports)


def _rule(
    name: str,
    priority: int,
    description: str,
    access: Literal["Allow", "Deny"],
    direction: Direction,
    protocol: str,
    source: str | Sequence[str],
    destination: str | Sequence[str],
    ports: Sequence[str],
) -> network.SecurityRuleArgsDict:
    rule: network.SecurityRuleArgsDict = {
        "name": name,
        "description": description,
        "priority": priority,
        "direction": direction,
        "access": access,
        "protocol": protocol,
        "source_port_range": "*",
    }
    # ARM has two properties for each of these: the singular one takes tags and "*", the plural one prefixes only.
    if isinstance(source, str):
        rule["source_address_prefix"] = source
    else:
        rule["source_address_prefixes"] = list(source)
    if isinstance(destination, str):
        rule["destination_address_prefix"] = destination
    else:
        rule["destination_address_prefixes"] = list(destination)
    if len(ports) == 1:
        rule["destination_port_range"] = ports[0]
    else:
        rule["destination_port_ranges"] = list(ports)
    return rule


DENY_ALL_INBOUND = _rule(
    "DenyAllInbound", Priority.DENY_ALL, "what is not listed is closed", "Deny", "Inbound", "*", "*", "*", ["*"]
)
DENY_ALL_OUTBOUND = _rule(
    "DenyAllOutbound", Priority.DENY_ALL, "what is not listed is closed", "Deny", "Outbound", "*", "*", "*", ["*"]
)
_DENY_REMOTE_SHELLS = _rule(
    "DenyRemoteShellsOutbound",
    Priority.DENY_REMOTE_SHELLS,
    "nobody hops from here to another machine",
    "Deny",
    "Outbound",
    "Tcp",
    "*",
    "VirtualNetwork",
    ["22", "3389"],
)
_HEALTH_PROBES = "Azure's health probes"


def nodes_rules(plan: AddressPlan, api_server: str) -> list[network.SecurityRuleArgsDict]:
    """Return the rules of the nodes subnet.

    Overlay traffic between pods of two nodes is not encapsulated: the group sees addresses of the pod network, which no
    service tag covers, so the deny needs allow rules by prefix before it.
    Source: https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay#network-security-groups
    """
    cluster = [str(plan.nodes), str(plan.pods)]
    rules = [
        allow(
            "AllowClusterInbound",
            100,
            "nodes and pods among each other, all ports",
            source=cluster,
            destination=cluster,
            protocol="*",
        ),
        allow(
            "AllowGatewayInbound",
            110,
            "the ingress load balancer keeps the gateway's address and the port of its listener",
            source=str(plan.gateway),
            ports=["443"],
        ),
        allow("AllowHealthProbesInbound", 120, _HEALTH_PROBES, source="AzureLoadBalancer", protocol="*"),
    ]
    if api_server == "vnetIntegration":
        rules.append(
            allow(
                "AllowApiServerInbound",
                130,
                "the API server calls kubelets and webhooks straight from its subnet",
                source=str(plan.api_server),
                destination=cluster,
            )
        )
    return [*rules, DENY_ALL_INBOUND, _DENY_REMOTE_SHELLS]


def ingress_rules(plan: AddressPlan) -> list[network.SecurityRuleArgsDict]:
    """Return the rules of the subnet that holds the ingress load balancer's address and nothing else."""
    return [
        allow(
            "AllowGatewayInbound",
            100,
            "only the gateway reaches the ingress",
            source=str(plan.gateway),
            destination=str(plan.ingress),
            ports=["443"],
        ),
        allow("AllowHealthProbesInbound", 110, _HEALTH_PROBES, source="AzureLoadBalancer", protocol="*"),
        DENY_ALL_INBOUND,
        _DENY_REMOTE_SHELLS,
    ]


def gateway_rules(plan: AddressPlan) -> list[network.SecurityRuleArgsDict]:
    """Return the rules of the Application Gateway's subnet. Azure refuses a gateway without the second and the third,
    and one that cannot reach the Internet stops being managed.

    Source: https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure#network-security-groups
    """
    return [
        allow(
            "AllowFrontDoorInbound",
            100,
            "only Front Door may enter; which profile, the gateway's WAF checks",
            source="AzureFrontDoor.Backend",
            destination=str(plan.gateway),
            ports=["443"],
        ),
        allow(
            "AllowControlPlaneInbound",
            110,
            "the gateway's control plane",
            source="GatewayManager",
            ports=["65200-65535"],
        ),
        allow("AllowHealthProbesInbound", 120, _HEALTH_PROBES, source="AzureLoadBalancer", protocol="*"),
        DENY_ALL_INBOUND,
        allow(
            "AllowAllOutbound",
            100,
            "backends, vault, and the gateway's own management",
            protocol="*",
            direction="Outbound",
        ),
    ]


def private_endpoints_rules(plan: AddressPlan) -> list[network.SecurityRuleArgsDict]:
    """Return the rules of the private endpoints' subnet: nodes (pods leave with their node's address) and gateway."""
    return [
        allow(
            "AllowClientsInbound",
            100,
            "nodes pull images and secrets, the gateway its certificate",
            source=[str(plan.nodes), str(plan.gateway)],
            destination=str(plan.private_endpoints),
            ports=["443"],
        ),
        DENY_ALL_INBOUND,
        _DENY_REMOTE_SHELLS,
    ]


def api_server_rules(plan: AddressPlan) -> list[network.SecurityRuleArgsDict]:
    """Return the rules of the API server's subnet.

    Source: https://learn.microsoft.com/azure/aks/api-server-vnet-integration#nsg-security-rules
    """
    subnet = str(plan.api_server)
    return [
        allow(
            "AllowClusterInbound",
            100,
            "nodes and pods call the API server",
            source=[str(plan.nodes), str(plan.pods)],
            destination=subnet,
            ports=["443", "4443"],
        ),
        allow(
            "AllowHubInbound",
            110,
            "administrators and runners come through the hub",
            source=str(plan.hub),
            destination=subnet,
            ports=["443"],
        ),
        # The documentation names TCP 9988 and allows to open all: its own tables disagree on the protocol.
        allow(
            "AllowHealthProbesInbound",
            120,
            _HEALTH_PROBES,
            source="AzureLoadBalancer",
            destination=subnet,
            protocol="*",
        ),
        allow(
            "AllowReplicasInbound",
            130,
            "replicas of the API server among each other",
            source=subnet,
            destination=subnet,
            protocol="*",
        ),
        DENY_ALL_INBOUND,
    ]
