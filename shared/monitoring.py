"""The log workspace that all clusters and shared services write to, its saved searches, and the action group.

The alerts stand in `shared.alerts`, network logs in each stamp's own workspace. Left out of the reference on purpose:
the solutions ContainerInsights and KeyVaultAnalytics, which collect nothing any more (data collection rules and the
tables behind diagnostic settings took their place), and the search over every scraped Prometheus record, whose data now
lies in each region's Azure Monitor workspace and is asked in PromQL.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor, operationalinsights

from foundation.azure_types import Arguments, In
from foundation.naming import Naming


class MonitoringArgs(Arguments):
    """`retention_days` of logs; `daily_quota_gb` in GiB a day, -1 for none; `emails` hear about alerts."""

    resource_group_name: In[str]
    location: str
    retention_days: int
    daily_quota_gb: int
    emails: tuple[str, ...]
    naming: Naming
    tags: dict[str, str]
    protect: bool


@dataclass(frozen=True)
class SavedQuery:
    """One search that operators find in the workspace. `name` is its id."""

    name: str
    category: str
    title: str
    query: str


SAVED_QUERIES = (
    SavedQuery(
        "ForbiddenResponsesAtTheEdge",
        "Front Door",
        "Growth of forbidden responses (403) by host",
        """AzureDiagnostics
| where ResourceProvider == "MICROSOFT.CDN" and Category == "FrontDoorAccessLog"
| where httpStatusCode_s == "403"
| summarize Responses = count() by bin(TimeGenerated, 5m), hostName_s
| render timechart""",
    ),
    SavedQuery(
        "RequestsBlockedByTheEdge",
        "Front Door",
        "Requests that the web application firewall blocked, by rule",
        """AzureDiagnostics
| where ResourceProvider == "MICROSOFT.CDN" and Category == "FrontDoorWebApplicationFirewallLog"
| where action_s == "Block"
| summarize Requests = count() by ruleName_s, policyMode_s
| order by Requests desc""",
    ),
    SavedQuery(
        "RequestsByOrigin",
        "Front Door",
        "Share of requests that each stamp answers",
        """AzureDiagnostics
| where ResourceProvider == "MICROSOFT.CDN" and Category == "FrontDoorAccessLog"
| summarize Requests = count() by bin(TimeGenerated, 5m), originName_s
| render timechart""",
    ),
)


class Monitoring(pulumi.ComponentResource):
    """Workspace and action group of the fleet."""

    workspace_id: pulumi.Output[str]
    workspace_name: pulumi.Output[str]
    action_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:Monitoring", name, None, opts)
        workspace = operationalinsights.Workspace(
            f"{name}-workspace",
            workspace_name=args.naming.name("log", limit=63),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            sku={"name": "PerGB2018"},
            retention_in_days=args.retention_days,
            workspace_capping={"daily_quota_gb": args.daily_quota_gb},
            # Agents sign in with managed identities, so the workspace's shared keys are of no use to anyone.
            features={
                "disable_local_auth": True,
                "enable_log_access_using_only_resource_permissions": True,
                "immediate_purge_data_on30_days": False,
            },
            # Closing these needs a private link scope in every VNet; what comes in is signed by an identity.
            public_network_access_for_ingestion="Enabled",
            public_network_access_for_query="Enabled",
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        for saved in SAVED_QUERIES:
            operationalinsights.SavedSearch(
                f"{name}-{saved.name}",
                saved_search_id=saved.name,
                workspace_name=workspace.name,
                resource_group_name=args.resource_group_name,
                category=saved.category,
                display_name=saved.title,
                query=saved.query,
                version=2,
                opts=pulumi.ResourceOptions(parent=self),
            )
        action_group = monitor.ActionGroup(
            f"{name}-action-group",
            action_group_name=args.naming.name("ag"),
            resource_group_name=args.resource_group_name,
            location="global",
            tags=args.tags,
            # What text messages and mails are signed with: at most 12 characters.
            group_short_name=args.naming.workload[:12],
            enabled=True,
            email_receivers=[
                {"name": f"email-{number:02}", "email_address": email, "use_common_alert_schema": True}
                for number, email in enumerate(args.emails, 1)
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.workspace_id = workspace.id
        self.workspace_name = workspace.name
        self.action_group_id = action_group.id
        self.register_outputs({"workspaceId": self.workspace_id, "actionGroupId": self.action_group_id})
