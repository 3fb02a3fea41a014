"""The identities of a stamp's cluster and the roles they need before the cluster exists.

Owns four user-assigned identities: control plane, kubelet, ingress controller and workload. The federated credentials
of the last two need the cluster's issuer and are made in `stamps.gitops`. The ingress identity's right on the vault
belongs to the vault, the workload's right on the data to the database's endpoint.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import authorization, managedidentity

from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from foundation.roles import Role, assign_role


class ClusterIdentitiesArgs(Arguments):
    """`api_server_subnet_id` is given when the API server stands in a subnet of its own (VNet integration)."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    registry_id: In[str]
    nodes_subnet_id: In[str]
    ingress_subnet_id: In[str]
    api_server_subnet_id: In[str] | None = None
    tags: dict[str, str]


class ClusterIdentities(pulumi.ComponentResource):
    """The cluster's identities with least rights: no role on a resource group, none on the node group.

    The route table needs no role: AKS writes routes there with kubenet only, CNI Overlay never touches it
    (https://learn.microsoft.com/azure/aks/egress-udr).
    """

    control_plane_id: pulumi.Output[str]
    kubelet_id: pulumi.Output[str]
    kubelet_client_id: pulumi.Output[str]
    kubelet_principal_id: pulumi.Output[str]
    ingress_client_id: pulumi.Output[str]
    ingress_principal_id: pulumi.Output[str]
    ingress_name: str
    workload_client_id: pulumi.Output[str]
    workload_principal_id: pulumi.Output[str]
    workload_name: str
    role_assignments: list[authorization.RoleAssignment]

    def __init__(self, name: str, args: ClusterIdentitiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:ClusterIdentities", name, None, opts)
        control_plane = self._identity(name, "controlplane", args)
        kubelet = self._identity(name, "kubelet", args)
        ingress = self._identity(name, "ingress", args)
        workload = self._identity(name, "workload", args)
        grants: list[tuple[str, Role, In[str], pulumi.Output[str]]] = [
            # Nodes join the first, the internal load balancer takes its address from the second; without it the
            # service stays at EnsuringLoadBalancer.
            ("nodes-subnet", Role.NETWORK_CONTRIBUTOR, args.nodes_subnet_id, control_plane.principal_id),
            ("ingress-subnet", Role.NETWORK_CONTRIBUTOR, args.ingress_subnet_id, control_plane.principal_id),
            # AKS puts a kubelet identity of ours on the nodes in the control plane's name.
            ("kubelet-operator", Role.MANAGED_IDENTITY_OPERATOR, kubelet.id, control_plane.principal_id),
            ("registry-pull", Role.ACR_PULL, args.registry_id, kubelet.principal_id),
        ]
        if args.api_server_subnet_id is not None:
            # https://learn.microsoft.com/azure/aks/api-server-vnet-integration: the role stands before the cluster.
            grants.append(
                (
                    "api-server-subnet",
                    Role.NETWORK_CONTRIBUTOR,
                    args.api_server_subnet_id,
                    control_plane.principal_id,
                )
            )
        self.role_assignments = [
            assign_role(f"{name}-{what}", role, scope=scope, principal_id=principal, naming=args.naming, parent=self)
            for what, role, scope, principal in grants
        ]
        self.control_plane_id = control_plane.id
        self.kubelet_id = kubelet.id
        self.kubelet_client_id = kubelet.client_id
        self.kubelet_principal_id = kubelet.principal_id
        self.ingress_client_id = ingress.client_id
        self.ingress_principal_id = ingress.principal_id
        self.ingress_name = args.naming.name("id", "ingress")
        self.workload_client_id = workload.client_id
        self.workload_principal_id = workload.principal_id
        self.workload_name = args.naming.name("id", "workload")
        self.register_outputs({"ingress_client_id": self.ingress_client_id})

    def _identity(self, name: str, role: str, args: ClusterIdentitiesArgs) -> managedidentity.UserAssignedIdentity:
        return managedidentity.UserAssignedIdentity(
            f"{name}-{role}",
            resource_name_=args.naming.name("id", role),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
