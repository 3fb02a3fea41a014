"""Who may use a stamp's cluster, by the fleet's scheme (`shared.config.AccessSettings`). Azure RBAC only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from foundation.arm_ids import child_id
from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from foundation.roles import Role, assign_role
from shared.outputs import AccessContract

if TYPE_CHECKING:
    import pulumi_azuread as azuread


class ClusterAccessArgs(Arguments):
    """The cluster and the fleet's access scheme."""

    naming: Naming
    cluster_id: In[str]
    access: AccessContract


class ClusterAccess(pulumi.ComponentResource):
    """Role assignments of people's groups on one cluster, and the cluster's own group with scheme `clusterGroup`.

    Every group also gets Cluster User, without which nobody can fetch the cluster's address and certificate
    (https://learn.microsoft.com/azure/aks/manage-azure-rbac).
    """

    def __init__(self, name: str, args: ClusterAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:ClusterAccess", name, None, opts)
        self._name, self._args = name, args
        access = args.access
        if access.scheme == "globalGroup":
            if access.admin_group_object_id is None:
                raise ValueError("access.adminGroupObjectId: expected the shared stack's group with scheme globalGroup")
            self._grant_administration(access.admin_group_object_id)
        elif access.scheme == "clusterGroup":
            self._grant_administration(self._administrators().object_id)
        else:
            for namespace, group in access.namespaces.items():
                scope = child_id(args.cluster_id, "namespaces", namespace)
                self._grant(f"{namespace}-writer", Role.AKS_RBAC_WRITER, scope, group)
            # A group that has two namespaces is a user of the cluster once: Azure refuses a second equal assignment.
            for group in dict.fromkeys(access.namespaces.values()):
                first = next(namespace for namespace, owner in access.namespaces.items() if owner == group)
                self._grant(f"{first}-user", Role.AKS_CLUSTER_USER, args.cluster_id, group)
        self.register_outputs({})

    def _administrators(self) -> azuread.Group:
        access = self._args.access
        import pulumi_azuread as azuread  # only this scheme makes a group, and the import costs a tenth of a preview

        return azuread.Group(
            f"{self._name}-administrators",
            display_name=self._args.naming.name("aks", "administrators", limit=120),
            description="Administrators of one cluster, see the stamp's stack",
            security_enabled=True,
            # Entra never lets a group lose its last owner: without owners of ours the deploying identity stays it.
            owners=list(access.group_owners) or None,
            members=list(access.group_members) or None,
            opts=pulumi.ResourceOptions(parent=self, hooks=transient_retry()),
        )

    def _grant_administration(self, group: In[str]) -> None:
        self._grant("administrators-admin", Role.AKS_RBAC_CLUSTER_ADMIN, self._args.cluster_id, group)
        self._grant("administrators-user", Role.AKS_CLUSTER_USER, self._args.cluster_id, group)

    def _grant(self, what: str, role: Role, scope: In[str], group: In[str]) -> None:
        assign_role(
            f"{self._name}-{what}",
            role,
            scope=scope,
            principal_id=group,
            principal_type="Group",
            naming=self._args.naming,
            parent=self,
        )
