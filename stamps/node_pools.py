"""The node pools of a cluster: the system pool's inline profile and the user pools as resources of their own."""

from __future__ import annotations

from typing import cast

import pulumi
from pulumi_azure_native import containerservice

from foundation.azure_types import Arguments, In
from stamps.cluster_config import NodePoolSettings

_SYSCTL_NAMES = {
    "vmMaxMapCount": "vm_max_map_count",
    "fsFileMax": "fs_file_max",
    "netCoreSomaxconn": "net_core_somaxconn",
    "fsInotifyMaxUserWatches": "fs_inotify_max_user_watches",
}

SYSTEM_POOL_TAINT = "CriticalAddonsOnly=true:NoSchedule"
"""Keeps workloads off the system pool (https://learn.microsoft.com/azure/aks/use-system-pools)."""

IMMUTABLE_PROPERTIES = (
    "availabilityZones",
    "enableEncryptionAtHost",
    "kubeletConfig",
    "linuxOSConfig",
    "maxPods",
    "osDiskSizeGB",
    "osDiskType",
    "osSKU",
    "vnetSubnetID",
)
"""What Azure refuses to change on a living pool while the provider would try: a change replaces the pool."""


def kubelet_config(pool: NodePoolSettings) -> containerservice.KubeletConfigArgsDict | None:
    """Return the pool's kubelet settings, or nothing when AKS's own values hold."""
    values = pool.kubelet.model_dump(exclude_none=True)
    return cast(containerservice.KubeletConfigArgsDict, values) if values else None


def linux_os_config(pool: NodePoolSettings) -> containerservice.LinuxOSConfigArgsDict | None:
    """Return the pool's kernel settings, or nothing when AKS's own values hold."""
    if not pool.sysctls:
        return None
    values = {_SYSCTL_NAMES[key]: value for key, value in pool.sysctls.items()}
    return {"sysctls": cast(containerservice.SysctlConfigArgsDict, values)}


def system_pool_profile(
    pool: NodePoolSettings, *, version: str, zones: tuple[str, ...], subnet_id: In[str], tags: dict[str, str]
) -> containerservice.ManagedClusterAgentPoolProfileArgsDict:
    """Return the inline profile of the system pool. A region without zones must not name any: the key is left out."""
    profile: containerservice.ManagedClusterAgentPoolProfileArgsDict = {
        "name": pool.name,
        "mode": "System",
        "type": "VirtualMachineScaleSets",
        "vm_size": pool.vm_size,
        "os_type": "Linux",
        "os_sku": "AzureLinux",
        "os_disk_type": "Ephemeral",
        "os_disk_size_gb": pool.os_disk_size_gb,
        "orchestrator_version": version,
        "vnet_subnet_id": subnet_id,
        "enable_auto_scaling": True,
        "count": pool.min_count,
        "min_count": pool.min_count,
        "max_count": pool.max_count,
        "max_pods": pool.max_pods,
        "node_labels": pool.labels,
        "node_taints": [SYSTEM_POOL_TAINT, *pool.taints],
        "enable_encryption_at_host": pool.encryption_at_host,
        "enable_node_public_ip": False,
        "security_profile": {"ssh_access": "Disabled"},
        "upgrade_settings": {"max_surge": pool.max_surge},
        "tags": tags,
    }
    if zones:
        profile["availability_zones"] = list(zones)
    kubelet, linux = kubelet_config(pool), linux_os_config(pool)
    if kubelet is not None:
        profile["kubelet_config"] = kubelet
    if linux is not None:
        profile["linux_os_config"] = linux
    return profile


class UserNodePoolsArgs(Arguments):
    """Every pool takes the cluster's version: one step up in the stack file moves control plane, then pools."""

    cluster_name: In[str]
    resource_group_name: In[str]
    pools: tuple[NodePoolSettings, ...]
    kubernetes_version: str
    zones: tuple[str, ...]
    subnet_id: In[str]
    tags: dict[str, str]


class UserNodePools(pulumi.ComponentResource):
    """The user pools of one cluster. The system pool is part of the cluster itself."""

    pools: list[containerservice.AgentPool]

    def __init__(
        self,
        name: str,
        args: UserNodePoolsArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        cluster: containerservice.ManagedCluster,
    ) -> None:
        super().__init__("aks-geode:stamps:UserNodePools", name, None, opts)
        self.pools = []
        for pool in args.pools:
            # AKS takes one write at a time to a cluster (OperationNotAllowed), so each pool waits for the one before.
            self.pools.append(self._pool(name, pool, args, cluster, after=self.pools[-1:]))
        self.register_outputs({})

    def _pool(
        self,
        name: str,
        pool: NodePoolSettings,
        args: UserNodePoolsArgs,
        cluster: containerservice.ManagedCluster,
        *,
        after: list[containerservice.AgentPool],
    ) -> containerservice.AgentPool:
        return containerservice.AgentPool(
            f"{name}-{pool.name}",
            agent_pool_name=pool.name,
            resource_name_=args.cluster_name,
            resource_group_name=args.resource_group_name,
            mode="User",
            type="VirtualMachineScaleSets",
            vm_size=pool.vm_size,
            os_type="Linux",
            os_sku="AzureLinux",
            os_disk_type="Ephemeral",
            os_disk_size_gb=pool.os_disk_size_gb,
            orchestrator_version=args.kubernetes_version,
            vnet_subnet_id=args.subnet_id,
            availability_zones=list(args.zones) or None,
            enable_auto_scaling=True,
            count=pool.min_count,
            min_count=pool.min_count,
            max_count=pool.max_count,
            max_pods=pool.max_pods,
            node_labels=pool.labels,
            node_taints=list(pool.taints),
            enable_encryption_at_host=pool.encryption_at_host,
            enable_node_public_ip=False,
            kubelet_config=kubelet_config(pool),
            linux_os_config=linux_os_config(pool),
            security_profile={"ssh_access": "Disabled"},
            upgrade_settings={"max_surge": pool.max_surge},
            tags=args.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(after),
                deleted_with=cluster,
                ignore_changes=["count"],  # the autoscaler owns it
                replace_on_changes=list(IMMUTABLE_PROPERTIES),
            ),
        )
