"""Arguments that the tests of vault, gateway and origin share: one stamp `eastus2` of one fleet."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from foundation.naming import Naming
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, TENANT_ID

NAMING = Naming(subscription_id=SUBSCRIPTION_ID, workload="bu0001a0042", scope="eastus2")
GROUP = "rg-bu0001a0042-eastus2-cluster"
TAGS = {"owner": "team-a"}
GATEWAY_PFX = "Z2F0ZXdheQ=="
INGRESS_PFX = "aW5ncmVzcw=="
both_modes = pytest.mark.parametrize("preview", [False, True], ids=["deployment", "preview"])


def network_id(kind: str, name: str) -> str:
    """Return the id of a network resource of the spoke."""
    group = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-bu0001a0042-eastus2-spoke"
    return f"{group}/providers/Microsoft.Network/{kind}/{name}"


SPOKE = network_id("virtualNetworks", "vnet-spoke")
HUB = network_id("virtualNetworks", "vnet-hub")
WORKSPACE = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"


def place() -> dict[str, Any]:
    """Return what most components take."""
    return {"naming": NAMING, "location": "eastus2", "resource_group_name": GROUP, "tags": TAGS}


def vault(**changes: object) -> dict[str, Any]:
    """Return the arguments of a vault."""
    return {
        **place(),
        "tenant_id": TENANT_ID,
        "subnet_id": f"{SPOKE}/subnets/snet-private-endpoints",
        "virtual_network_ids": {"spoke": SPOKE},
        "gateway_certificate": pulumi.Output.secret(GATEWAY_PFX),
        "ingress_certificate": INGRESS_PFX,
        "gateway_principal_id": "11111111-aaaa-bbbb-cccc-dddddddddddd",
        "ingress_principal_id": "22222222-aaaa-bbbb-cccc-dddddddddddd",
        "workspace_id": WORKSPACE,
        **changes,
    }


def gateway(**changes: object) -> dict[str, Any]:
    """Return the arguments of a gateway."""
    return {
        **place(),
        "zones": ("1", "2", "3"),
        "min_capacity": 2,
        "max_capacity": 10,
        "host_name": "eastus2.edge.contoso.com",
        "ingress_host_name": "bu0001a0042.aks-ingress.contoso.com",
        "subnet_id": f"{SPOKE}/subnets/snet-gateway",
        "public_ip_id": network_id("publicIPAddresses", "pip-gateway"),
        "identity_id": f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg/providers/Microsoft.ManagedIdentity/"
        "userAssignedIdentities/id-gateway",
        "firewall_policy_id": network_id("applicationGatewayWebApplicationFirewallPolicies", "waf"),
        "certificate_secret_id": "https://kv-eastus2-12345678.vault.azure.net/secrets/gateway-certificate",
        "trusted_root_certificate": pulumi.Output.secret("cm9vdA=="),
        "workspace_id": WORKSPACE,
        **changes,
    }


def waf(**changes: object) -> dict[str, Any]:
    """Return the arguments of a gateway's firewall policy."""
    return {
        **place(),
        "front_door_id": "77777777-ABCD-1111-2222-333333333333",
        "probe_path": "/healthz/region",
        **changes,
    }
