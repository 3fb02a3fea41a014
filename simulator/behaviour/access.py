"""What policy, diagnostic settings and the registry refuse, and who holds which role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from simulator.azure_errors import AzureError, AzureRequest, Rule, bad_request, conflict
from simulator.behaviour.built_in_roles import role_guid
from simulator.behaviour.subnets import free_addresses
from simulator.cloud_store import CloudStore, StoredResource
from simulator.immutability import same_location
from simulator.resource_ids import name_of

OWNER: Final = role_guid("Owner")
CONTRIBUTOR: Final = role_guid("Contributor")
NETWORK_CONTRIBUTOR: Final = role_guid("Network Contributor")
MANAGED_IDENTITY_OPERATOR: Final = role_guid("Managed Identity Operator")
KEY_VAULT_ADMINISTRATOR: Final = role_guid("Key Vault Administrator")
KEY_VAULT_SECRETS_OFFICER: Final = role_guid("Key Vault Secrets Officer")
KEY_VAULT_SECRETS_USER: Final = role_guid("Key Vault Secrets User")
PRIVATE_DNS_ZONE_CONTRIBUTOR: Final = role_guid("Private DNS Zone Contributor")

_DIAGNOSTIC_SETTINGS: Final = 5


def holds_role(store: CloudStore, principal: str, roles: tuple[str, ...], scope: str) -> bool:
    """Tell whether a principal has one of the roles, or a custom one, at a scope or above it."""
    for assignment in store.of_type("Microsoft.Authorization/roleAssignments", naming=principal):
        at = str(assignment.inputs.get("scope", "")).lower().rstrip("/")
        role_id = str(assignment.inputs.get("roleDefinitionId", ""))
        applies = (scope.lower() + "/").startswith(at + "/") and assignment.inputs.get("principalId") == principal
        if applies and (name_of(role_id).lower() in roles or store.get(role_id)):
            return True
    return False


def assigned_identities(request: AzureRequest) -> Iterator[StoredResource]:
    """Yield the user-assigned identities of a resource."""
    for identity_id in (request.inputs.get("identity") or {}).get("userAssignedIdentities") or []:
        stored = request.store.get(identity_id)
        if stored:
            yield stored


def _policy_assignment(request: AzureRequest) -> None:
    if request.inputs.get("identity") and not request.inputs.get("location"):
        raise bad_request("ResourceIdentityRequired", "A policy assignment with an identity needs a location.")
    if len(request.name) > 64:
        raise bad_request(
            "InvalidPolicyAssignmentName", f"The policy assignment name '{request.name}' is longer than 64 characters."
        )


def _diagnostic_setting(request: AzureRequest) -> None:
    target = request.id.lower().split("/providers/microsoft.insights/diagnosticsettings/")[0]
    siblings = [
        item
        for item in request.store.below(target)
        if item.arm_type == "microsoft.insights/diagnosticsettings"
        and item.id.lower().startswith(target + "/providers/microsoft.insights/")
        and item.id.lower() != request.id.lower()
    ]
    if len(siblings) >= _DIAGNOSTIC_SETTINGS:
        raise conflict("Conflict", f"A resource has at most {_DIAGNOSTIC_SETTINGS} diagnostic settings.")
    if not any(
        request.inputs.get(key)
        for key in ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
    ):
        raise bad_request("BadRequest", "A diagnostic setting needs at least one destination.")


def _replication(request: AzureRequest) -> None:
    registry = request.store.get(request.id.rsplit("/replications/", 1)[0])
    if registry is None:
        return
    if str((registry.inputs.get("sku") or {}).get("name")) != "Premium":
        raise bad_request("FeatureNotSupported", "Replications need the registry SKU Premium.")
    location = request.inputs.get("location")
    if same_location(registry.outputs.get("location"), location):
        raise conflict(
            "ReplicationAlreadyExists", f"{location} is the registry's home region and needs no replication."
        )
    for other in request.store.below(registry.id):
        same = other.arm_type.endswith("/replications") and same_location(other.inputs.get("location"), location)
        if same and other.id.lower() != request.id.lower():
            raise AzureError(
                409, "ReplicationAlreadyExists", f"The registry has the replication {other.id} in {location} already."
            )
    if request.previous is None:
        _room_for_replica(request, registry)


def _room_for_replica(request: AzureRequest, registry: StoredResource) -> None:
    # A new replica takes one address in the subnet of every private endpoint of the registry, in every stamp; one full
    # subnet rolls the whole replica back (azure-management-docs PR 155, container-registry-private-link).
    for endpoint in request.store.referring_to(registry.id):
        if endpoint.arm_type != "microsoft.network/privateendpoints":
            continue
        subnet = str((endpoint.inputs.get("subnet") or {}).get("id", ""))
        free = free_addresses(request.store, subnet)
        if free is not None and free < 1:
            raise conflict(
                "ReplicationProvisioningFailed",
                f"Replication {request.name} was rolled back: the subnet of a private endpoint of registry "
                f"{name_of(registry.id)} has no free IP address.",
            )


ACCESS_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "authorization:PolicyAssignment": (_policy_assignment,),
    "containerregistry:Replication": (_replication,),
    "monitor:DiagnosticSetting": (_diagnostic_setting,),
}
"""Rules before a write, by ``module:Class``."""
