"""The stamp's AKS cluster with its pools, maintenance windows and diagnostics.

Not here: identities and roles (`cluster_identities`), people's access (`cluster_access`), what runs inside (`gitops`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pulumi
from pulumi_azure_native import containerservice

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming
from stamps.address_plan import AddressPlan
from stamps.cluster_config import ClusterSettings, MaintenanceSettings
from stamps.maintenance_windows import MaintenanceWindows, MaintenanceWindowsArgs
from stamps.node_pools import UserNodePools, UserNodePoolsArgs, system_pool_profile

LOG_CATEGORIES = (
    "cloud-controller-manager",
    "cluster-autoscaler",
    "csi-azuredisk-controller",
    "csi-azurefile-controller",
    "csi-snapshot-controller",
    "guard",
    "kube-apiserver",
    "kube-audit-admin",  # kube-audit also holds every read and costs many times as much
    "kube-controller-manager",
    "kube-scheduler",
)


class AksClusterArgs(Arguments):
    """The identities have their roles already; `api_server_subnet_id` goes with VNet integration only."""

    naming: Naming
    location: str
    zones: tuple[str, ...]
    resource_group_name: In[str]
    settings: ClusterSettings
    maintenance: MaintenanceSettings
    plan: AddressPlan
    api_server: Literal["vnetIntegration", "privateLink"]
    nodes_subnet_id: In[str]
    api_server_subnet_id: In[str] | None = None
    control_plane_identity_id: In[str]
    kubelet_identity_id: In[str]
    kubelet_client_id: In[str]
    kubelet_principal_id: In[str]
    tenant_id: str
    admin_group_object_ids: tuple[In[str], ...] = ()
    workspace_id: In[str]
    protect: bool = True
    tags: dict[str, str]


class AksCluster(pulumi.ComponentResource):
    """A private cluster with CNI Overlay on Cilium whose only way out is the hub's firewall.

    `after` is what has to stand before the first node boots and to outlive the last one: role assignments, firewall
    with its rule collection groups, route, peerings, private endpoints and zone links. Values do not show that order.
    """

    id: pulumi.Output[str]
    cluster_name: str
    private_fqdn: pulumi.Output[str]
    oidc_issuer_url: pulumi.Output[str]
    cluster: containerservice.ManagedCluster
    pools: list[containerservice.AgentPool]

    def __init__(
        self,
        name: str,
        args: AksClusterArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:stamps:AksCluster", name, None, opts)
        self.cluster_name = args.naming.name("aks", limit=63)
        self.cluster = self._cluster(name, args, after)
        self.pools = UserNodePools(
            f"{name}-pools",
            UserNodePoolsArgs(
                cluster_name=self.cluster.name,
                resource_group_name=args.resource_group_name,
                pools=args.settings.user_pools,
                kubernetes_version=args.settings.kubernetes_version,
                zones=args.zones,
                subnet_id=args.nodes_subnet_id,
                tags=args.tags,
            ),
            pulumi.ResourceOptions(parent=self),
            cluster=self.cluster,
        ).pools
        MaintenanceWindows(
            f"{name}-maintenance",
            MaintenanceWindowsArgs(
                cluster_name=self.cluster.name, resource_group_name=args.resource_group_name, window=args.maintenance
            ),
            pulumi.ResourceOptions(parent=self),
            cluster=self.cluster,
        )
        diagnostic_settings(
            f"{name}-diagnostics",
            target_id=self.cluster.id,
            workspace_id=args.workspace_id,
            parent=self,
            logs=LOG_CATEGORIES,
        )
        self.id = self.cluster.id
        self.private_fqdn = self.cluster.private_fqdn
        self.oidc_issuer_url = self.cluster.oidc_issuer_profile.issuer_url
        self.register_outputs({"id": self.id, "cluster_name": self.cluster_name})

    def _cluster(
        self, name: str, args: AksClusterArgs, after: Sequence[pulumi.Resource]
    ) -> containerservice.ManagedCluster:
        settings = args.settings
        return containerservice.ManagedCluster(
            f"{name}-cluster",
            resource_name_=self.cluster_name,
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            sku={"name": "Base", "tier": settings.sku_tier},
            # Best a minor version: the upgrade channel then moves the patch, and a later update does not take it back
            # (https://learn.microsoft.com/azure/aks/supported-kubernetes-versions#alias-minor-version).
            kubernetes_version=settings.kubernetes_version,
            dns_prefix=args.naming.name("aks", limit=54),
            node_resource_group=args.naming.name("rg", "nodes", limit=80),
            node_resource_group_profile={"restriction_level": "ReadOnly"},
            identity={
                "type": containerservice.ResourceIdentityType.USER_ASSIGNED,
                "user_assigned_identities": [args.control_plane_identity_id],
            },
            identity_profile={
                "kubeletidentity": {
                    "resource_id": args.kubelet_identity_id,
                    "client_id": args.kubelet_client_id,
                    "object_id": args.kubelet_principal_id,
                }
            },
            agent_pool_profiles=[
                system_pool_profile(
                    settings.system_pool,
                    version=settings.kubernetes_version,
                    zones=args.zones,
                    subnet_id=args.nodes_subnet_id,
                    tags=args.tags,
                )
            ],
            api_server_access_profile=_api_server(args),
            public_network_access="Disabled",
            network_profile=_network(args.plan),
            disable_local_accounts=True,
            enable_rbac=True,
            aad_profile={
                "managed": True,
                "enable_azure_rbac": True,
                "tenant_id": args.tenant_id,
                "admin_group_object_ids": list(args.admin_group_object_ids),
            },
            oidc_issuer_profile={"enabled": True},
            # Defender's sensor is left to the subscription's Defender plan, which turns it on with its own workspace.
            security_profile={
                "workload_identity": {"enabled": True},
                "image_cleaner": {"enabled": True, "interval_hours": 168},
            },
            addon_profiles=_add_ons(args.workspace_id),
            azure_monitor_profile={"metrics": {"enabled": True, "kube_state_metrics": {}}},
            storage_profile={
                "disk_csi_driver": {"enabled": True},
                "file_csi_driver": {"enabled": True},
                "snapshot_controller": {"enabled": True},
                "blob_csi_driver": {"enabled": False},
            },
            auto_scaler_profile=_autoscaler(settings),
            auto_upgrade_profile={
                "upgrade_channel": settings.upgrade_channel,
                "node_os_upgrade_channel": settings.node_os_upgrade_channel,
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(after),
                protect=args.protect,
                # The autoscaler owns the count. Only this leaf: ignoring the profiles as a whole hides every change of
                # the pool. The version is not ignored, or a step up in the stack file would never reach the nodes.
                ignore_changes=["agentPoolProfiles[0].count"],
                # VNet integration cannot be turned off again in place, so the engine has to see a replacement.
                replace_on_changes=[
                    "apiServerAccessProfile.enableVnetIntegration",
                    "apiServerAccessProfile.subnetId",
                ],
                hooks=transient_retry(),
            ),
        )


def _api_server(args: AksClusterArgs) -> containerservice.ManagedClusterAPIServerAccessProfileArgsDict:
    """Return the API server's exposure: private in both modes, with the zone that AKS keeps in the node group."""
    profile: containerservice.ManagedClusterAPIServerAccessProfileArgsDict = {
        "enable_private_cluster": True,
        "enable_private_cluster_public_fqdn": False,
        "private_dns_zone": "system",
        "disable_run_command": True,
    }
    if args.api_server == "vnetIntegration":
        if args.api_server_subnet_id is None:
            raise ValueError("api_server_subnet_id: expected the delegated subnet that VNet integration puts it into")
        profile["enable_vnet_integration"] = True
        profile["subnet_id"] = args.api_server_subnet_id
    return profile


def _network(plan: AddressPlan) -> containerservice.ContainerServiceNetworkProfileArgsDict:
    return {
        "network_plugin": "azure",
        "network_plugin_mode": "overlay",
        "network_dataplane": "cilium",
        "network_policy": "cilium",
        "outbound_type": "userDefinedRouting",
        "load_balancer_sku": "standard",
        "pod_cidr": str(plan.pods),
        "service_cidr": str(plan.services),
        "dns_service_ip": str(plan.dns_service_address),
        "ip_families": ["IPv4"],
    }


def _add_ons(workspace_id: In[str]) -> dict[str, containerservice.ManagedClusterAddonProfileArgsDict]:
    """Return the add-ons. Their settings are strings: AKS refuses JSON booleans there."""
    return {
        "azureKeyvaultSecretsProvider": {
            "enabled": True,
            "config": {"enableSecretRotation": "true", "rotationPollInterval": "2m"},
        },
        "azurepolicy": {"enabled": True, "config": {"version": "v2"}},
        "omsagent": {
            "enabled": True,
            "config": {"logAnalyticsWorkspaceResourceID": workspace_id, "useAADAuth": "true"},
        },
    }


def _autoscaler(settings: ClusterSettings) -> containerservice.ManagedClusterPropertiesAutoScalerProfileArgsDict:
    profile = settings.autoscaler
    return {
        "expander": profile.expander,
        "balance_similar_node_groups": "true",
        "scan_interval": profile.scan_interval,
        "scale_down_unneeded_time": profile.scale_down_unneeded_time,
        "scale_down_delay_after_add": profile.scale_down_delay_after_add,
        "scale_down_utilization_threshold": profile.scale_down_utilization_threshold,
        "skip_nodes_with_local_storage": "false",
        "skip_nodes_with_system_pods": "true",
    }
