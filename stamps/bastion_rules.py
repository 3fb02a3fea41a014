"""The rules that Azure Bastion demands on its subnet; Azure refuses to deploy a host beside an NSG that lacks one.

Source: https://learn.microsoft.com/azure/bastion/bastion-nsg
"""

from __future__ import annotations

from pulumi_azure_native import network

from stamps.nsg_rules import DENY_ALL_INBOUND, DENY_ALL_OUTBOUND, allow

_DATA_PLANE_PORTS = ["8080", "5701"]

BASTION_RULES: tuple[network.SecurityRuleArgsDict, ...] = (
    allow(
        "AllowWebExperienceInbound",
        100,
        "users reach Bastion over HTTPS; its owner narrows the source to the organisation's ranges",
        source="Internet",
        ports=["443"],
    ),
    allow("AllowControlPlaneInbound", 110, "Bastion's control plane", source="GatewayManager", ports=["443"]),
    allow("AllowHealthProbesInbound", 120, "Azure's health probes", source="AzureLoadBalancer", ports=["443"]),
    allow(
        "AllowHostToHostInbound",
        130,
        "the data plane between Bastion hosts",
        source="VirtualNetwork",
        destination="VirtualNetwork",
        ports=_DATA_PLANE_PORTS,
        protocol="*",
    ),
    DENY_ALL_INBOUND,
    allow(
        "AllowSshOutbound",
        100,
        "SSH sessions to machines of the networks",
        direction="Outbound",
        destination="VirtualNetwork",
        ports=["22"],
    ),
    allow(
        "AllowRdpOutbound",
        110,
        "RDP sessions to machines of the networks",
        direction="Outbound",
        destination="VirtualNetwork",
        ports=["3389"],
    ),
    allow(
        "AllowControlPlaneOutbound",
        120,
        "Bastion's control plane, which takes the global tag only",
        direction="Outbound",
        destination="AzureCloud",
        ports=["443"],
    ),
    allow(
        "AllowHostToHostOutbound",
        130,
        "the data plane between Bastion hosts",
        direction="Outbound",
        source="VirtualNetwork",
        destination="VirtualNetwork",
        ports=_DATA_PLANE_PORTS,
        protocol="*",
    ),
    allow(
        "AllowCertificateValidationOutbound",
        140,
        "session information and certificate checks",
        direction="Outbound",
        destination="Internet",
        ports=["80"],
        protocol="*",
    ),
    DENY_ALL_OUTBOUND,
)
