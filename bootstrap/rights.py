"""Who may do what, as data: the custom roles, the built-in ones, and which roles an identity may pass on.

Azure's own roles do not fit where a stamp works in a group that is not its own. Each list is what the program's
resources need there and nothing else; a test compares it with the resources.
Sources: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles and, for what a reference to a
resource needs, https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from foundation.azure_types import Arguments
from foundation.roles import Role


class OwnerRole(StrEnum):
    """Built-in roles that only an owner of the subscription hands out, by their GUID."""

    CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
    READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    ROLE_BASED_ACCESS_CONTROL_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
    STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    STORAGE_BLOB_DATA_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"


class CustomRole(Arguments):
    """A role of the fleet's own; `key` names it in code and in Azure."""

    key: str
    description: str
    actions: tuple[str, ...]


def _owned(*types: str) -> tuple[str, ...]:
    return tuple(f"{each}/{verb}" for each in types for verb in ("read", "write", "delete"))


STAMP_IN_SHARED_GROUP = CustomRole(
    key="stamp-in-shared-group",
    description="Enrols a stamp in the shared services: origin, lock, endpoint, membership, log and alert targets.",
    actions=(
        *_owned(
            "Microsoft.Authorization/locks",
            "Microsoft.Cdn/profiles/originGroups/origins",
            "Microsoft.ContainerService/fleets/members",
        ),
        "Microsoft.Cdn/operationresults/*",
        "Microsoft.Cdn/profiles/afdEndpoints/read",
        "Microsoft.Cdn/profiles/originGroups/read",
        "Microsoft.Cdn/profiles/read",
        "Microsoft.ContainerRegistry/registries/privateEndpointConnectionsApproval/action",
        "Microsoft.ContainerRegistry/registries/read",
        "Microsoft.ContainerService/fleets/read",
        "Microsoft.Insights/actionGroups/read",
        "Microsoft.Network/firewallPolicies/join/action",
        "Microsoft.Network/firewallPolicies/read",
        "Microsoft.OperationalInsights/workspaces/read",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
    ),
)
STAMP_IN_DATABASE = CustomRole(
    key="stamp-in-database",
    description="Connects a stamp to the shared database and lets its workload into the data.",
    # Cosmos DB's own roles take no condition: who may assign one may assign any of them on this account, to anybody.
    actions=(
        "Microsoft.DocumentDB/databaseAccounts/PrivateEndpointConnectionsApproval/action",
        "Microsoft.DocumentDB/databaseAccounts/read",
        *_owned("Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"),
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions/read",
    ),
)
FLOW_LOGS = CustomRole(
    key="flow-logs",
    description="Writes flow logs under a region's Network Watcher, which Azure owns.",
    actions=(*_owned("Microsoft.Network/networkWatchers/flowLogs"), "Microsoft.Network/networkWatchers/read"),
)
PUBLIC_NAME = CustomRole(
    key="public-name",
    description="Writes the gateway's name into the fleet's public zone.",
    actions=(*_owned("Microsoft.Network/dnsZones/A"), "Microsoft.Network/dnsZones/read"),
)
POLICY = CustomRole(
    key="policy",
    description="Assigns policies to a stamp's own groups, which Contributor may not.",
    actions=_owned("Microsoft.Authorization/policyAssignments"),
)
REGISTRY_REPLICAS = CustomRole(
    key="registry-replicas",
    description="Lets a new region of registry or database take its address in a stamp's endpoint subnet.",
    actions=("Microsoft.Network/privateEndpoints/privateLinkServiceProxies/write",),
)
CUSTOM_ROLES = (STAMP_IN_SHARED_GROUP, STAMP_IN_DATABASE, FLOW_LOGS, PUBLIC_NAME, POLICY, REGISTRY_REPLICAS)


class Delegation(Arguments):
    """Which roles an identity may assign and take away: some to service principals, some to groups, none to people."""

    service_principals: tuple[Role, ...] = ()
    groups: tuple[Role, ...] = ()

    def allows(self, role: str, principal_type: str) -> bool:
        """Tell whether Azure lets a role assignment pass, as the condition says it."""
        allowed = {"ServicePrincipal": self.service_principals, "Group": self.groups}.get(principal_type, ())
        return role in {each.value for each in allowed}

    @property
    def condition(self) -> str:
        """The condition in Azure's language: what is written is in the request, what is deleted is the resource
        (https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples)."""
        return " AND ".join(self._rule(verb, source) for verb, source in (("write", "Request"), ("delete", "Resource")))

    def _rule(self, verb: str, source: str) -> str:
        attribute = f"@{source}[Microsoft.Authorization/roleAssignments"
        cases = [
            f"({attribute}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{_listed(roles)}}} AND "
            f"{attribute}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'{kind}'}})"
            for kind, roles in (("ServicePrincipal", self.service_principals), ("Group", self.groups))
            if roles
        ]
        action = f"!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{verb}'}})"
        return f"(({action}) OR ({' OR '.join(cases)}))"


def _listed(roles: Iterable[Role]) -> str:
    return ", ".join(role.value for role in roles)


IN_OWN_GROUPS = Delegation(
    service_principals=(
        Role.KEY_VAULT_SECRETS_USER,
        Role.MANAGED_IDENTITY_OPERATOR,
        Role.MONITORING_METRICS_PUBLISHER,
        Role.NETWORK_CONTRIBUTOR,
        Role.PRIVATE_DNS_ZONE_CONTRIBUTOR,
        Role.STORAGE_BLOB_DATA_CONTRIBUTOR,
    ),
    groups=(Role.AKS_CLUSTER_USER, Role.AKS_RBAC_CLUSTER_ADMIN, Role.AKS_RBAC_WRITER),
)
IN_SHARED_GROUP = Delegation(service_principals=(Role.ACR_PULL,))
ON_EVENT_STORAGE = Delegation(service_principals=(Role.STORAGE_QUEUE_DATA_MESSAGE_SENDER,))
