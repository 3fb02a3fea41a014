"""One identity that a job of GitHub Actions becomes, without any credential, and the rights that it is given."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import authorization, managedidentity

from bootstrap.rights import CustomRole, Delegation, OwnerRole
from foundation.arm_ids import role_definition_id
from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.naming import Naming

ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "api://AzureADTokenExchange"
_CONDITION_VERSION = "2.0"


class DefinedRole(Arguments):
    """A custom role as it stands in Azure."""

    key: str
    id: In[str]


class DeploymentIdentityArgs(Arguments):
    """`identity` is what the identity is called after; `subject` is whom it trusts, in GitHub's words."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    identity: str
    subject: str
    tags: dict[str, str]


class DeploymentIdentity(pulumi.ComponentResource):
    """A user-assigned identity with one federated credential. Its rights are granted one by one, by `grant`."""

    client_id: pulumi.Output[str]

    def __init__(self, name: str, args: DeploymentIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:bootstrap:DeploymentIdentity", name, None, opts)
        self._name = name
        self._naming = args.naming
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=args.naming.name("id", args.identity),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        managedidentity.FederatedIdentityCredential(
            f"{name}-credential",
            federated_identity_credential_resource_name="github-actions",
            resource_name_=identity.name,
            resource_group_name=args.resource_group_name,
            issuer=ISSUER,
            subject=args.subject,
            audiences=[AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._principal_id = identity.principal_id
        self.client_id = identity.client_id
        self.register_outputs({"client_id": self.client_id})

    def grant(
        self,
        where: str,
        role: OwnerRole | DefinedRole,
        scope: pulumi.Input[str],
        delegation: Delegation | None = None,
    ) -> None:
        """Give the identity a role on a scope. `where` names the scope; a delegation limits what it may pass on."""
        if isinstance(role, OwnerRole):
            what: str = role.name.lower().replace("_", "-")
            definition: In[str] = role_definition_id(self._naming.subscription_id, role.value)
        else:
            what, definition = role.key, role.id
        logical_name = f"{self._name}-{what}-{where}"
        authorization.RoleAssignment(
            logical_name,
            role_assignment_name=self._naming.role_assignment(logical_name),
            scope=scope,
            principal_id=self._principal_id,
            principal_type="ServicePrincipal",
            role_definition_id=definition,
            condition=delegation.condition if delegation is not None else None,
            condition_version=_CONDITION_VERSION if delegation is not None else None,
            opts=pulumi.ResourceOptions(
                parent=self,
                replace_on_changes=["roleDefinitionId"],
                delete_before_replace=True,
                hooks=transient_retry(),
            ),
        )


def define_role(name: str, role: CustomRole, naming: Naming, scope: str, parent: pulumi.Resource) -> DefinedRole:
    """Define a custom role. Its name is unique in the whole directory, so it carries workload and subscription."""
    definition = authorization.RoleDefinition(
        f"{name}-role-{role.key}",
        role_definition_id=naming.role_assignment("definition", role.key),
        role_name=f"{naming.workload} {role.key} ({naming.subscription_id})",
        role_type="CustomRole",
        description=role.description,
        scope=scope,
        assignable_scopes=[scope],
        permissions=[{"actions": list(role.actions), "not_actions": []}],
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return DefinedRole(key=role.key, id=definition.id)
