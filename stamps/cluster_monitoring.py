"""Container Insights: which logs the agent collects and into which workspace. Metrics are `prometheus`'s."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import monitor

from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from shared.outputs import WorkspaceContract

STREAMS = (
    "Microsoft-ContainerLogV2",
    "Microsoft-KubeEvents",
    "Microsoft-KubeNodeInventory",
    "Microsoft-KubePodInventory",
)


class ClusterMonitoringArgs(Arguments):
    """The cluster and the workspace that all clusters share."""

    naming: Naming
    resource_group_name: In[str]
    cluster_id: In[str]
    workspace: WorkspaceContract
    tags: dict[str, str]


class ClusterMonitoring(pulumi.ComponentResource):
    """The data collection rule of one cluster's logs and events, and its association."""

    def __init__(self, name: str, args: ClusterMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:ClusterMonitoring", name, None, opts)
        rule = monitor.DataCollectionRule(
            f"{name}-rule",
            data_collection_rule_name=args.naming.name("dcr", "containers", limit=44),
            resource_group_name=args.resource_group_name,
            # Azure takes the rule in its workspace's region only
            # (https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-overview).
            location=args.workspace.location,
            kind="Linux",
            data_sources={
                "extensions": [
                    {
                        "name": "ContainerInsightsExtension",
                        "extension_name": "ContainerInsights",
                        "streams": list(STREAMS),
                        "extension_settings": {
                            "dataCollectionSettings": {
                                "interval": "1m",
                                "namespaceFilteringMode": "Off",
                                "enableContainerLogV2": True,
                            }
                        },
                    }
                ]
            },
            destinations={"log_analytics": [{"name": "workspace", "workspace_resource_id": args.workspace.id}]},
            data_flows=[{"streams": list(STREAMS), "destinations": ["workspace"]}],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        monitor.DataCollectionRuleAssociation(
            f"{name}-association",
            # The portal and the agent's onboarding look for this name.
            association_name="ContainerInsightsExtension",
            resource_uri=args.cluster_id,
            data_collection_rule_id=rule.id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
