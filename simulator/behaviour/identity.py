"""What role assignments, custom roles and federated credentials are refused for, and which principals are known.

A new principal reaches the directory's replicas only after a while. Without a clock it has in the next run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from simulator.azure_errors import AzureRequest, Rule, bad_request, conflict
from simulator.behaviour.built_in_roles import built_in_roles
from simulator.behaviour.facts import read_fact, write_fact
from simulator.behaviour.time import Moment
from simulator.cloud_store import CloudStore
from simulator.latency import propagation_seconds
from simulator.protocol_values import Properties
from simulator.resource_ids import ResourceType, is_guid, name_of

MORE_ROLES: Final = "builtInRoles"
"""Fact of the cloud: GUIDs of further built-in roles, separated by blanks; the table holds the common ones only."""
_ASSIGNMENTS: Final = "Microsoft.Authorization/roleAssignments"
_DEFINITIONS: Final = "Microsoft.Authorization/roleDefinitions"
PRINCIPAL: Final = "principal:"
"""Begin of the fact that tells a principal's type and when it was made."""
_IDENTITY: Final = "azure-native:managedidentity:UserAssignedIdentity"
_GROUP: Final = "index:Group"
_FEDERATED_CREDENTIALS: Final = 20
_AUDIENCES: Final = 1


def note_principals(store: CloudStore, kind: ResourceType, outputs: Properties, moment: Moment) -> None:
    """Keep since when the directory has the principals of a resource that was written."""
    for principal in _principals(kind, outputs):
        if read_fact(store, PRINCIPAL + principal) is None:
            type_name = "Group" if kind.token == _GROUP else "ServicePrincipal"
            write_fact(store, PRINCIPAL + principal, json.dumps([type_name, moment.mark()]))


def forget_principals(store: CloudStore, kind: ResourceType, outputs: Properties) -> None:
    """Forget the principals of a resource that was deleted."""
    for principal in _principals(kind, outputs):
        write_fact(store, PRINCIPAL + principal, json.dumps(["", ""]))


def _principals(kind: ResourceType, outputs: Properties) -> Iterator[str]:
    identity = outputs.get("identity")
    candidates = [identity.get("principalId")] if isinstance(identity, dict) else []
    if kind.token == "managedidentity:UserAssignedIdentity":  # noqa: S105 - a type token
        candidates.append(outputs.get("principalId"))
    if kind.token in (_GROUP, "index:ServicePrincipal"):
        candidates.append(outputs.get("objectId"))
    yield from (item for item in candidates if isinstance(item, str) and is_guid(item))


def _name(request: AzureRequest) -> None:
    if not is_guid(request.name):
        raise bad_request("InvalidRoleAssignmentId", f"The role assignment name '{request.name}' must be a GUID.")


def _role_exists(request: AzureRequest) -> None:
    role_id = str(request.inputs.get("roleDefinitionId", ""))
    role = name_of(role_id).lower()
    more = (read_fact(request.store, MORE_ROLES) or "").lower().split()
    if role in built_in_roles() or role in more or _custom_role(request.store, role):
        return
    raise bad_request(
        "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{role.replace('-', '')}' does not exist. (The simulated Azure knows "
        f"the common built-in roles and those that were made in it; the fact {MORE_ROLES} names further ones.)",
    )


def _custom_role(store: CloudStore, role: str) -> bool:
    return any(name_of(item.id).lower() == role for item in store.of_type(_DEFINITIONS))


def _assigned_once(request: AzureRequest) -> None:
    wanted = _assignment_key(request.inputs)
    of_principal = "SELECT id, inputs FROM resources WHERE arm_type = ? AND inputs LIKE ? AND key <> ?"
    row = (_ASSIGNMENTS.lower(), f"%{request.inputs.get('principalId')}%", request.id.lower())
    for other, inputs in request.store.connection.execute(of_principal, row):
        if _assignment_key(json.loads(inputs)) == wanted:
            raise conflict(
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the existing role assignment is {name_of(other)}.",
            )


def _assignment_key(inputs: Mapping[str, object]) -> tuple[str, ...]:
    role = name_of(str(inputs.get("roleDefinitionId", ""))).lower()
    return (str(inputs.get("scope", "")).lower().strip("/"), str(inputs.get("principalId", "")).lower(), role)


def _principal(request: AzureRequest) -> None:
    """Refuse a principal that the directory does not find, or that is of another type than the program says.

    With a type Azure does not look the principal up. One that this cloud did not make counts as an old user or group.
    """
    principal = str(request.inputs.get("principalId", ""))
    if not is_guid(principal):
        raise bad_request("InvalidPrincipalId", f"A principal id must be a GUID, not '{principal}'.")
    known = read_fact(request.store, PRINCIPAL + principal)
    if known is None or request.previous:
        return
    type_name, mark = json.loads(known)
    given = request.inputs.get("principalType")
    found = bool(mark) and request.moment.noticed(mark, propagation_seconds(_IDENTITY))
    if given and found and str(given) != type_name:
        raise bad_request(
            "UnmatchedPrincipalType",
            f"The PrincipalId '{principal.replace('-', '')}' has type '{type_name}', which is different from specified "
            f"PrincipalType '{given}'.",
        )
    if not given and not found:
        raise bad_request(
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory "
            f"{request.store.fact('tenantId')}. If you are creating this principal and then immediately assigning a "
            "role, this error might be related to a replication delay. In this case, set the role assignment "
            "principalType property.",
        )


def _unassigned(request: AzureRequest) -> None:
    # https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#custom-roles
    role = request.name.lower()
    used = [
        item
        for item in request.store.of_type(_ASSIGNMENTS)
        if name_of(str(item.inputs.get("roleDefinitionId", ""))).lower() == role
    ]
    if used:
        raise bad_request(
            "RoleDefinitionHasAssignments",
            f"There are existing role assignments referencing role (code: RoleDefinitionHasAssignments): {used[0].id}.",
        )


def _federated_credential(request: AzureRequest) -> None:
    # At most 20, and no pair twice (Entra, "Important considerations for federated identity credentials").
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
                "BadRequest",
                "Issuer and subject combination already exists for this Managed Identity: the combination must be "
                f"unique, and {name_of(other.id)} has it.",
            )
    if len(request.inputs.get("audiences") or []) > _AUDIENCES:
        raise bad_request("BadRequest", "A federated identity credential has exactly one audience.")


IDENTITY_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "authorization:RoleAssignment": (_name, _assigned_once, _role_exists, _principal),
    "managedidentity:FederatedIdentityCredential": (_federated_credential,),
}
"""Rules before a write, by ``module:Class``."""

IDENTITY_DELETIONS: Final[Mapping[str, tuple[Rule, ...]]] = {"authorization:RoleDefinition": (_unassigned,)}
"""Rules before a deletion, by ``module:Class``."""
