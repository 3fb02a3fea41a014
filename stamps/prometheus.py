"""Managed Prometheus of one region: its workspace, how the cluster's metrics get there, recording rules."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import alertsmanagement, monitor

from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from stamps.prometheus_rules import RECORDING_GROUPS


class PrometheusArgs(Arguments):
    """The cluster whose metrics are kept in the region."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    cluster_id: In[str]
    cluster_name: str
    tags: dict[str, str]


class Prometheus(pulumi.ComponentResource):
    """Metrics of one cluster. Workspace, endpoint, rule and rule groups share the region, so nothing crosses it."""

    workspace_id: pulumi.Output[str]

    def __init__(self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:Prometheus", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        workspace = monitor.AzureMonitorWorkspace(
            f"{name}-workspace",
            azure_monitor_workspace_name=args.naming.name("amw", limit=44),
            resource_group_name=args.resource_group_name,
            location=args.location,
            public_network_access="Enabled",  # ingestion and queries need a token all the same
            tags=args.tags,
            opts=child,
        )
        endpoint = monitor.DataCollectionEndpoint(
            f"{name}-endpoint",
            data_collection_endpoint_name=args.naming.name("dce", "metrics", limit=44),
            resource_group_name=args.resource_group_name,
            location=args.location,
            kind="Linux",
            network_acls={"public_network_access": "Enabled"},
            tags=args.tags,
            opts=child,
        )
        rule = monitor.DataCollectionRule(
            f"{name}-rule",
            data_collection_rule_name=args.naming.name("dcr", "metrics", limit=44),
            resource_group_name=args.resource_group_name,
            location=args.location,
            kind="Linux",
            data_collection_endpoint_id=endpoint.id,
            data_sources={
                "prometheus_forwarder": [{"name": "PrometheusDataSource", "streams": ["Microsoft-PrometheusMetrics"]}]
            },
            destinations={"monitoring_accounts": [{"name": "MonitoringAccount1", "account_resource_id": workspace.id}]},
            data_flows=[{"streams": ["Microsoft-PrometheusMetrics"], "destinations": ["MonitoringAccount1"]}],
            tags=args.tags,
            opts=child,
        )
        monitor.DataCollectionRuleAssociation(
            f"{name}-association",
            association_name="ContainerInsightsMetricsExtension",  # the metrics add-on's onboarding looks for this name
            resource_uri=args.cluster_id,
            data_collection_rule_id=rule.id,
            opts=child,
        )
        for group, rules in RECORDING_GROUPS.items():
            alertsmanagement.PrometheusRuleGroup(
                f"{name}-{group}",
                rule_group_name=args.naming.name("prg", group),
                resource_group_name=args.resource_group_name,
                location=args.location,
                cluster_name=args.cluster_name,
                scopes=[workspace.id, args.cluster_id],
                enabled=True,
                interval="PT1M",
                rules=[{"record": rule.record, "expression": rule.expression} for rule in rules],
                tags=args.tags,
                opts=child,
            )
        self.workspace_id = workspace.id
        self.register_outputs({"workspace_id": self.workspace_id})
