"""Role assignments: the one maker, and the built-in roles that the program grants.

Source of the GUIDs: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

import pulumi
from pulumi_azure_native import authorization

from foundation.arm_ids import role_definition_id
from foundation.azure_retries import transient_retry
from foundation.naming import Naming


class Role(StrEnum):
    """Built-in roles by their GUID."""

    ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    AKS_RBAC_CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
    AKS_RBAC_WRITER = "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb"
    AKS_CLUSTER_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
    KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
    MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
    MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
    NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    PRIVATE_DNS_ZONE_CONTRIBUTOR = "b12aa53e-6015-4669-85d0-8515ebb3ae7f"
    STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    STORAGE_QUEUE_DATA_MESSAGE_SENDER = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"


def assign_role(
    name: str,
    role: Role,
    *,
    scope: pulumi.Input[str],
    principal_id: pulumi.Input[str],
    naming: Naming,
    parent: pulumi.Resource,
    principal_type: Literal["ServicePrincipal", "Group"] = "ServicePrincipal",
    depends_on: Sequence[pulumi.Resource] = (),
) -> authorization.RoleAssignment:
    """Grant `role` on `scope` to a principal. The assignment's GUID comes from `name`, never from the principal's id.

    `principal_type` is always sent: without it Azure looks the principal up and fails while it is not replicated.
    A change of the role replaces the assignment, which Azure refuses to update in place.
    """
    return authorization.RoleAssignment(
        name,
        role_assignment_name=naming.role_assignment(name, role.name),
        scope=scope,
        principal_id=principal_id,
        principal_type=principal_type,
        role_definition_id=role_definition_id(naming.subscription_id, role.value),
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=list(depends_on),
            replace_on_changes=["roleDefinitionId"],
            delete_before_replace=True,
            hooks=transient_retry(),
        ),
    )
