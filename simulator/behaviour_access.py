"""What role-based access, policy, monitoring and the registry refuse, and who holds which role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.azure_errors import AzureError, AzureRequest, Rule, bad_request, conflict
from simulator.cloud_store import CloudStore
from simulator.immutability import same_location
from simulator.resource_ids import is_guid, name_of

OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR: Final = "b24988ac-6180-42a0-ab88-20f7382dd24c"
NETWORK_CONTRIBUTOR: Final = "4d97b98b-1d4f-4787-a291-c67834d212e7"
MANAGED_IDENTITY_OPERATOR: Final = "f1a07417-d97a-45cb-824c-7a7467783830"
KEY_VAULT_ADMINISTRATOR: Final = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
KEY_VAULT_SECRETS_OFFICER: Final = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
KEY_VAULT_SECRETS_USER: Final = "4633458b-17de-408a-b874-0445c86b69e6"
"""Built-in roles by GUID, the same in every tenant (Azure built-in roles page)."""

_FEDERATED_CREDENTIALS: Final = 20
_DIAGNOSTIC_SETTINGS: Final = 5


def holds_role(store: CloudStore, principal: str, roles: tuple[str, ...], scope: str) -> bool:
    """Tell whether a principal has one of the roles, or a custom one, at a scope or above it."""
    for assignment in store.of_type("Microsoft.Authorization/roleAssignments"):
        at = str(assignment.inputs.get("scope", "")).lower().rstrip("/")
        role_id = str(assignment.inputs.get("roleDefinitionId", ""))
        applies = (scope.lower() + "/").startswith(at + "/") and assignment.inputs.get("principalId") == principal
        if applies and (name_of(role_id).lower() in roles or store.get(role_id)):
            return True
    return False


def _role_assignment(request: AzureRequest) -> None:
    if not is_guid(request.name):
        raise bad_request("InvalidRoleAssignmentId", f"The role assignment name '{request.name}' must be a GUID.")
    wanted = _assignment_key(request.inputs)
    for other in request.store.of_type("Microsoft.Authorization/roleAssignments"):
        if other.id.lower() != request.id.lower() and _assignment_key(other.inputs) == wanted:
            raise conflict(
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the existing role assignment is {name_of(other.id)}.",
            )
    principal = str(request.inputs.get("principalId", ""))
    if not is_guid(principal):
        raise bad_request("InvalidPrincipalId", f"A principal id must be a GUID, not '{principal}'.")
    # Without a type Azure looks the principal up, and a new one has not reached every directory replica yet.
    if not request.inputs.get("principalType") and principal != request.store.fact("objectId"):
        raise bad_request(
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory; set principalType.",
        )


def _assignment_key(inputs: Mapping[str, object]) -> tuple[str, ...]:
    role = name_of(str(inputs.get("roleDefinitionId", ""))).lower()
    return (str(inputs.get("scope", "")).lower().strip("/"), str(inputs.get("principalId", "")).lower(), role)


def _policy_assignment(request: AzureRequest) -> None:
    if request.inputs.get("identity") and not request.inputs.get("location"):
        raise bad_request("ResourceIdentityRequired", "A policy assignment with an identity needs a location.")
    if len(request.name) > 64:
        raise bad_request(
            "InvalidPolicyAssignmentName", f"The policy assignment name '{request.name}' is longer than 64 characters."
        )


def _federated_credential(request: AzureRequest) -> None:
    siblings = [
        item
        for item in request.store.below(request.id.rsplit("/federatedIdentityCredentials/", 1)[0])
        if item.arm_type.endswith("/federatedidentitycredentials") and item.id.lower() != request.id.lower()
    ]
    if len(siblings) >= _FEDERATED_CREDENTIALS:
        raise bad_request(
            "FederatedIdentityCredentialLimitExceeded",
            f"An identity holds at most {_FEDERATED_CREDENTIALS} federated credentials.",
        )
    for other in siblings:
        if all(other.inputs.get(key) == request.inputs.get(key) for key in ("issuer", "subject")):
            raise conflict(
                "BadRequest", f"Issuer and subject are those of {name_of(other.id)}; the combination must be unique."
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


def _collection_rule(request: AzureRequest) -> None:
    # Azure Monitor: "a DCR must be in the same region as the Log Analytics workspace".
    for destination in (request.inputs.get("destinations") or {}).get("logAnalytics") or []:
        workspace = request.store.get(str(destination.get("workspaceResourceId", "")))
        if workspace and not same_location(workspace.outputs.get("location"), request.inputs.get("location")):
            raise bad_request(
                "InvalidPayload",
                f"Data collection rule {request.name} must be in the region of its "
                f"workspace, {workspace.outputs.get('location')}.",
            )


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


ACCESS_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "authorization:PolicyAssignment": (_policy_assignment,),
    "authorization:RoleAssignment": (_role_assignment,),
    "containerregistry:Replication": (_replication,),
    "managedidentity:FederatedIdentityCredential": (_federated_credential,),
    "monitor:DataCollectionRule": (_collection_rule,),
    "monitor:DiagnosticSetting": (_diagnostic_setting,),
}
"""Rules before a write, by ``module:Class``."""
