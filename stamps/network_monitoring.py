"""The region's workspace for network logs. Clusters log to the shared workspace, which this does not own."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import operationalinsights

from foundation.azure_types import Arguments, In
from foundation.naming import Naming

_RETENTION_DAYS = 30


class NetworkMonitoringArgs(Arguments):
    """Where the workspace lies. Network logs stay in their region, so that no other region's outage hides them."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    tags: dict[str, str]


class NetworkMonitoring(pulumi.ComponentResource):
    """A Log Analytics workspace for firewall, network and flow logs of one stamp."""

    workspace_id: pulumi.Output[str]
    workspace_name: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:NetworkMonitoring", name, None, opts)
        workspace = operationalinsights.Workspace(
            f"{name}-workspace",
            workspace_name=args.naming.name("log", "network", limit=63),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            sku={"name": "PerGB2018"},
            retention_in_days=_RETENTION_DAYS,
            # Shared keys would let whoever holds one write false logs; Azure's own services do not use them.
            features={"disable_local_auth": True, "enable_log_access_using_only_resource_permissions": True},
            public_network_access_for_ingestion="Enabled",
            public_network_access_for_query="Enabled",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.workspace_id = workspace.id
        self.workspace_name = workspace.name
        self.register_outputs({"workspace_id": self.workspace_id, "workspace_name": self.workspace_name})
