"""What AKS refuses because of a cluster's or pool's own settings, its route table and its identity's roles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from simulator.azure_errors import AzureError, AzureRequest, Rule, bad_request, conflict
from simulator.behaviour.access import (
    CONTRIBUTOR,
    MANAGED_IDENTITY_OPERATOR,
    NETWORK_CONTRIBUTOR,
    OWNER,
    PRIVATE_DNS_ZONE_CONTRIBUTOR,
    assigned_identities,
    holds_role,
)
from simulator.behaviour.subnets import default_route, subnet_properties


def _cluster_shape(request: AzureRequest) -> None:
    if not request.inputs.get("dnsPrefix") and not request.inputs.get("fqdnSubdomain"):
        raise bad_request("InvalidParameter", "The value of parameter dnsPrefix is invalid: it must not be empty.")
    pools = request.inputs.get("agentPoolProfiles") or []
    if not any(pool.get("mode") == "System" for pool in pools):
        raise bad_request(
            "MustDefineAtLeastOneSystemPool", "A cluster needs at least one node pool with the mode System."
        )
    for pool in pools:
        _pool_name(str(pool.get("name")), str(pool.get("osType")))
    access = request.inputs.get("apiServerAccessProfile") or {}
    if access.get("enablePrivateCluster") and access.get("authorizedIPRanges"):
        raise bad_request("InvalidParameter", "authorizedIPRanges cannot be used with a private cluster.")
    if access.get("subnetId") and not access.get("enableVnetIntegration"):  # terraform-azurerm-avm#141
        raise bad_request(
            "ApiserverSubnetConfigError",
            "apiServerAccessProfile.subnetId should be empty because apiserverVnetIntegration is not enabled.",
        )
    if request.previous:
        _integration_stays(access, request.previous.inputs.get("apiServerAccessProfile") or {})
        before = {str(p.get("name")) for p in request.previous.inputs.get("agentPoolProfiles") or []}
        after = {str(pool.get("name")) for pool in pools}
        if after - before:
            raise bad_request(
                "InvalidParameter",
                f"A new agent pool was introduced: {sorted(after - before)}. Adding "
                "agent pools to an existing cluster is not "
                "allowed through managed cluster operations.",
            )


def _integration_stays(access: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    # https://learn.microsoft.com/azure/aks/api-server-vnet-integration: it can be turned on in place, never off, and
    # the subnet is chosen once.
    if not before.get("enableVnetIntegration"):
        return
    if not access.get("enableVnetIntegration"):
        raise bad_request("BadRequest", "API Server VNet Integration cannot be disabled on an existing cluster.")
    if str(access.get("subnetId")).lower() != str(before.get("subnetId")).lower():
        raise bad_request(
            "PropertyChangeNotAllowed", "Changing property 'apiServerAccessProfile.subnetId' is not allowed."
        )


def _cluster_routes(request: AzureRequest) -> None:
    # https://learn.microsoft.com/azure/aks/egress-udr: the route comes before the cluster.
    if (request.inputs.get("networkProfile") or {}).get("outboundType") != "userDefinedRouting":
        return
    for pool in request.inputs.get("agentPoolProfiles") or []:
        subnet = str(pool.get("vnetSubnetID") or "")
        table = (subnet_properties(request.store, subnet).get("routeTable") or {}).get("id")
        if not table or not default_route(request.store, table):
            raise bad_request(
                "ExistingRouteTableNotAssociatedWithSubnet",
                f"An existing route table with a default route has not been associated with subnet {subnet}.",
            )


def _cluster_roles(request: AzureRequest) -> None:
    """Refuse a cluster whose identity lacks a role that AKS looks for before it makes anything.

    Sources: https://learn.microsoft.com/azure/aks/use-managed-identity (kubelet identity), .../aks/private-clusters
    (custom zone), .../aks/api-server-vnet-integration (subnets).
    """
    kubelet = ((request.inputs.get("identityProfile") or {}).get("kubeletidentity") or {}).get("resourceId")
    access = request.inputs.get("apiServerAccessProfile") or {}
    zone = str(access.get("privateDNSZone") or "")
    for identity in assigned_identities(request):
        principal = str(identity.outputs.get("principalId"))
        if kubelet and not holds_role(
            request.store, principal, (MANAGED_IDENTITY_OPERATOR, CONTRIBUTOR, OWNER), kubelet
        ):
            raise bad_request(
                "CustomKubeletIdentityMissingPermissionError",
                f"The cluster identity {identity.id} lacks the role Managed Identity "
                f"Operator on the kubelet identity {kubelet}.",
            )
        if zone.startswith("/") and not holds_role(
            request.store, principal, (PRIVATE_DNS_ZONE_CONTRIBUTOR, NETWORK_CONTRIBUTOR, CONTRIBUTOR, OWNER), zone
        ):
            raise AzureError(
                403,
                "CustomPrivateDNSZoneMissingPermissionError",
                f"The cluster identity {identity.id} lacks the role Private DNS Zone Contributor on {zone}.",
            )
        for subnet in _integrated_subnets(request.inputs):
            if not holds_role(request.store, principal, (NETWORK_CONTRIBUTOR, CONTRIBUTOR, OWNER), subnet):
                raise bad_request(
                    "MissingNetworkPermissions",
                    f"The cluster identity {identity.id} lacks the role Network Contributor on the subnet {subnet}.",
                )


def _integrated_subnets(inputs: Mapping[str, Any]) -> list[str]:
    """Return the subnets where VNet integration needs the cluster's identity: the API server's and the nodes'.

    Source: https://learn.microsoft.com/azure/aks/api-server-vnet-integration, "bring your own VNet".
    """
    access = inputs.get("apiServerAccessProfile") or {}
    if not access.get("enableVnetIntegration") or not access.get("subnetId"):
        return []
    nodes = [str(pool.get("vnetSubnetID") or "") for pool in inputs.get("agentPoolProfiles") or []]
    return [str(access["subnetId"]), *(subnet for subnet in nodes if subnet)]


def _pool(request: AzureRequest) -> None:
    _pool_name(request.name, str(request.inputs.get("osType")))
    if request.inputs.get("enableAutoScaling") and (request.inputs.get("minCount") or 0) > (
        request.inputs.get("maxCount") or 0
    ):
        raise bad_request("InvalidParameter", "minCount must not be greater than maxCount.")


def _pool_name(name: str, system: str) -> None:
    longest = 6 if system == "Windows" else 12
    if not re.fullmatch(r"[a-z][a-z0-9]*", name) or len(name) > longest:
        raise bad_request(
            "InvalidParameter",
            f"The agent pool name '{name}' must be 1-{longest} lower-case letters and digits, a letter first.",
        )


def _last_system_pool(request: AzureRequest) -> None:
    if request.inputs.get("mode") == "System":
        cluster = request.store.get(request.id.rsplit("/agentPools/", 1)[0])
        if cluster and not any(p.get("mode") == "System" for p in cluster.inputs.get("agentPoolProfiles") or []):
            raise conflict("OperationNotAllowed", "There must be at least one system pool.")


CLUSTER_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "containerservice:AgentPool": (_pool,),
    "containerservice:ManagedCluster": (_cluster_shape, _cluster_routes, _cluster_roles),
}
"""Rules before a write, by ``module:Class``."""

CLUSTER_DELETIONS: Final[Mapping[str, tuple[Rule, ...]]] = {"containerservice:AgentPool": (_last_system_pool,)}
"""Rules before a deletion, by ``module:Class``."""
