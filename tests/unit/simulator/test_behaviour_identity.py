"""Principals, roles and federated credentials."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from simulator.azure_cloud import AzureCloud
from simulator.azure_errors import AzureError
from simulator.behaviour import access
from simulator.behaviour.built_in_roles import built_in_roles
from simulator.behaviour.facts import set_fact
from simulator.behaviour.identity import MORE_ROLES
from tests.unit.simulator.conftest import READER, Azure

SOMEBODY = "6c1f5b0e-0000-4000-8000-000000000001"


def assign(azure: Azure, principal: str, role: str = READER, **more: Any) -> str:  # noqa: ANN401 - inputs of any type
    """Assign a role on the group; without a principal type unless one is given."""
    definitions = f"/subscriptions/{azure.cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions"
    inputs = {"scope": azure.group, "principalId": principal, "roleDefinitionId": f"{definitions}/{role}", **more}
    return azure.make("authorization:RoleAssignment", roleAssignmentName=str(uuid.uuid4()), **inputs)[0]


def test_a_new_principal_is_found_only_in_the_next_run(azure: Azure) -> None:
    """Where nothing takes time: within the run that made it only a principal type helps."""
    _, principal = azure.identity("one")
    with pytest.raises(AzureError, match=r"PrincipalNotFound.*set the role assignment principalType"):
        assign(azure, principal)
    assign(azure, principal, access.NETWORK_CONTRIBUTOR, principalType="ServicePrincipal")
    azure.cloud = AzureCloud(azure.store)
    assign(azure, principal)


def test_a_new_principal_is_found_after_a_minute_of_azures_time(azure: Azure) -> None:
    """With a clock the same run finds it."""
    time = [100.0]
    azure.cloud = AzureCloud(azure.store, lambda: time[0])
    _, principal = azure.identity("one")
    time[0] += 59
    with pytest.raises(AzureError, match="PrincipalNotFound"):
        assign(azure, principal)
    time[0] += 1
    assign(azure, principal)


def test_a_principal_that_this_cloud_did_not_make_is_an_old_one(azure: Azure) -> None:
    """Users and groups of the organisation; what is no GUID is none."""
    assign(azure, SOMEBODY)
    with pytest.raises(AzureError, match="InvalidPrincipalId"):
        assign(azure, "somebody")


def test_an_assignment_is_named_by_a_guid(azure: Azure) -> None:
    """A speaking name is refused."""
    role = f"/subscriptions/{azure.cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    inputs = {"scope": azure.group, "principalId": SOMEBODY, "roleDefinitionId": role}
    with pytest.raises(AzureError, match="InvalidRoleAssignmentId"):
        azure.make("authorization:RoleAssignment", roleAssignmentName="reader", **inputs)


def test_a_deleted_identity_is_not_found_any_more(azure: Azure) -> None:
    """Not in the next run either."""
    made, principal = azure.identity("one")
    azure.drop("managedidentity:UserAssignedIdentity", made)
    azure.cloud = AzureCloud(azure.store)
    with pytest.raises(AzureError, match="PrincipalNotFound"):
        assign(azure, principal)


def test_a_wrong_principal_type_is_told(azure: Azure) -> None:
    """Once the directory knows the principal."""
    _, principal = azure.identity("one")
    assign(azure, principal, access.NETWORK_CONTRIBUTOR, principalType="User")
    azure.cloud = AzureCloud(azure.store)
    with pytest.raises(AzureError, match=r"UnmatchedPrincipalType.*'ServicePrincipal'.*'User'"):
        assign(azure, principal, principalType="User")


def test_a_role_is_built_in_or_made_here(azure: Azure) -> None:
    """Any other GUID is refused; the table is not all of Azure, so a cloud may name further ones."""
    unknown = str(uuid.uuid4())
    with pytest.raises(AzureError, match="RoleDefinitionDoesNotExist"):
        assign(azure, SOMEBODY, unknown)
    set_fact(azure.store, MORE_ROLES, unknown)
    assign(azure, SOMEBODY, unknown)
    own = str(uuid.uuid4())
    definition = azure.make(
        "authorization:RoleDefinition",
        roleDefinitionId=own,
        scope=f"/subscriptions/{azure.cloud.subscription}",
        roleName="own",
    )[0]
    made = assign(azure, SOMEBODY, own)
    with pytest.raises(AzureError, match="RoleDefinitionHasAssignments"):
        azure.drop("authorization:RoleDefinition", definition)
    azure.drop("authorization:RoleAssignment", made)
    azure.drop("authorization:RoleDefinition", definition)


def test_the_roles_that_rules_ask_for_are_in_the_table() -> None:
    """By the names that Azure gives them."""
    table = built_in_roles()
    assert table[access.OWNER] == "Owner"
    assert table[access.NETWORK_CONTRIBUTOR] == "Network Contributor"
    assert table[access.KEY_VAULT_SECRETS_USER] == "Key Vault Secrets User"
    assert table[access.PRIVATE_DNS_ZONE_CONTRIBUTOR] == "Private DNS Zone Contributor"
    assert table[access.MANAGED_IDENTITY_OPERATOR] == "Managed Identity Operator"


def test_a_federated_credential_is_unique_by_issuer_and_subject(azure: Azure) -> None:
    """Within one identity; another one may have the same."""
    for name in ("one", "two"):
        azure.identity(name)
    pair = {"issuer": "https://issuer.example", "subject": "repo:a/b:environment:prod"}
    credential = {"resourceName": "one", "audiences": ["api://AzureADTokenExchange"], **pair}
    token = "managedidentity:FederatedIdentityCredential"  # noqa: S105 - a type token
    azure.make(token, **credential, federatedIdentityCredentialResourceName="first")
    with pytest.raises(AzureError, match="Issuer and subject combination already exists"):
        azure.make(token, **credential, federatedIdentityCredentialResourceName="second")
    two = {**credential, "subject": "other", "audiences": ["a", "b"]}
    with pytest.raises(AzureError, match="exactly one audience"):
        azure.make(token, **two, federatedIdentityCredentialResourceName="third")
    azure.make(token, **{**credential, "resourceName": "two"}, federatedIdentityCredentialResourceName="first")
