"""Alerts on what no single stamp sees: the edge's view of the origins, failed pods of any cluster, Azure's own notices.

The stamps own the alerts on their clusters and networks.
"""

from __future__ import annotations

from typing import TypedDict

import pulumi
from pulumi_azure_native import monitor

from foundation.arm_ids import subscription_scope
from foundation.azure_types import Arguments, In
from foundation.naming import Naming

ORIGIN_HEALTH_PERCENT = 90
FAILED_PODS = 3

FAILED_PODS_QUERY = """let snapshot = 1m;
KubePodInventory
| summarize Snapshots = dcount(TimeGenerated), FailedSum = countif(PodStatus == "Failed")
    by ClusterName, bin(TimeGenerated, snapshot), _ResourceId
| extend FailedCount = todouble(FailedSum) / Snapshots
| project TimeGenerated, ClusterName, FailedCount, _ResourceId"""


class AlertsArgs(Arguments):
    """What is watched, and the action group that hears of it."""

    resource_group_name: In[str]
    location: str
    subscription_id: str
    profile_id: In[str]
    workspace_id: In[str]
    action_group_id: In[str]
    naming: Naming
    tags: dict[str, str]


class _Notice(TypedDict):
    role: str
    description: str
    fields: dict[str, str]


_NOTICES: tuple[_Notice, ...] = (
    {
        "role": "service-health",
        "description": "Azure reports an incident, maintenance or advisory for this subscription",
        "fields": {"category": "ServiceHealth"},
    },
    {
        "role": "advisor",
        "description": "Azure Advisor has a new recommendation",
        "fields": {
            "category": "Recommendation",
            "operationName": "Microsoft.Advisor/recommendations/available/action",
        },
    },
)


class Alerts(pulumi.ComponentResource):
    """The fleet's alert rules."""

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:Alerts", name, None, opts)
        self._origin_health(name, args)
        self._failed_pods(name, args)
        for notice in _NOTICES:
            monitor.ActivityLogAlert(
                f"{name}-{notice['role']}",
                activity_log_alert_name=args.naming.name("ala", notice["role"]),
                resource_group_name=args.resource_group_name,
                location="global",
                tags=args.tags,
                description=notice["description"],
                enabled=True,
                scopes=[subscription_scope(args.subscription_id)],
                condition={"all_of": [{"field": field, "equals": value} for field, value in notice["fields"].items()]},
                actions={"action_groups": [{"action_group_id": args.action_group_id}]},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})

    def _origin_health(self, name: str, args: AlertsArgs) -> None:
        # Each origin is judged for itself. A drained region fires too: a drain that lasts should be known.
        criterion = monitor.MetricCriteriaArgs(
            criterion_type="StaticThresholdCriterion",
            name="origin-health",
            metric_namespace="Microsoft.Cdn/profiles",
            metric_name="OriginHealthPercentage",
            dimensions=[monitor.MetricDimensionArgs(name="Origin", operator="Include", values=["*"])],
            time_aggregation="Average",
            operator="LessThan",
            threshold=ORIGIN_HEALTH_PERCENT,
            skip_metric_validation=False,
        )
        monitor.MetricAlert(
            f"{name}-origin-health",
            rule_name=args.naming.name("ma", "origin-health"),
            resource_group_name=args.resource_group_name,
            location="global",
            tags=args.tags,
            description=f"Fewer than {ORIGIN_HEALTH_PERCENT} % of Front Door's probes to an origin succeed",
            severity=1,
            enabled=True,
            auto_mitigate=True,
            scopes=[args.profile_id],
            evaluation_frequency="PT1M",
            window_size="PT5M",
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", all_of=[criterion]
            ),
            actions=[{"action_group_id": args.action_group_id}],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _failed_pods(self, name: str, args: AlertsArgs) -> None:
        monitor.ScheduledQueryRule(
            f"{name}-failed-pods",
            rule_name=args.naming.name("sqr", "failed-pods"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            kind="LogAlert",
            display_name="Failed pods",
            description=f"More than {FAILED_PODS} pods of one cluster are in phase Failed",
            severity=3,
            enabled=True,
            auto_mitigate=True,
            # The workspace instead of the whole subscription: nobody else's clusters.
            scopes=[args.workspace_id],
            evaluation_frequency="PT5M",
            window_size="PT5M",
            # The table exists from the first cluster on, and this rule is older.
            skip_query_validation=True,
            criteria={
                "all_of": [
                    {
                        "query": FAILED_PODS_QUERY,
                        "time_aggregation": "Average",
                        "metric_measure_column": "FailedCount",
                        "resource_id_column": "_ResourceId",
                        "dimensions": [{"name": "ClusterName", "operator": "Include", "values": ["*"]}],
                        "operator": "GreaterThan",
                        "threshold": FAILED_PODS,
                        "failing_periods": {"number_of_evaluation_periods": 1, "min_failing_periods_to_alert": 1},
                    }
                ]
            },
            actions={"action_groups": [args.action_group_id]},
            opts=pulumi.ResourceOptions(parent=self),
        )
