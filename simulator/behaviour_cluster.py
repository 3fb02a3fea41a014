"""What AKS and Application Gateway refuse because of identities, roles, subnets and certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from simulator.azure_errors import AzureRequest, Rule, bad_request, conflict
from simulator.behaviour_access import (
    CONTRIBUTOR,
    KEY_VAULT_ADMINISTRATOR,
    KEY_VAULT_SECRETS_OFFICER,
    KEY_VAULT_SECRETS_USER,
    MANAGED_IDENTITY_OPERATOR,
    NETWORK_CONTRIBUTOR,
    OWNER,
    holds_role,
)
from simulator.behaviour_network import check_gateway_subnet, default_route, subnet_properties
from simulator.cloud_store import StoredResource
from simulator.resource_ids import name_of

_SECRET_URI: Final = re.compile(r"https://([^./]+)\.vault\.[^/]+/secrets/([^/]+)", re.IGNORECASE)


def _identities(request: AzureRequest) -> Iterator[StoredResource]:
    for identity_id in (request.inputs.get("identity") or {}).get("userAssignedIdentities") or []:
        stored = request.store.get(identity_id)
        if stored:
            yield stored


def _cluster_shape(request: AzureRequest) -> None:
    if not request.inputs.get("dnsPrefix") and not request.inputs.get("fqdnSubdomain"):
        raise bad_request("InvalidParameter", "The value of parameter dnsPrefix is invalid: it must not be empty.")
    pools = request.inputs.get("agentPoolProfiles") or []
    if not any(pool.get("mode") == "System" for pool in pools):
        raise bad_request(
            "MustDefineAtLeastOneSystemPool", "A cluster needs at least one node pool with the mode System."
        )
    for pool in pools:
        _pool_name(str(pool.get("name")))
    access = request.inputs.get("apiServerAccessProfile") or {}
    if access.get("enablePrivateCluster") and access.get("authorizedIPRanges"):
        raise bad_request("InvalidParameter", "authorizedIPRanges cannot be used with a private cluster.")
    if request.previous:
        before = {str(p.get("name")) for p in request.previous.inputs.get("agentPoolProfiles") or []}
        after = {str(pool.get("name")) for pool in pools}
        if after - before:
            raise bad_request(
                "InvalidParameter",
                f"A new agent pool was introduced: {sorted(after - before)}. Adding "
                "agent pools to an existing cluster is not "
                "allowed through managed cluster operations.",
            )


def _cluster_routes(request: AzureRequest) -> None:
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
    kubelet = ((request.inputs.get("identityProfile") or {}).get("kubeletidentity") or {}).get("resourceId")
    access = request.inputs.get("apiServerAccessProfile") or {}
    for identity in _identities(request):
        principal = str(identity.outputs.get("principalId"))
        if kubelet and not holds_role(
            request.store, principal, (MANAGED_IDENTITY_OPERATOR, CONTRIBUTOR, OWNER), kubelet
        ):
            raise bad_request(
                "CustomKubeletIdentityMissingPermissionError",
                f"The cluster identity {identity.id} lacks the role Managed Identity "
                f"Operator on the kubelet identity {kubelet}.",
            )
        subnet = access.get("subnetId")
        roles = (NETWORK_CONTRIBUTOR, CONTRIBUTOR, OWNER)
        if access.get("enableVnetIntegration") and subnet and not holds_role(request.store, principal, roles, subnet):
            raise bad_request(
                "MissingNetworkPermissions",
                f"The cluster identity {identity.id} lacks the role Network Contributor "
                f"on the API server's subnet {subnet}.",
            )
        if access.get("enableVnetIntegration") and subnet:
            _delegated(request, subnet)


def _delegated(request: AzureRequest, subnet: str) -> None:
    delegations = subnet_properties(request.store, subnet).get("delegations") or []
    if not any(d.get("serviceName") == "Microsoft.ContainerService/managedClusters" for d in delegations):
        raise bad_request(
            "SubnetNotDelegated", f"Subnet {subnet} must be delegated to Microsoft.ContainerService/managedClusters."
        )


def _pool(request: AzureRequest) -> None:
    _pool_name(request.name)
    if request.inputs.get("enableAutoScaling") and (request.inputs.get("minCount") or 0) > (
        request.inputs.get("maxCount") or 0
    ):
        raise bad_request("InvalidParameter", "minCount must not be greater than maxCount.")


def _pool_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
        raise bad_request(
            "InvalidParameter",
            f"The agent pool name '{name}' must be 1-12 lower-case letters and digits, a letter first.",
        )


def _last_system_pool(request: AzureRequest) -> None:
    if request.inputs.get("mode") == "System":
        cluster = request.store.get(request.id.rsplit("/agentPools/", 1)[0])
        if cluster and not any(p.get("mode") == "System" for p in cluster.inputs.get("agentPoolProfiles") or []):
            raise conflict("OperationNotAllowed", "There must be at least one system pool.")


def _gateway_subnet(request: AzureRequest) -> None:
    for configuration in request.inputs.get("gatewayIPConfigurations") or []:
        subnet = str((configuration.get("subnet") or {}).get("id", ""))
        if subnet:
            check_gateway_subnet(request.store, subnet_properties(request.store, subnet), name_of(subnet))


def _gateway_certificates(request: AzureRequest) -> None:
    for certificate in request.inputs.get("sslCertificates") or []:
        match = _SECRET_URI.match(str(certificate.get("keyVaultSecretId") or ""))
        if match:
            _gateway_certificate(request, *match.groups())


def _gateway_certificate(request: AzureRequest, vault_name: str, secret_name: str) -> None:
    """Refuse a certificate that the gateway's instances could not fetch from the vault.

    They need the secret, the role for their identity and, when the vault is closed, its private endpoint and a
    zone that is
    linked to the gateway's own network (Application Gateway support text; azure-docs#33157 shows a working set-up).
    """
    vaults = request.store.of_type("Microsoft.KeyVault/vaults")
    vault = next((item for item in vaults if name_of(item.id).lower() == vault_name.lower()), None)
    secret = f"{vault.id}/secrets/{secret_name}" if vault else ""
    reason = None
    roles = (KEY_VAULT_SECRETS_USER, KEY_VAULT_SECRETS_OFFICER, KEY_VAULT_ADMINISTRATOR)
    if vault is None or not request.store.exists(secret):
        reason = f"secret '{secret_name}' does not exist in vault '{vault_name}'"
    elif not any(
        holds_role(request.store, str(i.outputs.get("principalId")), roles, secret) for i in _identities(request)
    ):
        reason = f"no identity of the gateway has the role Key Vault Secrets User on {secret}"
    elif (vault.inputs.get("properties") or {}).get("publicNetworkAccess") == "Disabled":
        reason = _unreachable(request, vault)
    if reason:
        raise bad_request(
            "ApplicationGatewayKeyVaultSecretException",
            f"Problem occurred while accessing and validating KeyVault secrets: {reason}.",
        )


def _unreachable(request: AzureRequest, vault: StoredResource) -> str | None:
    endpoints = [
        item for item in request.store.referring_to(vault.id) if item.arm_type == "microsoft.network/privateendpoints"
    ]
    if not endpoints:
        return f"vault {name_of(vault.id)} is closed to the public and has no private endpoint"
    zones = [
        str(configuration.get("privateDnsZoneId"))
        for endpoint in endpoints
        for group in request.store.below(endpoint.id)
        for configuration in group.inputs.get("privateDnsZoneConfigs") or []
    ]
    subnets = [str((c.get("subnet") or {}).get("id", "")) for c in request.inputs.get("gatewayIPConfigurations") or []]
    networks = {subnet.lower().split("/subnets/")[0] for subnet in subnets}
    for zone in zones:
        for link in request.store.below(zone):
            if str((link.inputs.get("virtualNetwork") or {}).get("id", "")).lower() in networks:
                return None
    return f"no private zone of vault {name_of(vault.id)} is linked to the gateway's network"


CLUSTER_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "containerservice:AgentPool": (_pool,),
    "containerservice:ManagedCluster": (_cluster_shape, _cluster_routes, _cluster_roles),
    "network:ApplicationGateway": (_gateway_subnet, _gateway_certificates),
}
"""Rules before a write, by ``module:Class``."""

CLUSTER_DELETIONS: Final[Mapping[str, tuple[Rule, ...]]] = {"containerservice:AgentPool": (_last_system_pool,)}
"""Rules before a deletion, by ``module:Class``."""
