"""What Application Gateway refuses because of its subnet, its certificate in the vault, and its backends' names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final

from simulator.azure_errors import AzureRequest, Rule, bad_request
from simulator.behaviour.access import (
    KEY_VAULT_ADMINISTRATOR,
    KEY_VAULT_SECRETS_OFFICER,
    KEY_VAULT_SECRETS_USER,
    assigned_identities,
    holds_role,
)
from simulator.behaviour.names import linked_zones, resolves
from simulator.behaviour.subnets import RESERVED_ADDRESSES, check_gateway_subnet, network_of, subnet_properties
from simulator.cloud_store import StoredResource
from simulator.computed_network import subnet_prefix
from simulator.resource_ids import name_of

_SECRET_URI: Final = re.compile(r"https://([^./]+)\.vault\.[^/]+/secrets/([^/]+)", re.IGNORECASE)


def _subnets(request: AzureRequest) -> list[str]:
    configurations = request.inputs.get("gatewayIPConfigurations") or []
    found = [str((configuration.get("subnet") or {}).get("id", "")) for configuration in configurations]
    return [subnet for subnet in found if subnet]


def _gateway_subnet(request: AzureRequest) -> None:
    scale = request.inputs.get("autoscaleConfiguration") or {}
    instances = scale.get("maxCapacity") or (request.inputs.get("sku") or {}).get("capacity") or 0
    for subnet in _subnets(request):
        check_gateway_subnet(request.store, subnet_properties(request.store, subnet), name_of(subnet))
        prefix = subnet_prefix(request.store, subnet)
        # One address an instance (infrastructure page, "Size of the subnet").
        if prefix and ipaddress.ip_network(prefix).num_addresses - RESERVED_ADDRESSES < int(instances):
            raise bad_request(
                "SubnetIsFull",
                f"Subnet {name_of(subnet)} with address prefix {prefix} does not have enough capacity for "
                f"{int(instances)} IP addresses.",
            )


def _gateway_certificates(request: AzureRequest) -> None:
    for certificate in request.inputs.get("sslCertificates") or []:
        match = _SECRET_URI.match(str(certificate.get("keyVaultSecretId") or ""))
        if match:
            _gateway_certificate(request, *match.groups())


def _gateway_certificate(request: AzureRequest, vault_name: str, secret_name: str) -> None:
    """Refuse a certificate that the gateway's instances could not fetch from the vault.

    They need the secret, the role for their identity and, when the vault is closed, its private endpoint and a
    zone that is linked to the gateway's own network (Application Gateway support text; azure-docs#33157 shows a
    working set-up). The control plane reads the vault too, as a trusted service.
    """
    vaults = request.store.of_type("Microsoft.KeyVault/vaults")
    vault = next((item for item in vaults if name_of(item.id).lower() == vault_name.lower()), None)
    secret = f"{vault.id}/secrets/{secret_name}" if vault else ""
    reason = None
    roles = (KEY_VAULT_SECRETS_USER, KEY_VAULT_SECRETS_OFFICER, KEY_VAULT_ADMINISTRATOR)
    if vault is None or not request.store.exists(secret):
        reason = f"secret '{secret_name}' does not exist in vault '{vault_name}'"
    elif not any(
        holds_role(request.store, str(i.outputs.get("principalId")), roles, secret)
        for i in assigned_identities(request)
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
    acls = (vault.inputs.get("properties") or {}).get("networkAcls") or {}
    if acls.get("bypass", "AzureServices") != "AzureServices":
        return f"vault {name_of(vault.id)} is closed to trusted services"
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
    # Custom DNS servers do not matter: a gateway asks Azure's resolver for the names of Azure services, so the zone is
    # linked to its own network (azure-docs#125889).
    for subnet in _subnets(request):
        if {zone.lower() for zone in zones} & {
            zone.lower() for zone in linked_zones(request.store, network_of(subnet))
        }:
            return None
    return f"no private zone of vault {name_of(vault.id)} is linked to the gateway's network"


def _backend_names(request: AzureRequest) -> None:
    """Refuse a backend by a name that the gateway's network does not resolve.

    The gateway looks its backends up when it is configured; Azure itself tells it as the health of the backend
    ("could not create a probe for this backend", backend health page) and every request gets 502. Here it fails at
    once, so that a missing zone, record or link is seen before the first request.
    """
    pools = request.inputs.get("backendAddressPools") or []
    names = [str(item["fqdn"]) for pool in pools for item in pool.get("backendAddresses") or [] if item.get("fqdn")]
    for subnet in _subnets(request):
        for name in names:
            if resolves(request.store, network_of(subnet), name) is False:
                raise bad_request(
                    "ApplicationGatewayBackendAddressNotResolved",
                    f"Application Gateway could not create a probe for backend '{name}': no private zone that is "
                    f"linked to the network of subnet '{name_of(subnet)}', and no public one, has a record for it.",
                )


def _backend_settings(request: AzureRequest) -> None:
    # https://learn.microsoft.com/azure/application-gateway/configuration-http-settings: one of the two.
    for settings in request.inputs.get("backendHttpSettingsCollection") or []:
        if settings.get("hostName") and settings.get("pickHostNameFromBackendAddress"):
            raise bad_request(
                "ApplicationGatewayBackendHttpSettingsHostNameFieldConflict",
                "HostName may only be specified if PickHostNameFromBackendAddress is set to false in context "
                f"'{settings.get('name')}'.",
            )


GATEWAY_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "network:ApplicationGateway": (_gateway_subnet, _gateway_certificates, _backend_settings, _backend_names),
}
"""Rules before a write, by ``module:Class``."""
