"""A stamp's cluster with what belongs to it: access, GitOps, policy, monitoring, alerts, and events if consumed."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from shared.outputs import SharedOutputs
from stamps.aks_cluster import AksCluster, AksClusterArgs
from stamps.cluster_access import ClusterAccess, ClusterAccessArgs
from stamps.cluster_alerts import ClusterAlerts, ClusterAlertsArgs
from stamps.cluster_identities import ClusterIdentities
from stamps.cluster_monitoring import ClusterMonitoring, ClusterMonitoringArgs
from stamps.config import StampConfig
from stamps.event_grid import ClusterEvents, ClusterEventsArgs
from stamps.gitops import NO_DATABASE, GitOps, GitOpsArgs, substitutions
from stamps.key_vault import INGRESS_SECRET
from stamps.policy_assignments import PolicyAssignments, PolicyAssignmentsArgs
from stamps.prometheus import Prometheus, PrometheusArgs
from stamps.spoke_network import INGRESS_SUBNET, SpokeNetwork


class RegionalClusterArgs(Arguments):
    """The stamp's settings, its spoke, and the identities that were made before the cluster."""

    stamp: str
    naming: Naming
    config: StampConfig
    shared: SharedOutputs
    resource_group_name: In[str]
    resource_group_id: In[str]
    spoke: SpokeNetwork
    identities: ClusterIdentities
    vault_name: str
    protect: bool
    tags: dict[str, str]


class RegionalCluster(pulumi.ComponentResource):
    """The cluster, serving: it counts as made when Flux has brought it to its desired state.

    `after` is what has to stand before the first node boots and to outlive the last one: roles, egress, endpoints.
    """

    id: pulumi.Output[str]
    cluster_name: str
    substitutions: dict[str, In[str]]

    def __init__(
        self,
        name: str,
        args: RegionalClusterArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:stamps:RegionalCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        aks = AksCluster(f"{name}-aks", self._cluster_args(args), child, after=after)
        self.id = aks.id
        self.cluster_name = aks.cluster_name
        ClusterAccess(
            f"{name}-access",
            ClusterAccessArgs(naming=args.naming, cluster_id=aks.id, access=args.shared.access),
            child,
        )
        self.substitutions = self._substitutions(args)
        gitops = GitOps(
            f"{name}-gitops",
            GitOpsArgs(
                resource_group_name=args.resource_group_name,
                settings=args.config.gitops,
                oidc_issuer_url=aks.oidc_issuer_url,
                ingress_identity_name=args.identities.ingress_name,
                workload_identity_name=args.identities.workload_name,
                substitutions=self.substitutions,
            ),
            child,
            cluster=aks.cluster,
            after=aks.pools,
        )
        # A deny that comes before Flux is reconciled would refuse Flux's own first pods.
        PolicyAssignments(
            f"{name}-policy",
            PolicyAssignmentsArgs(
                naming=args.naming,
                resource_group_id=args.resource_group_id,
                registry_login_server=args.shared.registry.login_server,
                settings=args.config.policy,
            ),
            child,
            after=[gitops.configuration],
        )
        self._observe(name, args, aks)
        self.register_outputs({"id": self.id})

    @staticmethod
    def _cluster_args(args: RegionalClusterArgs) -> AksClusterArgs:
        admin_group = args.shared.access.admin_group_object_id
        return AksClusterArgs(
            naming=args.naming,
            location=args.config.region,
            zones=args.config.availability_zones,
            resource_group_name=args.resource_group_name,
            settings=args.config.cluster,
            maintenance=args.config.maintenance,
            plan=args.config.network.address_plan(),
            # The model refuses what is not built, so only these two arrive here.
            api_server="privateLink" if args.config.api_server == "privateLink" else "vnetIntegration",
            nodes_subnet_id=args.spoke.nodes_subnet_id,
            api_server_subnet_id=args.spoke.api_server_subnet_id,
            control_plane_identity_id=args.identities.control_plane_id,
            kubelet_identity_id=args.identities.kubelet_id,
            kubelet_client_id=args.identities.kubelet_client_id,
            kubelet_principal_id=args.identities.kubelet_principal_id,
            tenant_id=args.shared.tenant_id,
            admin_group_object_ids=(admin_group,) if admin_group else (),
            workspace_id=args.shared.workspace.id,
            protect=args.protect,
            tags=args.tags,
        )

    @staticmethod
    def _substitutions(args: RegionalClusterArgs) -> dict[str, In[str]]:
        plan = args.config.network.address_plan()
        return substitutions(
            region=args.config.region,
            stamp=args.stamp,
            cluster_name=args.naming.name("aks", limit=63),
            tenant_id=args.shared.tenant_id,
            registry=args.shared.registry.login_server,
            key_vault=args.vault_name,
            ingress_host=args.config.ingress.host_name,
            ingress_address=args.config.ingress_address,
            ingress_subnet=INGRESS_SUBNET,
            gateway_subnet=str(plan.gateway),
            # With Private Link the API server's endpoint takes an address beside the nodes.
            api_server_subnet=str(plan.nodes if args.config.api_server == "privateLink" else plan.api_server),
            ingress_client_id=args.identities.ingress_client_id,
            ingress_certificate=INGRESS_SECRET,
            workload_client_id=args.identities.workload_client_id,
            wave=args.config.gitops.wave,
            cosmos_endpoint=args.shared.database.endpoint if args.shared.database else NO_DATABASE,
        )

    def _observe(self, name: str, args: RegionalClusterArgs, aks: AksCluster) -> None:
        child = pulumi.ResourceOptions(parent=self)
        place = {"naming": args.naming, "resource_group_name": args.resource_group_name, "tags": args.tags}
        located = {**place, "location": args.config.region, "cluster_id": aks.id}
        ClusterMonitoring(
            f"{name}-logs",
            ClusterMonitoringArgs.model_validate({**place, "cluster_id": aks.id, "workspace": args.shared.workspace}),
            child,
        )
        prometheus = Prometheus(
            f"{name}-prometheus",
            PrometheusArgs.model_validate({**located, "cluster_name": aks.cluster_name}),
            child,
        )
        ClusterAlerts(
            f"{name}-alerts",
            ClusterAlertsArgs.model_validate(
                {
                    **located,
                    "cluster_name": aks.cluster_name,
                    "workspace_id": prometheus.workspace_id,
                    "action_group_id": args.shared.action_group_id,
                }
            ),
            child,
        )
        if args.config.event_grid is not None:
            ClusterEvents(
                f"{name}-events",
                ClusterEventsArgs.model_validate(
                    {**located, "settings": args.config.event_grid, "workspace_id": args.shared.workspace.id}
                ),
                child,
            )
