"""Alerts on one cluster: Prometheus rules for what happens inside, platform metrics for what must work without agents.

The rules stand in `stamps.alert_rules` and `stamps.prometheus_rules`.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import alertsmanagement, monitor

from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from stamps.alert_rules import METRIC_ALERTS, PROMETHEUS_ALERTS, MetricAlertRule


class ClusterAlertsArgs(Arguments):
    """`workspace_id` is the region's Azure Monitor workspace; rule groups have to lie in its region."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    cluster_id: In[str]
    cluster_name: str
    workspace_id: In[str]
    action_group_id: str
    tags: dict[str, str]


class ClusterAlerts(pulumi.ComponentResource):
    """Alerts on one cluster; each of them reaches the fleet's action group."""

    def __init__(self, name: str, args: ClusterAlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:ClusterAlerts", name, None, opts)
        alertsmanagement.PrometheusRuleGroup(
            f"{name}-rules",
            rule_group_name=args.naming.name("prg", "alerts"),
            description="Nodes, pods, jobs and volumes of the cluster",
            resource_group_name=args.resource_group_name,
            location=args.location,
            cluster_name=args.cluster_name,
            scopes=[args.workspace_id, args.cluster_id],
            enabled=True,
            interval="PT1M",
            rules=[
                {
                    "alert": rule.alert,
                    "expression": rule.expression,
                    "for_": rule.lasting,
                    "severity": rule.severity,
                    "enabled": True,
                    "annotations": {"description": rule.description},
                    "actions": [{"action_group_id": args.action_group_id}],
                    "resolve_configuration": {"auto_resolved": True, "time_to_resolve": "PT10M"},
                }
                for rule in PROMETHEUS_ALERTS
            ],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        for rule in METRIC_ALERTS:
            self._metric_alert(name, rule, args)
        self.register_outputs({})

    def _metric_alert(self, name: str, rule: MetricAlertRule, args: ClusterAlertsArgs) -> None:
        monitor.MetricAlert(
            f"{name}-{rule.name}",
            rule_name=args.naming.name("alert", rule.name),
            description=rule.description,
            resource_group_name=args.resource_group_name,
            location="global",
            scopes=[args.cluster_id],
            target_resource_type="Microsoft.ContainerService/managedClusters",
            target_resource_region=args.location,
            severity=rule.severity,
            enabled=True,
            auto_mitigate=True,
            evaluation_frequency="PT1M",
            window_size=rule.window,
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                all_of=[
                    monitor.MetricCriteriaArgs(
                        criterion_type="StaticThresholdCriterion",
                        name=rule.name,
                        metric_namespace="Microsoft.ContainerService/managedClusters",
                        metric_name=rule.metric,
                        operator="GreaterThan",
                        threshold=rule.threshold,
                        time_aggregation=rule.aggregation,
                    )
                ],
            ),
            actions=[{"action_group_id": args.action_group_id}],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
